"""Red flags: every scripted report is seen, harmless talk is not, and a broken rule file never loads.

The messages are data (``evaluation/safety.jsonl``), in rounds. Ids with ``-rN-`` belong to round N, which was written
before the rules met it. What a round showed was then mended, so only its *first* run says how the rules do on new
words: red flags seen 57/97, 75/96, 80/96, 105/117, 83/96, 72/78, 27/52 (idioms), 62/65; false alarms 1/85, 2/99,
1/95, 1/121, 1/101, 0/60, 0/55, 0/55 (rounds 1 to 8, 2026-11-22). The thresholds below guard against getting worse;
they are no estimate. Rules are tuned on ``dev`` alone, and round 8 stays as it is.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from gmedbot.conversation.safety import SafetyRules
from gmedbot.errors import CorpusError

pytestmark = pytest.mark.core

ROOT = Path(__file__).parents[2]
RULE_FILE = ROOT / "corpus" / "safety.yaml"
URGENCY = ("emergency", "urgent", "routine")


def read_messages() -> list[dict[str, Any]]:
    lines = (ROOT / "evaluation" / "safety.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


DATA: dict[str, Any] = yaml.safe_load(RULE_FILE.read_text(encoding="utf-8"))
# the blind ones are for rules and examples together (tests/conversation/test_alarm.py, `gmedbot eval run`)
MESSAGES = [row for row in read_messages() if not row.get("blind")]
PATTERNED = [rule["id"] for rule in DATA["rules"] if rule["sources"]]  # the others lean on examples
RULES = SafetyRules.load(RULE_FILE)


def chosen(label: str, split: str) -> list[Any]:
    return [
        pytest.param(row["text"], id=row["id"]) for row in MESSAGES if row["label"] == label and row["split"] == split
    ]


@pytest.mark.parametrize("text", chosen("red-flag", "dev"))
def test_a_reported_red_flag_is_seen(text: str) -> None:
    assert RULES.screen(text) is not None


@pytest.mark.parametrize("text", chosen("harmless", "dev"))
def test_harmless_talk_raises_no_alarm(text: str) -> None:
    assert RULES.screen(text) is None


def test_the_test_half_has_not_got_worse() -> None:
    seen: dict[str, list[bool]] = defaultdict(list)
    alarms: list[bool] = []
    for row in MESSAGES:
        if row["split"] == "test":
            found = RULES.screen(row["text"]) is not None
            (seen[row["rule"]] if row["label"] == "red-flag" else alarms).append(found)
    assert {rule: sum(hits) / len(hits) for rule, hits in seen.items() if sum(hits) / len(hits) < 0.95} == {}
    assert sum(alarms) / len(alarms) <= 0.03


def test_the_messages_cover_every_rule_in_both_halves() -> None:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for row in MESSAGES:
        if row["label"] == "red-flag":
            counts[row["rule"], row["split"]] += 1
    assert min(counts[rule, split] for rule in PATTERNED for split in ("dev", "test")) >= 8
    assert len({row["text"] for row in MESSAGES}) == len(MESSAGES)


def test_a_rule_that_fires_instead_of_another_is_seldom_less_urgent() -> None:
    urgency = {rule["id"]: URGENCY.index(rule["urgency"]) for rule in DATA["rules"]}
    milder = [
        row["id"]
        for row in MESSAGES
        if row["label"] == "red-flag"
        and (safety := RULES.screen(row["text"])) is not None
        and URGENCY.index(safety.urgency) > urgency[row["rule"]]
    ]
    assert len(milder) <= 3, milder


@pytest.mark.parametrize(
    "text",
    [
        "no fever, my hip just aches on stairs",
        "my hip aches but I have no fever or shivering",
        "hip pain without fever, redness or swelling",
        "I don't have a fever and my hip is not hot",
        "she denies fever, her hip is sore",
        "never had a fever with this hip pain",
    ],
)
def test_a_denied_symptom_does_not_count(text: str) -> None:
    assert RULES.screen(text) is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("no injury, but fever and a hot hip", "rf03-septic-joint"),
        ("my hip is not only swollen but hot and I have a fever", "rf03-septic-joint"),
        ("not sure why, but I have a fever and my hip hurts", "rf03-septic-joint"),
        ("no fever, but I fell and can't walk because of my hip", "rf01-fracture"),
        ("I have no feeling between my legs", "rf05-cauda-equina"),
    ],
)
def test_a_denial_ends_where_its_clause_ends(text: str, rule: str) -> None:
    safety = RULES.screen(text)
    assert safety is not None
    assert safety.rule == rule


@pytest.mark.parametrize(
    "text",
    [
        "I fell on my hip and cant walk",
        "I fell on my hip and can’t walk",
        "I FELL ON MY HIP AND CANNOT WALK",
        "I fell on my hip.\nCan not walk",
    ],
)
def test_spelling_and_case_do_not_hide_a_red_flag(text: str) -> None:
    safety = RULES.screen(text)
    assert safety is not None
    assert safety.rule == "rf01-fracture"


@pytest.mark.parametrize(
    ("misspelt", "rule"),
    [
        ("hip pain and a high temprature", "rf03-septic-joint"),
        ("numbnes between my legs", "rf05-cauda-equina"),
        ("my calf is swolen and painfull", "rf14-blood-clot"),
        ("after an injecton in my buttok my foot is numb", "rf11-after-injection"),
    ],
)
def test_common_misspellings_are_mended(misspelt: str, rule: str) -> None:
    safety = RULES.screen(misspelt)
    assert safety is not None
    assert safety.rule == rule


def test_what_is_long_past_or_over_does_not_count() -> None:
    assert RULES.screen("I broke my hip in 2015 after a fall and couldn't walk for weeks") is None
    assert RULES.screen("I fell in 2015 and couldn't walk, and today I fell on my hip and can't stand") is not None


def test_a_general_question_is_answered_and_a_personal_one_is_screened() -> None:
    assert RULES.screen("What are the symptoms of cauda equina syndrome, such as numbness between the legs?") is None
    assert RULES.screen("What is wrong with me, I am numb between the legs") is not None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("pressure behind my breastbone during band walks that goes into my jaw", "rf16-heart-and-breathing"),
        ("dad's speech is slurred since lunch", "rf17-stroke"),
        ("my lips are swelling up after the jab", "rf18-allergy"),
        ("took 30 paracetamol last night because of the hip", "rf19-overdose"),
        ("with this pain I don't want to wake up any more", "rf20-self-harm"),
        ("the bone is poking through the skin of his thigh", "rf21-open-injury"),
        ("my foot has gone white and it's agony", "rf22-limb-circulation"),
        ("back pain, fever and shivering since sunday", "rf23-spine-infection"),
        ("suicide sprints tomorrow, which hip warm-up?", None),
        ("chest supported rows and clamshells on one day?", None),
        ("I nearly had a heart attack when I saw my squat", None),
        ("did an exercise overdose, 200 clams, a bit sore", None),
    ],
)
def test_dangers_that_are_none_of_the_hip_are_seen_in_plain_words(text: str, rule: str | None) -> None:
    safety = RULES.screen(text)
    assert (safety.rule if safety else None) == rule


def test_the_most_urgent_rule_leads() -> None:
    safety = RULES.screen("my hip pain is no better after 8 weeks, and now I have a fever and the hip is hot")
    assert safety is not None
    assert safety.urgency == "emergency"


def test_messages_send_people_to_care_in_plain_words_without_a_diagnosis() -> None:
    for rule in DATA["rules"]:
        message = " ".join(rule["message"].split())
        assert 1 <= len(re.findall(r"[.!?](?:\s|$)", message)) <= 3, rule["id"]
        assert not re.search(r"\byou have (?:a|an) (?!fever)", message), rule["id"]
        assert re.search(r"doctor|emergency|ambulance|physiotherapist", message), rule["id"]


def test_every_rule_names_sources_of_the_corpus_or_references() -> None:
    for rule in DATA["rules"]:
        assert rule["sources"] or rule.get("references"), rule["id"]
        for source in rule["sources"]:
            assert (ROOT / "corpus" / f"{source}.md").is_file(), f"{rule['id']}: {source}"


def test_rules_kept_with_the_index_answer_as_the_file_does() -> None:
    kept = SafetyRules.from_record(json.loads(json.dumps(RULES.to_record())))
    for row in MESSAGES[::7]:
        assert kept.screen(row["text"]) == RULES.screen(row["text"])


@pytest.mark.parametrize("text", ["no " * 1500, "my hip hurts and my leg is numb not " * 120, "can't " * 700, "", "?"])
def test_no_text_makes_the_screen_slow(text: str) -> None:
    RULES.screen(text)
    started = time.perf_counter()
    RULES.screen(text)
    assert time.perf_counter() - started < 2


def test_a_broken_file_reports_all_its_problems_at_once(tmp_path: Path) -> None:
    data = json.loads(json.dumps(DATA))
    first, second = data["rules"][0], data["rules"][1]
    first["all"][0]["any"] = ["<nonsense>"]
    first["none"] = ["(unclosed"]
    second["id"] = first["id"]
    broken = tmp_path / "safety.yaml"
    broken.write_text(yaml.safe_dump(data), encoding="utf-8")
    with pytest.raises(CorpusError) as raised:
        SafetyRules.load(broken)
    assert {finding.rule for finding in raised.value.findings} == {"unknown-term", "bad-pattern", "duplicate-id"}


def test_an_unknown_key_a_missing_file_and_bad_yaml_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "safety.yaml"
    with pytest.raises(CorpusError, match="unreadable"):
        SafetyRules.load(path)
    path.write_text("rules: [", encoding="utf-8")
    with pytest.raises(CorpusError, match="yaml"):
        SafetyRules.load(path)
    path.write_text(yaml.safe_dump(DATA | {"colour": "red"}), encoding="utf-8")
    with pytest.raises(CorpusError, match="colour"):
        SafetyRules.load(path)


def test_toes_that_point_down_worry_in_walking_and_not_in_an_exercise() -> None:
    assert RULES.screen("my toes keep pointing down when I do side leg raises, how do I fix that") is None
    walking = RULES.screen("since yesterday my foot points down when I walk and my leg feels weak")
    assert walking is not None and walking.rule == "rf06-nerve-weakness"
