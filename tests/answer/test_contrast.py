"""What one source says of two things is a comparison; what two sources say of one each is none."""

from __future__ import annotations

import pytest

from gmedbot.answer.contrast import paired_rows
from gmedbot.claims.extract import read_frame
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.types import Claim
from tests.support import make_claim

pytestmark = pytest.mark.core

THINGS = ("clamshell", "side-lying-hip-abduction")


def claim(vocabulary: Vocabulary, source: str, text: str) -> Claim:
    return make_claim(f"{source}-{text[:12]}", text, read_frame(text, (), vocabulary), source)


def test_the_values_of_one_study_make_a_row_and_those_of_two_do_not(vocabulary: Vocabulary) -> None:
    clam = claim(vocabulary, "one", "The clamshell reached 40 %MVIC of the gluteus medius.")
    lift = claim(vocabulary, "one", "Side-lying hip abduction reached 81 %MVIC of the gluteus medius.")
    other = claim(vocabulary, "two", "Side-lying hip abduction reached 52 %MVIC of the gluteus medius.")
    maximus = claim(vocabulary, "one", "Side-lying hip abduction reached 24 %MVIC of the gluteus maximus.")
    assert paired_rows(THINGS, [lift, other, clam], vocabulary) == [(clam, lift)]
    assert paired_rows(THINGS, [clam, other], vocabulary) == []
    assert paired_rows(THINGS, [clam, maximus], vocabulary) == [], "another muscle is another measure"


def test_a_statement_of_both_things_stands_in_no_row(vocabulary: Vocabulary) -> None:
    both = claim(vocabulary, "one", "Side-lying hip abduction worked the gluteus medius more than the clamshell.")
    clam = claim(vocabulary, "one", "The clamshell reached 40 %MVIC of the gluteus medius.")
    assert paired_rows(THINGS, [both, clam], vocabulary) == []
