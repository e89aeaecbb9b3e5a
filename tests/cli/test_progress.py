"""Long work says in a log how far it is and how long it will take; short work says nothing."""

from __future__ import annotations

import pytest

from gmedbot.cli.common import ProgressLines

pytestmark = pytest.mark.core


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def lines_of(seconds: float, stages: tuple[str, ...] = ("encode",), total: int = 1000) -> list[str]:
    """What is written when each stage takes so many seconds."""
    clock, lines = Clock(), list[str]()
    tell = ProgressLines(lines.append, clock)
    for stage in stages:
        for done in range(total + 1):
            tell(stage, done, total)
            clock.now += seconds / total
    return lines


def test_short_work_is_silent() -> None:
    assert lines_of(9.0, ("read", "split", "encode")) == []


def test_long_work_tells_how_much_is_done_and_how_long_the_rest_takes() -> None:
    first = lines_of(3600.0)[0]
    assert first.startswith("encode: 3 of 1,000 in 11 s, ")
    assert first.endswith("60 min left\n")


def test_lines_become_fewer_the_longer_it_takes() -> None:
    assert 10 < len(lines_of(3600.0)) < 40
