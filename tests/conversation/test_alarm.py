"""What the rules do not foresee is found from examples; a rule is taken back only where nothing speaks for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from gmedbot.conversation.alarm import ALARM_LABELS, AlarmModel, RedFlagScreen, alarm_model, ngrams
from gmedbot.conversation.safety import SafetyRules
from gmedbot.encoder import DEFAULT_MODEL
from gmedbot.errors import CorpusError, EncoderError

pytestmark = pytest.mark.core

ROOT = Path(__file__).resolve().parents[2]
FALLEN = "my mum fell this morning, her hip hurts badly and she can't stand on the leg"
STRANGE = "there is something odd near the breastbone"


def vector_of(label: str) -> NDArray[np.float32]:
    """A vector on which ``model`` sees a label."""
    vector = np.zeros(len(ALARM_LABELS), dtype=np.float32)
    vector[ALARM_LABELS.index(label)] = 1
    return vector


def model(raises: float = 1.0, overrules: float = -2.0) -> AlarmModel:
    """Words decide whether something is wrong, the vector decides what."""
    size = len(ALARM_LABELS)
    return AlarmModel(
        fitted_for="a test",
        words={"breastbone": (1.0, 5.0), "lovely": (1.0, -9.0), "lovely day": (2.0, -1.0)},
        vector=np.zeros(size, dtype=np.float32),
        bias=-1.0,
        kinds=np.hstack([np.eye(size), np.zeros((size, 1))]).astype(np.float32),
        raises=raises,
        overrules=overrules,
    )


@pytest.fixture(scope="module")
def rules() -> SafetyRules:
    return SafetyRules.load(ROOT / "corpus" / "safety.yaml")


def test_words_and_pairs_are_counted_in_lower_case() -> None:
    assert ngrams("Can\u2019t WALK, can't walk") == {"can't": 2, "walk": 2, "can't walk": 2, "walk can't": 1}


def test_the_score_is_that_of_normalised_weighted_words() -> None:
    nothing = np.zeros(len(ALARM_LABELS), dtype=np.float32)
    assert model().score("what is the gluteus medius", nothing) == -1.0
    assert model().score("my breastbone", nothing) == 4.0
    assert model().score("lovely day", nothing) == pytest.approx(-1 + (1 * -9 + 2 * -1) / 5**0.5)


def test_a_sign_without_a_pattern_is_raised_by_its_label(rules: SafetyRules) -> None:
    assert rules.screen(STRANGE) is None
    found = RedFlagScreen(rules, "a test", model()).screen(STRANGE, lambda text: vector_of("heart_breathing"))
    assert found is not None and found.rule == "rf16-heart-and-breathing" and found.urgency == "emergency"


def test_a_rule_speaks_before_the_model_and_is_taken_back_only_below_the_bound(rules: SafetyRules) -> None:
    ruled = rules.screen(FALLEN)
    assert ruled is not None
    for overrules, is_kept in ((-2.0, True), (-0.5, False)):
        screen = RedFlagScreen(rules, "a test", model(overrules=overrules))
        found = screen.screen(FALLEN, lambda text: vector_of("stroke"))
        assert found == (ruled if is_kept else None)


def test_the_model_reads_the_message_with_its_typing_errors_mended(rules: SafetyRules) -> None:
    heard: list[str] = []

    def encode(text: str) -> NDArray[np.float32]:
        heard.append(text)
        return vector_of("heart_breathing")

    screen = RedFlagScreen(rules, "a test", model(), mend=lambda text: text.replace("breatsbone", "breastbone"))
    assert screen.read_of("it feels odd near the breatsbone") == "it feels odd near the breastbone"
    assert screen.screen("it feels odd near the breatsbone", encode) is not None
    assert heard == ["it feels odd near the breastbone"]
    assert RedFlagScreen(rules, "a test", model()).screen("it feels odd near the breatsbone", encode) is None


def test_another_encoder_or_no_rules_leave_the_model_out(rules: SafetyRules) -> None:
    def never(text: str) -> NDArray[np.float32]:
        raise AssertionError(f"{text!r} was encoded")

    assert RedFlagScreen(rules, "another encoder").screen(FALLEN, never) == rules.screen(FALLEN)
    assert RedFlagScreen(rules, "another encoder").screen(STRANGE, never) is None
    assert RedFlagScreen(rules, "another encoder", model()).screen(STRANGE, never) is None
    assert RedFlagScreen(None, DEFAULT_MODEL).screen(FALLEN, never) is None
    assert RedFlagScreen(rules, DEFAULT_MODEL).screen("  ", never) is None


def test_what_worried_earlier_is_remembered_and_not_screened_again(rules: SafetyRules) -> None:
    encoded: list[str] = []

    def encode(text: str) -> NDArray[np.float32]:
        encoded.append(text)
        return np.zeros(len(ALARM_LABELS), dtype=np.float32)

    screen = RedFlagScreen(rules, "a test", model())
    assert (worry := screen.screen(FALLEN, encode)) is not None
    history = [FALLEN, "thanks", "and which nerve is it that hurts?"]
    assert screen.remembered(history, encode) == worry
    assert encoded == [FALLEN, "and which nerve is it that hurts?"], "a few words are left to the rules"
    assert screen.remembered(history, encode) == worry and len(encoded) == 2
    assert screen.remembered([FALLEN, *["thanks"] * 4], encode) is None, "a talk that went on is another one"
    assert screen.remembered([], encode) is None


def test_groin_pain_that_grows_with_training_is_urgent_and_no_ambulance(rules: SafetyRules) -> None:
    for text in (
        "pain deep in the groin when I hop on that leg, marathon training, getting worse each week",
        "my groin aches on every run, and my periods have stopped",
    ):
        found = rules.screen(text)
        assert found is not None and (found.rule, found.urgency) == ("rf24-stress-fracture", "urgent"), text
    for text in (
        "adductor stretch makes my groin hurt a bit when running",
        "groin strain: do runners need the glute med?",
    ):
        assert rules.screen(text) is None, text


def test_every_sign_of_the_model_is_answered_by_a_rule(rules: SafetyRules) -> None:
    assert [label for label in ALARM_LABELS if rules.answering(label) is None] == []
    assert rules.answering("no such sign") is None


def test_rules_keep_their_learned_signs_in_the_index(rules: SafetyRules) -> None:
    again = SafetyRules.from_record(rules.to_record())
    assert [again.answering(label) for label in ALARM_LABELS] == [rules.answering(label) for label in ALARM_LABELS]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"learned": ["strokes"]}, "strokes is not one of"),
        ({"learned": [], "all": []}, "patterns under 'all', or signs under 'learned'"),
    ],
)
def test_a_rule_that_could_never_fire_stops_the_load(tmp_path: Path, change: dict[str, list[str]], said: str) -> None:
    data = yaml.safe_load((ROOT / "corpus" / "safety.yaml").read_text("utf-8"))
    (rule,) = (rule for rule in data["rules"] if rule["id"] == "rf17-stroke")
    rule.update(change)
    (tmp_path / "safety.yaml").write_text(yaml.safe_dump(data), "utf-8")
    with pytest.raises(CorpusError) as caught:
        SafetyRules.load(tmp_path / "safety.yaml")
    assert said in str(caught.value)


def test_a_saved_model_is_the_same_model(tmp_path: Path) -> None:
    model().save(tmp_path / "model.npz")
    again, vector = AlarmModel.load(tmp_path / "model.npz"), vector_of("allergy")
    for text in (STRANGE, "lovely day", ""):
        assert again.score(text, vector) == pytest.approx(model().score(text, vector))
    assert (again.label(vector), again.raises, again.overrules) == ("allergy", 1.0, -2.0)


def test_a_damaged_model_says_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "model.npz").write_bytes(b"PK not a zip")
    with pytest.raises(EncoderError) as caught:
        AlarmModel.load(tmp_path / "model.npz")
    assert "force-reinstall" in str(caught.value)


def test_the_packaged_model_fits_its_labels_and_the_packaged_encoder() -> None:
    packaged = alarm_model()
    assert packaged.fitted_for == DEFAULT_MODEL
    assert packaged.kinds.shape == (len(ALARM_LABELS), len(packaged.vector) + 1)
    assert packaged.overrules < 0 < packaged.raises
