"""A CrossEncoder orders the best passages anew where one is set; where it cannot be had, answers go on without it."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gmedbot.bot import Bot
from gmedbot.cli.doctor import examine
from gmedbot.errors import EncoderError
from gmedbot.index.reader import BuiltIndex
from gmedbot.retrieval import rerank
from gmedbot.retrieval.hybrid import Hits, HybridRetriever
from gmedbot.retrieval.rerank import CrossEncoderScorer, Reranking, load_cross_encoder, reranking_of
from gmedbot.settings import Settings

Scores = NDArray[np.float32]
QUESTION = "Which nerve supplies the gluteus medius?"


def make_cross_encoder(folder: Path, kind: str = "BertForSequenceClassification", labels: int = 1) -> Path:
    """A tiny BERT of random weights that reads letters, saved as a CrossEncoder is."""
    import torch
    import transformers as library

    transformers: Any = library  # its names are made when they are asked for
    letters = [*"abcdefghijklmnopqrstuvwxyz?.", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(words), "utf-8")
    transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(str(folder))
    torch.manual_seed(7)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=512, num_labels=labels, initializer_range=0.5,
    )  # fmt: skip
    getattr(transformers, kind)(config).save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cross_encoder(tmp_path_factory.mktemp("reranker") / "model")


def array(*values: float) -> Scores:
    return np.array(values, dtype=np.float32)


HITS = Hits(np.array([7, 3, 9, 1]), array(0.9, 0.8, 0.5, 0.1), array(0.7, 0.2, 0.6, 0.3), array(1, 5, 0, 2))


class Told:
    """A scorer that says what it was told to, and keeps what it was asked."""

    def __init__(self, *scores: float) -> None:
        self.scores = array(*scores) if scores else None
        self.asked: list[tuple[str, Sequence[str]]] = []

    def score(self, question: str, texts: Sequence[str]) -> Scores | None:
        self.asked.append((question, texts))
        return self.scores


# --- the order ------------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_the_first_passages_take_the_scorers_order_and_the_places_keep_their_scores() -> None:
    scorer = Told(-3, 8, 2)
    found = Reranking(scorer, str, depth=3)("q", HITS)
    assert scorer.asked == [("q", ["7", "3", "9"])]
    assert found.rows.tolist() == [3, 9, 7, 1]
    assert found.scores is HITS.scores
    assert found.dense == pytest.approx([0.2, 0.6, 0.7, 0.3])
    assert found.words == pytest.approx([5, 0, 1, 2])


@pytest.mark.core
def test_equal_scores_and_no_scores_leave_the_order_as_it_was() -> None:
    assert Reranking(Told(1, 1, 1, 1), str, depth=30)("q", HITS).rows.tolist() == HITS.rows.tolist()
    assert Reranking(Told(), str, depth=30)("q", HITS) is HITS


@pytest.mark.core
def test_one_passage_or_none_is_not_read() -> None:
    scorer = Told(1)
    for hits in (HITS.first(1), HITS.first(0)):
        assert Reranking(scorer, str, depth=30)("q", hits) is hits
    assert scorer.asked == []


@pytest.mark.integration
def test_a_passage_beyond_the_wanted_number_can_come_first(built: BuiltIndex) -> None:
    """The reranker sees ``depth`` passages though fewer are wanted: that is how it finds what the search ranked low."""
    plain = HybridRetriever(built.dense, built.words, built.encoder).search(QUESTION, 12)
    scorer = Told(*range(12))  # the last is the best
    again = HybridRetriever(built.dense, built.words, built.encoder, second=Reranking(scorer, str, 12))
    hits = again.search(QUESTION, 4)
    assert hits.rows.tolist() == plain.rows[::-1][:4].tolist()
    assert hits.scores == pytest.approx(plain.scores[:4])


@pytest.mark.integration
def test_a_set_cross_encoder_decides_the_order_of_the_bots_search(small_settings: Settings, model_folder: Path) -> None:
    from sentence_transformers import CrossEncoder

    settings = small_settings.changed(reranker=str(model_folder), rerank_depth=10)
    bot, plain = Bot.open(settings, is_warm=False), Bot.open(small_settings, is_warm=False)
    query, _ = bot.understand(QUESTION)
    before, after = plain._search(query, 10), bot._search(query, 10)
    index = bot._index
    second = reranking_of(settings, index)
    assert second is not None
    texts = [second._text_of(row) for row in before.rows.tolist()]
    assert texts[0].endswith(index.passages[int(before.rows[0])].text)  # title and heading stand before it
    said = CrossEncoder(str(model_folder)).predict([(query.text, text) for text in texts], batch_size=1)
    assert after.rows.tolist() == before.rows[np.argsort(-said, kind="stable")].tolist()
    assert after.rows.tolist() != before.rows.tolist()
    assert after.scores.tolist() == before.scores.tolist()


@pytest.mark.integration
def test_answers_with_a_reranker_are_repeatable_and_keep_the_contract(
    small_settings: Settings, model_folder: Path
) -> None:
    settings = small_settings.changed(reranker=str(model_folder))
    first, second = Bot.open(settings, is_warm=False), Bot.open(settings, is_warm=False)
    given = [{**bot.ask(QUESTION).to_json(), "timings_ms": 0} for bot in (first, second, first)]
    assert given[0] == given[1] == given[2] and given[0]["status"] == "answered"
    plain = Bot.open(small_settings, is_warm=False)
    assert set(given[0]) == set(plain.ask(QUESTION).to_json())
    found, others = first.retrieve(QUESTION, 5), plain.retrieve(QUESTION, 5)
    assert [item.rank for item in found] == [1, 2, 3, 4, 5] and len(others) == 5
    assert all(a.score >= b.score for a, b in pairwise(found))


@pytest.mark.integration
def test_threads_that_ask_at_once_load_one_model_and_get_the_same_scores(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []

    def counted(name: str) -> Callable[[str, Sequence[str]], Scores]:
        loads.append(name)
        return load_cross_encoder(name)

    monkeypatch.setattr(rerank, "load_cross_encoder", counted)
    scorer = CrossEncoderScorer(str(model_folder))
    texts = ["the nerve", "a muscle of the hip", "pain at night"]
    given: list[Any] = []
    threads = [threading.Thread(target=lambda: given.append(scorer.score(QUESTION, texts))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1 and len(given) == 6
    assert all(np.array_equal(scores, given[0]) for scores in given)
    alone = [scorer.score(QUESTION, [text]) for text in texts]
    assert np.array_equal(np.concatenate([found for found in alone if found is not None]), given[0])


# --- what cannot be had ---------------------------------------------------------------------------------------------


def damaged(kind: str, whole: Path, folder: Path) -> str:
    """The name or folder of a model that is not whole."""
    if kind == "absent name":
        return "no-such-group/no-such-cross-encoder"
    if kind == "absent folder":
        return str(folder)
    if kind == "an encoder":
        return str(make_cross_encoder(folder, "BertModel"))
    if kind == "two scores":
        return str(make_cross_encoder(folder, labels=2))
    if kind == "empty folder":
        folder.mkdir()
        return str(folder)
    shutil.copytree(whole, folder)
    weights = folder / "model.safetensors"
    if kind == "cut weights":
        weights.write_bytes(weights.read_bytes()[:-600])
    elif kind == "headless":
        from safetensors.torch import load_file, save_file

        kept = {name: value for name, value in load_file(weights).items() if not name.startswith("classifier")}
        save_file(kept, weights, metadata={"format": "pt"})
    elif kind == "no words":
        for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
            (folder / name).unlink(missing_ok=True)
    return str(folder)


KINDS = (
    "absent name",
    "absent folder",
    "an encoder",
    "two scores",
    "empty folder",
    "cut weights",
    "headless",
    "no words",
)


@pytest.mark.integration
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_cannot_be_had_is_one_warning_and_answers_go_on(
    small_settings: Settings, model_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    name = damaged(kind, model_folder, tmp_path / "reranker")
    settings = small_settings.changed(reranker=name)
    bot = Bot.open(settings, is_warm=False)
    with caplog.at_level(logging.WARNING, logger="gmedbot"):
        answers = [bot.ask(QUESTION), bot.ask("Where does it insert?", [QUESTION])]
        Bot.open(settings, is_warm=False).retrieve(QUESTION, 3)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("gmedbot")]
    assert len(said) == 1
    assert "answers go on without a reranker" in said[0] and name in said[0] and "GMEDBOT_RERANKER" in said[0]
    assert ("hf download" in said[0]) == (kind == "absent name")
    plain = Bot.open(small_settings, is_warm=False)
    wanted = [plain.ask(QUESTION), plain.ask("Where does it insert?", [QUESTION])]
    assert [answer.answer for answer in answers] == [answer.answer for answer in wanted]


@pytest.mark.core
def test_without_the_package_the_warning_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EncoderError, match="pip install sentence-transformers"):
        load_cross_encoder(str(tmp_path))


@pytest.mark.integration
def test_a_model_that_fails_in_use_is_given_up_with_one_warning(
    model_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scorer = CrossEncoderScorer(str(model_folder))
    assert scorer.score("q", ["a", "b"]) is not None
    with caplog.at_level(logging.WARNING, logger="gmedbot"):
        assert scorer.score("q", [None]) is None  # type: ignore[list-item]  # nothing that a tokenizer takes
        assert scorer.score("q", ["a", "b"]) is None
    assert len([record for record in caplog.records if record.name.startswith("gmedbot")]) == 1


@pytest.mark.integration
def test_doctor_warns_of_a_reranker_that_cannot_be_had(
    small_settings: Settings, model_folder: Path, tmp_path: Path
) -> None:
    def found(name: str | None) -> Any:
        checks = examine(small_settings.changed(reranker=name))
        return next(check for check in checks if check.name == "reranker")

    assert (found(None).status, found(None).found) == ("ok", "none is set")
    whole = found(str(model_folder))
    assert whole.status == "ok" and "first 30 passages" in whole.found
    absent = found(str(tmp_path / "gone"))
    assert absent.status == "warning" and "gone" in absent.found and "GMEDBOT_RERANKER" in absent.fix


# --- what it costs who has none -------------------------------------------------------------------------------------

_PROGRAM = """
import json, sys
from pathlib import Path
from gmedbot.bot import Bot
from gmedbot.settings import load_settings
corpus, index = map(Path, sys.argv[1:3])
bot = Bot.open(load_settings(corpus=corpus, index=index, reranker=sys.argv[3] or None), is_warm=False)
opened = "torch" in sys.modules
bot.ask("Which nerve supplies the gluteus medius?")
heavy = {"torch", "transformers", "sentence_transformers"} & {name.split(".")[0] for name in sys.modules}
print(json.dumps({"opened": opened, "heavy": sorted(heavy)}))
"""


@pytest.mark.integration
@pytest.mark.parametrize("is_set", [False, True])
def test_torch_is_imported_only_where_a_reranker_is_set_and_on_the_first_question(
    small_settings: Settings, model_folder: Path, is_set: bool
) -> None:
    arguments = [str(small_settings.corpus), str(small_settings.index), str(model_folder) if is_set else ""]
    done = subprocess.run([sys.executable, "-c", _PROGRAM, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["opened"] is False
    assert bool(seen["heavy"]) == is_set
