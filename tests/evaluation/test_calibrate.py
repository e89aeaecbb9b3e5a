"""The gates' thresholds are chosen on dev questions, kept for one encoder, and copied into its builds."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gmedbot.bot import Bot
from gmedbot.cli.doctor import examine
from gmedbot.cli.main import main
from gmedbot.conversation.scope import limit_of
from gmedbot.encoder import BASE_MODEL, DEFAULT_MODEL, EncoderCard, packaged_digest
from gmedbot.errors import UsageError
from gmedbot.evaluation.bench import Bench
from gmedbot.evaluation.calibrate import Judged, calibrate, choose_thresholds, count_declined, highest_threshold
from gmedbot.evaluation.gold import load_gold
from gmedbot.index import thresholds as thresholds_module
from gmedbot.index.build import build_index
from gmedbot.index.stale import is_stale
from gmedbot.index.store import Store
from gmedbot.index.thresholds import FILE, keep_thresholds, thresholds_for
from gmedbot.settings import Settings
from tests.conftest import give_encoder
from tests.evaluation.conftest import write_lines
from tests.support import SMALL_CORPUS, write_calibration_gold
from tests.test_encoder import make_model

CARD = EncoderCard("some-model", "", "d" * 64, 3, 256, "onnx")


def judged(answerable: list[float], unanswerable: list[float], is_in_scope: bool = True) -> list[Judged]:
    return [Judged(p, is_in_scope, True) for p in answerable] + [Judged(p, is_in_scope, False) for p in unanswerable]


# --- the rule -------------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_the_threshold_is_the_middle_of_the_gap_under_the_first_question_that_must_be_answered() -> None:
    many = [0.9] * 97 + [0.1, 0.2, 0.6]
    assert highest_threshold(judged(many, [0.05, 0.4]), 0.02) == 0.5  # 0.1 and 0.2 may go; between 0.4 and 0.6
    assert highest_threshold(judged(many, [0.05, 0.4]), 0.0) == 0.075
    assert highest_threshold(judged(many, []), 0.03) == 0.75


@pytest.mark.core
@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.5])
def test_no_more_than_the_share_is_declined_and_no_higher_threshold_would_do(share: float) -> None:
    items = judged([((n * 37) % 101) / 101 for n in range(100)], [((n * 29) % 97) / 150 for n in range(60)])
    limit = highest_threshold(items, share)
    held = {"answerable": limit, "scope": limit}
    declined = count_declined(items, held)
    assert declined["answerable"] <= share * 100
    next_up = min(item.probability for item in items if item.is_answerable and item.probability >= limit)
    above = count_declined(items, {"answerable": next_up + 1e-9, "scope": 0.0})
    assert above["answerable"] > share * 100


@pytest.mark.core
def test_neighbours_closer_than_the_rounding_are_still_told_apart() -> None:
    items = judged([0.50000002, 0.9], [0.50000001])
    limit = highest_threshold(items, 0.0)
    assert count_declined(items, {"answerable": limit, "scope": 0.0}) == {"answerable": 0, "unanswerable": 1}


@pytest.mark.core
def test_questions_that_name_nothing_of_the_field_get_a_gate_of_their_own_and_never_a_lower_one() -> None:
    inside = judged([0.4, 0.9, 0.9], [0.2])
    far = judged([0.8] * 5, [0.6], is_in_scope=False)
    assert choose_thresholds([*inside, *far], 0.0) == {"answerable": 0.3, "scope": 0.7}
    low = judged([0.35] * 5, [0.1], is_in_scope=False)
    strict = choose_thresholds([*judged([0.9] * 20, [0.5]), *low], 0.2)
    assert strict == {"answerable": 0.7, "scope": 0.7}  # by themselves: (0.1 + 0.35) / 2
    few = judged([0.8] * 4, [0.6], is_in_scope=False)
    assert choose_thresholds([*inside, *few], 0.0) == {"answerable": 0.3, "scope": 0.3}


@pytest.mark.core
def test_the_two_gates_hold_their_limits_and_default_to_one_half() -> None:
    assert (limit_of({}, True), limit_of({}, False)) == (0.5, 0.5)
    assert (limit_of({"scope": 0.8}, True), limit_of({"scope": 0.8}, False)) == (0.5, 0.8)
    assert limit_of({"answerable": 0.7, "scope": 0.2}, False) == 0.7


# --- the file -------------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_both_packaged_encoders_have_thresholds_of_these_weights(tmp_path: Path) -> None:
    """Fails after a new fit or new weights of the encoder: then measure again and write data/thresholds.json."""
    card = EncoderCard(DEFAULT_MODEL, "", packaged_digest(DEFAULT_MODEL, ""), 384, 256, "onnx")
    published = replace(card, model=BASE_MODEL, digest=packaged_digest(BASE_MODEL, ""))
    for own in (card, published):
        kept = thresholds_for(tmp_path, own)
        assert 0.2 < kept["answerable"] <= kept["scope"] < 0.9, own.model


@pytest.mark.core
def test_what_is_kept_is_found_for_these_weights_and_these_fitted_models_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = EncoderCard("some-model", "", "e" * 64, 3, 256, "onnx")
    keep_thresholds(tmp_path / FILE, CARD, {"answerable": 0.25, "scope": 0.75}, {})
    assert thresholds_for(tmp_path, CARD) == {"answerable": 0.25, "scope": 0.75}
    assert thresholds_for(tmp_path, other) == {}
    keep_thresholds(tmp_path / FILE, other, {"answerable": 0.5, "scope": 0.5}, {})
    assert thresholds_for(tmp_path, CARD)["answerable"] == 0.25
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    monkeypatch.setattr(thresholds_module, "fitted_digest", lambda: "another fit")
    assert thresholds_for(tmp_path, CARD) == {}


@pytest.mark.core
@pytest.mark.parametrize(
    "text", ["{", "[]", '{"d": {}}', '{"d": {"model": "m", "thresholds": {"answerable": 2, "scope": 0}}}']
)
def test_a_damaged_file_is_named_with_what_to_run(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, "utf-8")
    with pytest.raises(UsageError, match="gmedbot index calibrate"):
        thresholds_for(tmp_path, CARD)


# --- with another encoder -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other_settings(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Settings:
    """A part of the small corpus with gold questions beside it, to be indexed by a tiny encoder of random weights."""
    from gmedbot.settings import load_settings

    folder = tmp_path_factory.mktemp("calibrated")
    (folder / "corpus").mkdir()  # two sources: to random weights all claims are alike, and every pair is read
    for name in ("test-atlas-2010.md", "test-gait-2014.md"):
        shutil.copy(SMALL_CORPUS / name, folder / "corpus" / name)
    write_calibration_gold(folder / "evaluation", folder / "corpus")
    give_encoder(encoder_folder, folder / "index")
    model = make_model(folder / "model", "mean")
    return load_settings(corpus=folder / "corpus", index=folder / "index", encoder=str(model))


@pytest.mark.integration
def test_calibrating_another_encoder_ends_up_in_its_builds(
    other_settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = other_settings
    monkeypatch.setenv("GMEDBOT_ENCODER", settings.encoder)
    places = ["--corpus", str(settings.corpus), "--index", str(settings.index)]

    assert main(["index", "build", *places]) == 0
    assert f"No thresholds are calibrated for {settings.encoder}: gmedbot index calibrate" in capsys.readouterr().out
    store = Store(settings.index)
    before = store.manifest()
    assert before.thresholds == {} and not is_stale(settings)
    gate = next(check for check in examine(settings) if check.name == "gate")
    assert gate.status == "warning" and "gmedbot index calibrate" in gate.fix

    assert main(["index", "calibrate", "--no-save", "--json", *places]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["file"] is None and not (settings.corpus / FILE).exists()
    assert main(["index", "calibrate", "--json", *places]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {**found, "file": None} == shown
    assert found["in_force"] == {"answerable": 0.5, "scope": 0.5}
    assert found["asked"]["answerable"] == 60 and found["asked"]["unanswerable"] == 25
    assert found["declined"]["answerable"] <= 0.02 * found["asked"]["answerable"]

    assert is_stale(settings) == "the thresholds have changed"
    report = build_index(settings)
    after = store.verify_files(report.build_id)
    assert after.thresholds == found["thresholds"] == report.thresholds
    assert report.build_id != before.build_id and after.files == before.files
    assert not is_stale(settings)
    assert build_index(settings).build_id == report.build_id
    gate = next(check for check in examine(settings) if check.name == "gate")
    assert gate.status == "ok" and f"{found['thresholds']['answerable']:.4g}" in gate.found

    gold = load_gold(settings.corpus.parent / "evaluation")
    again = calibrate(Bench(settings), gold)
    assert again.thresholds == found["thresholds"] and again.declined_in_force == found["declined"]


@pytest.mark.integration
def test_the_thresholds_of_the_manifest_decide(small_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    bot = Bot.open(small_settings, is_warm=False)
    question = "Which nerve supplies the gluteus medius?"
    probability = bot.verdict(question).probability
    assert bot.ask(question).status == "answered" and bot.verdict(question).is_in_scope
    strict = {"answerable": probability + 1e-6, "scope": 0.5}
    monkeypatch.setattr(bot._index, "manifest", replace(bot._index.manifest, thresholds=strict))
    assert bot.ask(question).status == "declined"


@pytest.mark.integration
def test_too_few_questions_are_no_calibration(small_settings: Settings, tmp_path: Path) -> None:
    gold = write_calibration_gold(tmp_path / "evaluation")
    lines = [json.loads(line) for line in (gold / "unanswerable.jsonl").read_text("utf-8").splitlines()]
    write_lines(gold / "unanswerable.jsonl", lines[:19])
    with pytest.raises(UsageError, match=r"(?s)20 that it does not.* and 19 in"):
        calibrate(Bench(small_settings), load_gold(gold))
    # questions of the test split are not looked at
    write_lines(gold / "unanswerable.jsonl", [{**line, "split": "test"} for line in lines])
    with pytest.raises(UsageError, match=r" and 0 in"):
        calibrate(Bench(small_settings), load_gold(gold))
