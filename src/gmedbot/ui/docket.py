"""What maintainers judge: the pairs of sentences that the program says conflict, and what has been said of each.

The pairs come from the loaded index, the judgements from ``reviews.yaml``; a judgement is in effect once an index was
built with it. Nothing here knows of HTML or of requests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gmedbot.claims.reviews import Review, Reviews, load_reviews, save_review, text_hash, withdraw_review
from gmedbot.errors import CorpusError, UsageError
from gmedbot.types import Claim, Relation
from gmedbot.ui.ledger import Ledger
from gmedbot.ui.text import t

__all__ = [
    "LABELS",
    "MAX_NOTE",
    "STATES",
    "WITHDRAW",
    "Docket",
    "Judgement",
    "Lost",
    "MeanwhileError",
    "Pair",
    "judge",
    "pair_of",
    "read_docket",
    "withdraw",
]

#: open: nobody has judged it; waiting: for the next build; done: the index was built with it; aside: a text changed.
State = Literal["open", "waiting", "done", "aside"]
STATES: tuple[State, ...] = ("open", "waiting", "done", "aside")
LABELS = ("conflict", "agree", "different")
#: What is said in place of a label to take one back.
WITHDRAW = "withdraw"
#: A note is a sentence or two that readers see; this is a page of it.
MAX_NOTE = 2000


class MeanwhileError(UsageError):
    """The pair, or what was said of it, is not as the maintainer saw it."""


@dataclass(frozen=True)
class Pair:
    """Two claims that are said to conflict. ``relation`` is what the loaded index holds of them: None if it was built
    with the judgement that they speak of different things."""

    first: Claim
    second: Claim
    attribute: str
    relation: Relation | None
    review: Review | None
    state: State

    @property
    def key(self) -> str:
        """A short name for the pair that an address or an element can carry."""
        return "pair-" + _hash(self.first.claim_id, self.second.claim_id)

    @property
    def seen(self) -> str:
        """A mark of all that a judgement is about; another mark when it is sent back means another state of things."""
        return _hash(self.first.text, self.second.text, repr(self.review))

    @property
    def confidence(self) -> float:
        """How sure the program is, 0 to 1; a pair that only a maintainer speaks of counts as sure."""
        return self.relation.confidence if self.relation is not None else 1.0


@dataclass(frozen=True)
class Lost:
    """Judgements that are set aside because one of their sentences is not in the index any more."""

    claim_id: str
    reviews: tuple[Review, ...]


@dataclass(frozen=True)
class Docket:
    """All pairs, least sure first, and the judgements that no pair is left for. ``problem``: why there are none."""

    pairs: tuple[Pair, ...] = ()
    lost: tuple[Lost, ...] = ()
    stale: int = 0  #: judgements that are set aside, of changed and of lost sentences together
    problem: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    def showing(self, show: str, saved: str = "") -> tuple[Pair, ...]:
        """The pairs under one of the headings (all, open, judged, aside), and the one that was saved just now."""
        wanted = {"open": ("open",), "judged": ("waiting", "done"), "aside": ("aside",)}.get(show, STATES)
        return tuple(pair for pair in self.pairs if pair.state in wanted or (saved and pair.key == saved))


@dataclass(frozen=True)
class Judgement:
    """What a maintainer says of a pair. ``seen`` is the mark of what they saw when they said it."""

    a: str
    b: str
    label: str
    note: str
    seen: str


def read_docket(ledger: Ledger, path: Path) -> Docket:
    """Every pair of the index that conflicts, and every judged pair, with its judgement in the file at ``path``."""
    try:
        reviews = load_reviews(path)
    except CorpusError as error:
        return Docket(problem=str(error))
    stale = reviews.stale(ledger.claims)
    ids = {ids for ids, relation in ledger.relations.items() if relation.label == "conflict"}
    ids |= {(review.a, review.b) for review in reviews if review.rank}  # else nobody could take one back
    aside = {(review.a, review.b) for review in stale}
    pairs = [_pair(ledger, reviews, a, b, (a, b) in aside) for a, b in ids if a in ledger.claims and b in ledger.claims]
    pairs.sort(key=lambda pair: (pair.confidence, pair.first.claim_id, pair.second.claim_id))
    counts = {"all": len(pairs), "open": sum(pair.state == "open" for pair in pairs), "aside": len(stale)}
    counts["judged"] = sum(pair.state in ("waiting", "done") for pair in pairs)
    return Docket(tuple(pairs), _lost(ledger, stale), len(stale), counts=counts)


def pair_of(ledger: Ledger, path: Path, a: str, b: str) -> Pair | None:
    """One pair as it stands now; None if a sentence of it is not in the index. Raises: CorpusError."""
    if a not in ledger.claims or b not in ledger.claims:
        return None
    reviews = load_reviews(path)
    return _pair(ledger, reviews, a, b, any((s.a, s.b) == (a, b) for s in reviews.stale(ledger.claims)))


def _pair(ledger: Ledger, reviews: Reviews, a: str, b: str, is_aside: bool) -> Pair:
    first, second = ledger.claims[a], ledger.claims[b]
    relation, review = ledger.relations.get((a, b)), reviews.find(a, b)
    state: State = "open"
    if review is not None:
        state = (
            "aside" if is_aside else "done" if _is_in_effect(relation, review, reviews, first, second) else "waiting"
        )
    return Pair(first, second, _attribute(ledger, first, second), relation, review, state)


def _is_in_effect(relation: Relation | None, review: Review, reviews: Reviews, first: Claim, second: Claim) -> bool:
    """Whether the index was built with the judgement: it holds what the judgement would make of it."""
    if relation is None:
        return review.label == "different"  # such pairs are not kept in an index
    return reviews.apply(relation, first, second) == relation


def _attribute(ledger: Ledger, first: Claim, second: Claim) -> str:
    """What the two speak of: the first attribute that they share, else that of the first one's finding."""
    shared = [name for name in first.frame.attributes if name in second.frame.attributes]
    finding = ledger.finding_of.get(first.claim_id)
    return shared[0] if shared else finding.attribute if finding else first.frame.attribute


def _lost(ledger: Ledger, stale: Sequence[Review]) -> tuple[Lost, ...]:
    by_claim: dict[str, list[Review]] = {}
    for review in stale:
        gone = next((name for name in (review.a, review.b) if name not in ledger.claims), None)
        if gone is not None:
            by_claim.setdefault(gone, []).append(review)
    return tuple(Lost(name, tuple(found)) for name, found in sorted(by_claim.items()))


def judge(ledger: Ledger, path: Path, said: Judgement) -> None:
    """Save one judgement to ``path``.

    Raises: UsageError for what is no judgement; MeanwhileError if the pair was judged otherwise, or its sentences
        changed, since the maintainer saw it; CorpusError or StorageError if the file cannot be read or written.
    """
    if said.label not in LABELS:
        raise UsageError(t("judge.no_label"))
    note = " ".join(said.note.split())
    if len(note) > MAX_NOTE:
        raise UsageError(t("judge.long", found=f"{len(note):,}", most=f"{MAX_NOTE:,}"))
    a, b = sorted((said.a, said.b))
    if a == b or a not in ledger.claims or b not in ledger.claims:
        raise UsageError(t("judge.gone"))
    first, second = ledger.claims[a], ledger.claims[b]
    relation = ledger.relations.get((a, b))

    def with_type(old: Review | None) -> Review:
        known = (relation.type if relation is not None else None) or (old.type if old is not None else None)
        kind = known if said.label == "conflict" else None
        return Review(a, b, text_hash(first.text), text_hash(second.text), said.label, note, kind)

    def check(reviews: Reviews) -> None:
        there = _pair(ledger, reviews, a, b, False)
        if there.seen != said.seen and there.review != with_type(there.review):  # the same again is no harm
            raise MeanwhileError(t("judge.changed"))

    save_review(path, with_type(load_reviews(path).find(a, b)), check)


def withdraw(ledger: Ledger, path: Path, said: Judgement) -> None:
    """Take back the judgement of one pair in the file at ``path``: its own row, never one of a dispute or group.

    Raises: UsageError if only a dispute or group speaks of the pair; MeanwhileError and the others as ``judge``. A
        judgement that is gone already is no error.
    """
    a, b = sorted((said.a, said.b))
    if a not in ledger.claims or b not in ledger.claims:
        raise UsageError(t("judge.gone"))

    def check(reviews: Reviews) -> None:
        there = _pair(ledger, reviews, a, b, False)
        if there.review is not None and there.review.rank and there.seen != said.seen:
            raise MeanwhileError(t("judge.changed_withdraw"))
        if there.review is not None and not there.review.rank and there.seen == said.seen:
            raise UsageError(t("judge.by_hand", file=path.name))

    withdraw_review(path, a, b, check)


def _hash(*texts: str) -> str:
    return hashlib.sha256("\x00".join(texts).encode()).hexdigest()[:12]
