"""What a claim can be found by: its terms with their parents, its own words and those of its heading.

A query is weighed against these keys, rarer ones counting more. They are worked out at build time, because reading
every heading again took longer than the answer.
"""

from __future__ import annotations

from gmedbot.claims.vocabulary import Vocabulary, normal_words
from gmedbot.types import Claim

__all__ = ["claim_keys"]


def claim_keys(claim: Claim, vocabulary: Vocabulary) -> frozenset[str]:
    """Words and terms of a claim, its heading included, parents of its terms too."""
    heading = " ".join(claim.heading[-1:])
    terms = set(claim.frame.terms) | {match.term.id for match in vocabulary.find(heading)}
    for term in tuple(terms):
        terms |= vocabulary.ancestors(term)
    words = {word for word, _, _ in normal_words(heading)}
    return frozenset(terms | claim.frame.words | words)
