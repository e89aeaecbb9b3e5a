"""The ledger turned around for the pages: from a quoted place to its claim, its finding, and who else stands where.

Worked out once for each loaded index and kept until the index changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from gmedbot.types import EVIDENCE_RANK, Claim, Finding, Relation, Source
from gmedbot.ui.ports import BotPort

__all__ = ["Ledger", "Others", "against", "rank_key"]


@dataclass(frozen=True)
class Others:
    """The sources beside the one that is shown: those that say the same, and those that say otherwise."""

    also: tuple[tuple[Source, Claim], ...] = ()
    against: tuple[tuple[Source, Claim], ...] = ()


@dataclass
class Ledger:
    """Claims and findings of one index, by what the pages look them up with."""

    bot: BotPort
    index_id: str = ""
    claims: dict[str, Claim] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    by_passage: dict[str, list[Claim]] = field(default_factory=dict)
    by_source: dict[str, list[Claim]] = field(default_factory=dict)
    finding_of: dict[str, Finding] = field(default_factory=dict)

    @classmethod
    def read(cls, bot: BotPort) -> Ledger:
        """Everything that the bot knows, indexed."""
        ledger = cls(bot, bot.index_id)
        by_passage: defaultdict[str, list[Claim]] = defaultdict(list)
        by_source: defaultdict[str, list[Claim]] = defaultdict(list)
        for claim in bot.claims():
            ledger.claims[claim.claim_id] = claim
            by_passage[claim.passage_id].append(claim)
            by_source[claim.source_id].append(claim)
        ledger.by_passage, ledger.by_source = dict(by_passage), dict(by_source)
        ledger.sources = {source.source_id: source for source in bot.sources()}
        for finding in bot.findings():
            ledger.findings[finding.finding_id] = finding
            for claim_id in finding.supporters:
                ledger.finding_of[claim_id] = finding
        return ledger

    @cached_property
    def relations(self) -> dict[tuple[str, str], Relation]:
        """The agreeing and conflicting pairs of claims, by (smaller id, larger id); read when a maintainer first looks."""
        return {(relation.a, relation.b): relation for relation in self.bot.relations()}

    def claim_at(self, passage_id: str, start: int, end: int) -> Claim | None:
        """The claim of a passage that shares most characters with the quoted place."""
        best, most = None, 0
        for claim in self.by_passage.get(passage_id, ()):
            shared = min(end, claim.end) - max(start, claim.start)
            if shared > most:
                best, most = claim, shared
        return best

    def others(self, claim: Claim | None) -> Others:
        """Who else says what the claim says, and who disputes it; one line a source, strongest evidence first."""
        finding = self.finding_of.get(claim.claim_id) if claim else None
        if claim is None or finding is None:
            return Others()
        also = self._voices(finding.supporters, {claim.source_id})
        dissent = [c for f in finding.dissents if f in self.findings for c in self.findings[f].supporters]
        return Others(also, self._voices(dissent, {claim.source_id}))

    def voices(self, finding: Finding) -> tuple[tuple[Source, Claim], ...]:
        """Every source behind a finding with the claim it makes."""
        return self._voices(finding.supporters, set())

    def _voices(self, claim_ids: Iterable[str], seen: set[str]) -> tuple[tuple[Source, Claim], ...]:
        found: dict[str, tuple[Source, Claim]] = {}
        for claim_id in claim_ids:
            claim = self.claims.get(claim_id)
            source = self.sources.get(claim.source_id) if claim else None
            if claim and source and source.source_id not in seen:
                found.setdefault(source.source_id, (source, claim))
        return tuple(sorted(found.values(), key=lambda pair: rank_key(pair[0])))

    def wording(self, finding: Finding) -> str:
        """The finding in the words of its first supporter."""
        claim = self.claims.get(finding.supporters[0]) if finding.supporters else None
        return claim.text if claim else ""


def against(bot: BotPort, finding_id: str) -> int:
    """How many independent origins dispute a finding; 0 if there is no such finding."""
    finding = bot.finding(finding_id)
    if finding is None:
        return 0
    other = {origin for d in finding.dissents if (dissent := bot.finding(d)) for origin in dissent.origins}
    return len(other - set(finding.origins))


def rank_key(source: Source) -> tuple[int, int, str]:
    """Sorts sources by evidence, strongest first, then newest first, then by name."""
    return (-EVIDENCE_RANK.get(source.evidence, 0), -(source.year or 0), source.source_id)
