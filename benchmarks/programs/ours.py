"""gmedbot's own encoder and index on the same work. ``search`` does more than the peers': vectors and words, fused."""

from pathlib import Path

from protocol import main


class Ours:
    def load(self):
        pass

    def prepare(self, folder):
        """Export the encoder, as the first build of an index does."""
        from gmedbot.encoder import DEFAULT_MODEL, OnnxEncoder, export_encoder

        encoder = Path(folder) / "encoder"
        if not (encoder / "encoder.json").is_file():
            export_encoder(DEFAULT_MODEL, encoder)
        self.encoder = OnnxEncoder(encoder)

    def build(self, texts, folder):
        from gmedbot.index.dense import DenseIndex
        from gmedbot.index.lexical import LexicalIndex

        dense = DenseIndex.build(self.encoder.encode(texts))
        dense.save(Path(folder) / "dense.faiss")
        (Path(folder) / "type").write_text(dense.type)
        LexicalIndex.build(texts).save(Path(folder) / "words")

    def open(self, folder):
        from gmedbot.encoder import OnnxEncoder
        from gmedbot.index.dense import DenseIndex
        from gmedbot.index.lexical import LexicalIndex
        from gmedbot.retrieval.hybrid import HybridRetriever

        path = Path(folder)
        dense = DenseIndex.load(path / "dense.faiss", (path / "type").read_text())
        encoder = OnnxEncoder(path / "encoder")
        self.hybrid = HybridRetriever(dense, LexicalIndex.load(path / "words"), encoder)

    def search(self, question, k):
        vector = self.hybrid.encoder.encode([question])[0]
        self.hybrid.search(question, k, query_vector=vector)
        return self.hybrid.dense.search(vector, k)[0].tolist()


if __name__ == "__main__":
    main(Ours())
