"""Claims → findings: what is said once, by how many independent origins, and who disputes it.

Only claims that could say the same are compared: those that share an attribute and a value, an exercise or another
rare term (blocking), and in a large corpus only the nearest of these (see ``wordings``), so that the work grows with
the number of claims and not with its square. Groups are closed under agreement and never hold a conflicting pair: the
surest agreements join first, and a join that would bring a conflict into a group is refused.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmedbot.claims.relate import Judgement
from gmedbot.claims.relator import Pair, RelationModels, Relator
from gmedbot.claims.reviews import Reviews, load_reviews
from gmedbot.claims.vocabulary import Vocabulary
from gmedbot.claims.wordings import wording_pairs
from gmedbot.types import EVIDENCE_RANK, Claim, Finding, Relation, Source

__all__ = ["Ledger", "build_ledger", "origin_of", "relate_claims"]

#: A block of more claims than this is cut to its nearest neighbours, so that one common word costs n·k and not n².
_BLOCK_LIMIT = 60
_NEIGHBOURS = 20
#: Pairs judged between two reports of progress.
_CHUNK = 500
#: Above so many claims, wordings are compared and not every pair of a block: three times the project's own corpus, which
#: takes minutes; at twice this number all pairs take an hour of two cores (benchmarks/build_scale.py).
_LARGE = 6000
#: Pairs that one build reads with the networks, about: a quarter of an hour of two cores. ``_SAMPLE`` of them tell which.
_READINGS, _SAMPLE = 60_000, 4096
#: Two groups join only if this share of their cross pairs agrees: chains of "nearly the same" would drift apart.
_LINKAGE = 0.5


Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Ledger:
    """The relations that matter (agree, conflict) and the findings that follow from them."""

    relations: tuple[Relation, ...]
    findings: tuple[Finding, ...]


def relate_claims(
    pairs: Sequence[tuple[Claim, Claim]],
    cosines: Sequence[float],
    relator: Relator,
    reviews: Reviews | None = None,
    is_thorough: bool = True,
    plain: float | None = None,
) -> list[Relation]:
    """The relations of pairs of claims, each in the order of its ids; a maintainer's review overrules the program.

    Args: is_thorough: False leaves out pairs that plainly speak of different things, unless they were reviewed; from which
        probability on they do, ``plain`` says.
    """
    ordered = [(a, b) if a.claim_id <= b.claim_id else (b, a) for a, b in pairs]
    verdicts = relator.judge(
        [Pair(a.frame, b.frame, a.text, b.text, cosine) for (a, b), cosine in zip(ordered, cosines, strict=True)],
        is_thorough=is_thorough,
        plain=plain,
    )
    found: list[Relation] = []
    for (a, b), verdict in zip(ordered, verdicts, strict=True):
        review = reviews.find(a.claim_id, b.claim_id) if reviews is not None else None
        if verdict is None:
            if review is None:
                continue
            verdict = Judgement("different", None, "they speak of different things", 1.0)
        relation = Relation(
            a.claim_id, b.claim_id, verdict.label, verdict.type, verdict.reason, verdict.confidence, verdict.is_contextual
        )  # fmt: skip
        found.append(reviews.apply(relation, a, b) if reviews is not None else relation)
    return found


def build_ledger(
    claims: Sequence[Claim],
    sources: Mapping[str, Source],
    vocabulary: Vocabulary,
    vectors: NDArray[np.float32],
    reviews_path: Path,
    relator: Relator,
    progress: Told | None = None,
) -> Ledger:
    """Relate all claims that may be related and group them.

    Args: vectors: (n_claims, dim) unit rows, in the order of ``claims``.
        progress: told the step ("nearest", "claims" or "groups"), how much of it is done, and of how much.
    Returns: relations sorted by ids; findings sorted by id. Neither depends on the order of the claims.
    """
    reviews = load_reviews(reviews_path)
    pairs = _sorted_pairs(claims, vocabulary, vectors, relator.models.near, reviews, progress)
    plain = _plain_limit(claims, pairs, vectors, relator)
    relations: list[Relation] = []
    for start in range(0, len(pairs), _CHUNK):
        part = pairs[start : start + _CHUNK].tolist()
        cosines = [_cosine(vectors, i, j) for i, j in part]
        found = relate_claims([(claims[i], claims[j]) for i, j in part], cosines, relator, reviews, False, plain)
        relations += [relation for relation in found if _is_taken(relation, relator.models)]
        if progress is not None:
            progress("claims", min(start + _CHUNK, len(pairs)), len(pairs))
    relations.sort(key=lambda relation: (relation.a, relation.b))
    do_agree = None
    if len(claims) > _LARGE:
        row_of = {claim.claim_id: row for row, claim in enumerate(claims)}

        def do_agree(a: str, b: str) -> bool:
            i, j = row_of[min(a, b)], row_of[max(a, b)]
            found = relate_claims([(claims[i], claims[j])], [_cosine(vectors, i, j)], relator, reviews, False, plain)
            return any(one.label == "agree" and _is_taken(one, relator.models) for one in found)

    return Ledger(tuple(relations), _group(claims, sources, relations, do_agree, progress))


def _plain_limit(
    claims: Sequence[Claim], pairs: NDArray[np.int32], vectors: NDArray[np.float32], relator: Relator
) -> float:
    """From where pairs are plainly different. Where more than ``_READINGS`` would be read, the limit falls, so that the
    network reads those that the frames find likeliest to be related."""
    if len(pairs) <= _READINGS:
        return relator.models.plain
    rows = pairs[np.linspace(0, len(pairs) - 1, _SAMPLE).astype(np.int64)].tolist()
    sample = [
        Pair(a.frame, b.frame, a.text, b.text, _cosine(vectors, i, j))
        for i, j in rows
        for a, b in [sorted((claims[i], claims[j]), key=lambda claim: claim.claim_id)]
    ]
    return relator.plain_limit(sample, _READINGS / len(pairs))


def _cosine(vectors: NDArray[np.float32], i: int, j: int) -> float:
    return float(round(float(vectors[i] @ vectors[j]), 4))


def _sorted_pairs(
    claims: Sequence[Claim],
    vocabulary: Vocabulary,
    vectors: NDArray[np.float32],
    near: float,
    reviews: Reviews,
    progress: Told | None,
) -> NDArray[np.int32]:
    """(n, 2) rows i < j of the pairs to judge, ascending. In an array: a large corpus has millions."""
    if len(claims) <= _LARGE:
        chosen: Iterable[tuple[int, int]] = _candidate_pairs(claims, vocabulary, vectors)
    else:
        told = None if progress is None else (lambda done, count: progress("nearest", done, count))
        chosen = wording_pairs(claims, lambda claim: _block_keys(claim, vocabulary), vectors, near, told)
    n = len(claims)
    codes = np.fromiter((i * n + j for i, j in chain(_reviewed_pairs(claims, reviews), chosen)), np.int64)
    codes = np.unique(codes)
    return np.stack([codes // max(1, n), codes % max(1, n)], axis=1).astype(np.int32)


def _reviewed_pairs(claims: Sequence[Claim], reviews: Reviews) -> Iterator[tuple[int, int]]:
    """Pairs that a maintainer judged are compared whether or not they share a block."""
    row_of = {claim.claim_id: row for row, claim in enumerate(claims)}
    for review in reviews:
        if review.a in row_of and review.b in row_of:
            i, j = row_of[review.a], row_of[review.b]
            yield (i, j) if i < j else (j, i)


def _is_taken(relation: Relation, models: RelationModels) -> bool:
    """Verdicts below their limit are not taken: a false merge or a false card costs more trust than a missed one."""
    if relation.judged_by == "review":
        return relation.label != "different"
    limit = {"agree": models.agree, "conflict": models.conflict}.get(relation.label)
    return limit is not None and relation.confidence >= limit


def _candidate_pairs(
    claims: Sequence[Claim], vocabulary: Vocabulary, vectors: NDArray[np.float32]
) -> Iterator[tuple[int, int]]:
    """Pairs of different sources that share a block; a large block keeps each claim's nearest neighbours only."""
    blocks: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, claim in enumerate(claims):
        for key in _block_keys(claim, vocabulary):
            blocks[key].append(row)
    seen: set[tuple[int, int]] = set()
    for rows in blocks.values():
        for i, j in _pairs_of_block(rows, vectors):
            pair = (i, j) if i < j else (j, i)
            if claims[i].source_id != claims[j].source_id and pair not in seen:
                seen.add(pair)
                yield pair


def _block_keys(claim: Claim, vocabulary: Vocabulary) -> set[tuple[str, str]]:
    """(attribute, term) for the first attributes and every term that is not the subject itself."""
    frame = claim.frame
    keys: set[tuple[str, str]] = set()
    names: set[str] = {term for term in frame.terms if vocabulary.terms[term].kind not in ("muscle", "unit", "other")}
    names |= set(frame.roots)
    for attribute in frame.attributes[:3]:
        for name in names or frame.subjects or {""}:
            keys.add((attribute, name))
            for parent in vocabulary.terms[name].parents if name in vocabulary.terms else ():
                keys.add((attribute, parent))
    return keys


def _pairs_of_block(rows: Sequence[int], vectors: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    if len(rows) <= _BLOCK_LIMIT:
        for place, i in enumerate(rows):
            for j in rows[place + 1 :]:
                yield i, j
        return
    members = np.asarray(rows)
    for start in range(0, len(members), 1024):
        part = members[start : start + 1024]
        scores = vectors[part] @ vectors[members].T
        nearest = np.argpartition(-scores, min(_NEIGHBOURS, len(members) - 1), axis=1)[:, : _NEIGHBOURS + 1]
        for i, columns in zip(part.tolist(), nearest, strict=True):
            for j in sorted(members[columns].tolist()):
                if i != j:
                    yield i, j


def origin_of(source: Source, sources: Mapping[str, Source]) -> str:
    """The source at the root of the lineage: copies and reports of one text are one origin."""
    seen = {source.source_id}
    current = source
    while current.lineage and current.lineage in sources and current.lineage not in seen:
        seen.add(current.lineage)
        current = sources[current.lineage]
    return current.source_id


def _group(
    claims: Sequence[Claim],
    sources: Mapping[str, Source],
    relations: Sequence[Relation],
    do_agree: Callable[[str, str], bool] | None = None,
    progress: Told | None = None,
) -> tuple[Finding, ...]:
    """Union by agreement, surest first; refused where it would join a conflicting pair or rest on a thin chain.

    Args: do_agree: judges the first claims of two groups, where most pairs were not compared (a large corpus): they must
        agree themselves. Without it, half of all pairs across the two groups must.
    """
    conflicts: dict[str, set[str]] = defaultdict(set)
    for relation in relations:
        if relation.label == "conflict":
            conflicts[relation.a].add(relation.b)
            conflicts[relation.b].add(relation.a)
    parent = {claim.claim_id: claim.claim_id for claim in claims}
    members = {claim.claim_id: {claim.claim_id} for claim in claims}

    def find(item: str) -> str:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    agreements = [relation for relation in relations if relation.label == "agree"]
    agreeing = {(relation.a, relation.b) for relation in agreements}
    is_linked = _root_link(agreeing, do_agree) if do_agree is not None else _share_link(agreeing, members)
    for done, relation in enumerate(sorted(agreements, key=lambda r: (-r.confidence, r.a, r.b)), start=1):
        if progress is not None and not done % _CHUNK:
            progress("groups", done, len(agreements))
        left, right = find(relation.a), find(relation.b)
        few, many = sorted((members[left], members[right]), key=len)
        if left == right or any(not conflicts[item].isdisjoint(many) for item in few if item in conflicts):
            continue
        if not is_linked(left, right):
            continue
        root, other = min(left, right), max(left, right)
        parent[other] = root
        members[root] |= members.pop(other)
    return _findings(claims, sources, members, conflicts)


def _share_link(agreeing: Set[tuple[str, str]], members: Mapping[str, set[str]]) -> Callable[[str, str], bool]:
    """Two groups are linked if enough of the pairs across them agree."""

    def is_linked(left: str, right: str) -> bool:
        met = sum((min(x, y), max(x, y)) in agreeing for x in members[left] for y in members[right])
        return met >= _LINKAGE * len(members[left]) * len(members[right])

    return is_linked


def _root_link(agreeing: Set[tuple[str, str]], do_agree: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    """Two groups are linked if the claims that they are named by agree, looked up or judged."""
    judged: dict[tuple[str, str], bool] = {}

    def is_linked(left: str, right: str) -> bool:
        pair = (min(left, right), max(left, right))
        if pair in agreeing:
            return True
        if pair not in judged:
            judged[pair] = do_agree(*pair)
        return judged[pair]

    return is_linked


def _findings(
    claims: Sequence[Claim],
    sources: Mapping[str, Source],
    members: Mapping[str, set[str]],
    conflicts: Mapping[str, set[str]],
) -> tuple[Finding, ...]:
    by_id = {claim.claim_id: claim for claim in claims}
    id_of: dict[str, str] = {}
    for group in members.values():
        id_of.update(dict.fromkeys(group, hashlib.sha256("\0".join(sorted(group)).encode()).hexdigest()[:12]))
    findings: list[Finding] = []
    for group in members.values():
        ordered = sorted((by_id[item] for item in group), key=lambda claim: _wording_rank(claim, sources))
        origins = {origin_of(sources[claim.source_id], sources) for claim in ordered}
        dissents = {id_of[other] for item in group for other in conflicts.get(item, ())}
        attribute = Counter(claim.frame.attribute for claim in ordered).most_common()
        best = max(count for _, count in attribute)
        findings.append(
            Finding(
                finding_id=id_of[ordered[0].claim_id],
                attribute=min(name for name, count in attribute if count == best),
                subject=", ".join(sorted(ordered[0].frame.subjects)),
                supporters=tuple(claim.claim_id for claim in ordered),
                origins=tuple(sorted(origins)),
                dissents=tuple(sorted(dissents)),
            )
        )
    return tuple(sorted(findings, key=lambda finding: finding.finding_id))


def _wording_rank(claim: Claim, sources: Mapping[str, Source]) -> tuple[bool, int, int, int, str]:
    """Best wording first: not reported speech, strongest evidence, most specific, then shortest."""
    evidence = EVIDENCE_RANK.get(sources[claim.source_id].evidence, 0)
    specific = len(claim.frame.terms) + len(claim.frame.quantities)
    return claim.frame.is_reported, -evidence, -specific, len(claim.text), claim.claim_id


def conflicting_findings(findings: Iterable[Finding]) -> tuple[tuple[Finding, Finding], ...]:
    """Each disputed pair once, by id."""
    by_id = {finding.finding_id: finding for finding in findings}
    return tuple(
        (finding, by_id[other])
        for finding in by_id.values()
        for other in finding.dissents
        if finding.finding_id < other and other in by_id
    )
