"""One finding with every source that says it, and beside them those that say otherwise."""

from __future__ import annotations

from collections.abc import Iterable

from gmedbot.types import Claim, Finding, Source
from gmedbot.ui.ledger import Ledger
from gmedbot.ui.text import count, t
from gmedbot.ui.views.cards import title_of
from gmedbot.ui.views.cite import badge
from gmedbot.ui.views.html import Markup, el, icon

__all__ = ["dispute_panel", "source_link", "standing", "status_line", "subject_words", "voice_list"]


def source_link(source: Source, claim: Claim | None = None) -> Markup:
    """A source's short name, leading to all that it says."""
    anchor = f"#{claim.claim_id}" if claim else ""
    return el("a", source.label, href=f"/explore?source={source.source_id}{anchor}", title=source.title)


def subject_words(subject: str) -> str:
    """What a finding is about, in words: "gluteus-medius, gluteus-minimus" → "gluteus medius, gluteus minimus"."""
    return subject.replace("-", " ")


def status_line(finding: Finding, ledger: Ledger) -> Markup:
    """The finding's status in words, with its sign; how many stand on each side, unless it is one against one."""
    if finding.status == "disputed":
        n, m = len(finding.origins), len(_origins_against(ledger, finding))
        words = t("compare.group.split", n=n, m=m) if m and n + m > 2 else t("compare.group.disputed")
        return el("span", icon("differ"), words, class_="gm-status is-disputed")
    if finding.status == "agreed":
        words = t("compare.group.agreed", n=len(finding.origins))
        return el("span", icon("agree"), words, class_="gm-status is-agreed")
    return el("span", t("compare.group.single"), class_="gm-status")


def voice_list(voices: Iterable[tuple[Source, Claim]]) -> Markup:
    """Every sentence with those who say it; what several sources say in the same words stands there once."""
    said: dict[str, list[tuple[Source, Claim]]] = {}
    for source, claim in voices:
        said.setdefault(claim.text, []).append((source, claim))
    rows = (
        el("li", el("p", text), *(el("p", source_link(s, c), " ", badge(s.evidence, s.kind)) for s, c in who))
        for text, who in said.items()
    )
    return el("ul", *rows, class_="gm-voicelist")


def standing(ledger: Ledger, finding: Finding, level: str = "h2", *, is_other_first: bool = False) -> Markup:
    """Both sides, one beside the other where there is room: nobody scrolls past eleven voices to find the twelfth.

    ``is_other_first``: for a narrow place whose reader has just read the finding and wants to know who disputes it.
    """
    own = ledger.voices(finding)
    words = _heading("for", len(own), len(finding.origins))
    sides = [el("section", el(level, words), voice_list(own), class_="gm-for")]
    others = _against(ledger, finding)
    if others:
        number = len({source.source_id for source, _ in others})
        words = _heading("against", number, len(_origins_against(ledger, finding)))
        heading = el(level, icon("differ"), words)
        other = el("section", heading, voice_list(others), class_="gm-against")
        sides.insert(0 if is_other_first else 1, other)
    return el("div", *sides, class_="gm-standing")


def _against(ledger: Ledger, finding: Finding) -> list[tuple[Source, Claim]]:
    """Every sentence that disputes the finding, in the order of the findings in which they stand."""
    found: dict[str, tuple[Source, Claim]] = {}
    for dissent in finding.dissents:
        if dissent in ledger.findings:
            for source, claim in ledger.voices(ledger.findings[dissent]):
                found.setdefault(claim.claim_id, (source, claim))
    return list(found.values())


def _origins_against(ledger: Ledger, finding: Finding) -> set[str]:
    other = {o for d in finding.dissents if d in ledger.findings for o in ledger.findings[d].origins}
    return other - set(finding.origins)


def _heading(side: str, sources: int, origins: int) -> str:
    words = t(f"findings.{side}.one") if sources == 1 else t(f"findings.{side}", sources=count(sources, "source"))
    return t("findings.independent", heading=words, n=origins) if 0 < origins < sources else words


def dispute_panel(ledger: Ledger, finding: Finding) -> Markup:
    """The same for the panel beside the chat."""
    trail = " · ".join(x for x in (title_of(finding.attribute), subject_words(finding.subject)) if x)
    link = el("a", icon("out"), t("status.show"), href=f"/explore?finding={finding.finding_id}", class_="gm-small")
    sides = standing(ledger, finding, "h3", is_other_first=True)
    return el("article", el("p", trail, class_="gm-trail"), sides, el("p", link), class_="gm-source")
