"""Which side of a disagreement is better supported: a rule that is written down, and shown with every verdict.

In this order; the first step that separates the sides decides, and the reason names it:

1. directness: a side whose sources only pass the statement on in garbled or doubtful form yields to one that states it;
2. evidence: the strongest kind of evidence on each side (synthesis > trial > study > expert > lay), one step apart or
   more;
3. independent origins: at least two more on one side (copies of one text are one origin);
4. sample size: at least three times as many people or specimens behind one side;
5. recency: the newest source of one side is at least 20 years younger.

Otherwise the verdict is "undecided". Copies of a weak source add neither evidence nor origins, so they can never turn
a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gmedbot.claims.ledger import origin_of
from gmedbot.types import EVIDENCE_RANK, Claim, Source

__all__ = ["Support", "better_supported", "support_of"]

_ORIGINS_AHEAD = 2
_SAMPLE_FACTOR = 3
_YEARS_AHEAD = 20


@dataclass(frozen=True)
class Support:
    """What stands behind one side."""

    evidence: str
    rank: int
    origins: int
    sample: int
    newest: int
    is_direct: bool


def support_of(claims: Sequence[Claim], sources: Mapping[str, Source]) -> Support:
    """Weigh the claims of one side; each origin counts once, by its strongest source."""
    by_origin: dict[str, Source] = {}
    for claim in claims:
        source = sources[claim.source_id]
        origin = origin_of(source, sources)
        best = by_origin.get(origin)
        if best is None or EVIDENCE_RANK[source.evidence] > EVIDENCE_RANK[best.evidence]:
            by_origin[origin] = source
    strongest = max(by_origin.values(), key=lambda source: (EVIDENCE_RANK[source.evidence], source.source_id))
    return Support(
        evidence=strongest.evidence,
        rank=EVIDENCE_RANK[strongest.evidence],
        origins=len(by_origin),
        sample=sum(source.n or 0 for source in by_origin.values()),
        newest=max((source.year or 0) for source in by_origin.values()),
        is_direct=any(not claim.frame.is_reported for claim in claims),
    )


def better_supported(sides: Sequence[Support]) -> tuple[int | None, str]:
    """The place of the better supported side and why; (None, why) if no step of the rule separates the best two."""
    if len(sides) < 2:
        return None, "There is only one side."
    direct = [place for place, side in enumerate(sides) if side.is_direct]
    if len(direct) == 1:
        return direct[0], "The other side is a doubtful or garbled statement of its source."
    ranks = sorted({side.rank for side in sides}, reverse=True)
    leaders = [place for place, side in enumerate(sides) if side.rank == ranks[0]]
    if len(leaders) == 1:
        return leaders[0], f"It rests on stronger evidence ({_level(sides[leaders[0]])})."
    top = [sides[place] for place in leaders]
    for name, words in (
        ("origins", "more independent sources ({x} against {y})"),
        ("sample", "larger samples ({x} against {y})"),
        ("newest", "newer sources ({x} against {y})"),
    ):
        values = [int(getattr(side, name)) for side in top]
        ordered = sorted(range(len(top)), key=lambda place: -values[place])
        x, y = values[ordered[0]], values[ordered[1]]
        if _is_ahead(name, x, y):
            return leaders[ordered[0]], f"Equal kind of evidence ({_level(top[0])}); {words.format(x=x, y=y)}."
    return None, f"Undecided: the same kind of evidence ({_level(top[0])}) and no clear lead in number, size or date."


def _is_ahead(measure: str, x: int, y: int) -> bool:
    """Whether ``x`` leads ``y`` by as much as the rule asks; an unknown size or year (0) is never behind."""
    if measure == "origins":
        return x >= y + _ORIGINS_AHEAD
    if measure == "sample":
        return y > 0 and x >= y * _SAMPLE_FACTOR
    return y > 0 and x >= y + _YEARS_AHEAD


_LEVELS = {
    "synthesis": "systematic review",
    "trial": "randomised trial",
    "study": "measured data",
    "expert": "expert text",
    "lay": "unsourced text",
}


def _level(side: Support) -> str:
    return _LEVELS.get(side.evidence, side.evidence)
