"""Does a question rest on something that the sources deny? Then the answer begins with what they say instead."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from gmedbot.claims.extract import read_frame
from gmedbot.claims.reader import LABELS
from gmedbot.claims.relate import Judgement
from gmedbot.claims.relator import Pair, Relator
from gmedbot.claims.support import better_supported, support_of
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.conversation.premise import premise_of
from gmedbot.index.dense import similarities
from gmedbot.index.reader import BuiltIndex
from gmedbot.retrieval.ahead import QueryVectors
from gmedbot.retrieval.understand import Query
from gmedbot.types import Claim, Finding, Frame

__all__ = ["PremiseCheck"]

_NEAREST = 8  #: claims that are held against the premise
_NEAR = 0.5  #: cosine from which a claim may be about it
_PLAINLY_OTHER = 0.35  #: probability from which the frames alone tell that a claim is about something else
_DOUBT = 0.5  #: probability, by the frames alone, from which a claim may contradict it
_READ = 2  #: claims that are read beside it: reading takes as long as encoding, and more of them changed no correction
_CHECKED = 4  #: claims that are read where nothing but the premise is asked about, whatever the frames think
_SURE = 0.9  #: confidence from which a claim counts as agreeing or conflicting with it
_NAMING = frozenset({"muscle", "muscle-part", "nerve", "exercise", "condition", "bone", "surface", "tendon", "bursa", "test", "treatment", "surgery", "drug", "sign"})  # fmt: skip


class PremiseCheck:
    """Holds what a question takes for granted against the claims of one index. Thread-safe."""

    def __init__(self, index: BuiltIndex, vocabulary: Vocabulary) -> None:
        self._index = index
        self._vocabulary = vocabulary

    def read_of(self, query: Query) -> str:
        """The text that ``correction`` will want encoded, "" if it will want none: the question itself where it asks for nothing
        beside its premise."""
        said, frame, is_all = self._premise(query)
        return "" if frame is None else query.text if is_all else said

    def correction(self, query: Query, known: QueryVectors | None = None) -> Finding | None:
        """The finding that sets the premise of a question right; None if there is no premise, or nothing against it.

        ``known``: the vectors of the message's texts.
        """
        said, frame, _ = self._premise(query)
        if frame is None:
            return None
        vector = (QueryVectors(self._index.encoder) if known is None else known).of([self.read_of(query)])[0]
        cosines = similarities(self._index.claim_vectors, vector)
        rows = [row for row in np.argsort(-cosines, kind="stable")[:_NEAREST].tolist() if cosines[row] >= _NEAR]
        near = [(self._index.claims[row], float(cosines[row])) for row in rows]
        sure = self._sure(said, frame, near, _READ, _DOUBT)
        if not sure and query.shape == "yes-no":
            return self._denied(query, self._sure(said, frame, near, _CHECKED, 0.0))
        backing = [claim for verdict, claim in sure if verdict.label == "agree"]
        against = [claim for verdict, claim in sure if verdict.label == "conflict"]
        if backing:
            return self._overruled(backing[0])
        return self._best(against) if against else None

    def _denied(self, query: Query, sure: Sequence[tuple[Judgement, Claim]]) -> Finding | None:
        """What denies a claim that is to be checked, where frames alone saw no clash: the claim as it was cut from the message
        and the message as it was typed must both be read so."""
        labels = {verdict.label for verdict, _ in sure}
        if "conflict" not in labels or "agree" in labels:
            return None
        denying = self._read_as("conflict", query, [claim for verdict, claim in sure if verdict.label == "conflict"])
        if not denying:
            return None
        best = self._best(denying)
        better = self._overruled(self._claims(best)[0])
        if better is None:
            return best
        claims = self._claims(better)[:_CHECKED]
        if self._read_as("conflict", query, claims):
            return better  # both sides deny it
        return None if self._read_as("agree", query, claims) else best

    def _read_as(self, label: str, query: Query, claims: Sequence[Claim]) -> list[Claim]:
        """The claims that the message itself is read to agree or to conflict with."""
        odds = self._index.verdict_reader.read([(query.text, claim.text) for claim in claims])
        return [claim for claim, row in zip(claims, odds, strict=True) if LABELS[int(row.argmax())] == label]

    @lru_cache(maxsize=32)  # noqa: B019 - one check lives as long as its index; a message asks twice
    def _premise(self, query: Query) -> tuple[str, Frame | None, bool]:
        """What a question rests on, its frame, and whether nothing else is asked; nothing where it names nothing of the field."""
        said, rest = premise_of(query.text)
        frame = read_frame(said, (), self._vocabulary) if said else None
        if frame is None or not any(self._vocabulary.terms[term].kind in _NAMING for term in frame.terms):
            return "", None, False
        return said, frame, not rest

    def _sure(
        self, said: str, frame: Frame, near: Sequence[tuple[Claim, float]], most: int, doubt: float
    ) -> list[tuple[Judgement, Claim]]:
        """How the ``most`` claims nearest to the premise surely stand to it; those that plainly speak of something else are left
        out."""
        relator = Relator(self._vocabulary, self._index.pair_reader)
        pairs = [Pair(frame, claim.frame, said, claim.text, cosine) for claim, cosine in near]
        places = relator.closest(pairs, most, _PLAINLY_OTHER, doubt)
        verdicts = relator.judge([pairs[place] for place in places])
        judged = zip(verdicts, (near[place][0] for place in places), strict=True)
        return [(verdict, claim) for verdict, claim in judged if verdict is not None and verdict.confidence >= _SURE]

    def _overruled(self, claim: Claim) -> Finding | None:
        """The side that is better supported than the finding of a claim that says what the question says."""
        own = self._index.finding_of_claim[claim.claim_id]
        rivals = [self._index.finding_of[name] for name in own.dissents if name in self._index.finding_of]
        if not rivals:
            return None
        sides = [own, *rivals]
        place, _ = better_supported([support_of(self._claims(side), self._index.sources) for side in sides])
        return sides[place] if place else None

    def _best(self, claims: Sequence[Claim]) -> Finding:
        """Of the findings of claims, the one that most independent sources support."""
        findings = {
            finding.finding_id: finding for c in claims for finding in (self._index.finding_of_claim[c.claim_id],)
        }
        return max(findings.values(), key=lambda finding: (len(finding.origins), finding.finding_id))

    def _claims(self, finding: Finding) -> list[Claim]:
        return [self._index.claims[self._index.claim_row[name]] for name in finding.supporters]
