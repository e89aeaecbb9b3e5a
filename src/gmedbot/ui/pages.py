"""Our own pages beside the chat: explore and anatomy. They are plain HTML: quick, linkable, printable."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from gmedbot.types import Claim, Source
from gmedbot.ui.anatomy import PARTS, Part
from gmedbot.ui.ledger import Ledger, rank_key
from gmedbot.ui.loaded import LoadedBot
from gmedbot.ui.text import t
from gmedbot.ui.views import explore
from gmedbot.ui.views.cards import title_of
from gmedbot.ui.views.exercises import exercise_detail, exercise_list
from gmedbot.ui.views.figure import anatomy_page, is_structure
from gmedbot.ui.views.html import Markup
from gmedbot.ui.views.page import not_found_page, page

__all__ = ["own_pages"]

#: Statements shown about a part of the figure; the chat has the rest.
ABOUT_PART = 6
#: A part named within so many characters is what the sentence is about, not something in passing.
EARLY = 40
#: No name or title is longer; the rest of a longer search is not read.
LONGEST_FIND = 200


def own_pages(loaded: LoadedBot) -> APIRouter:
    """The routes of the pages that are plain HTML."""
    router = APIRouter(include_in_schema=False)

    @router.get("/explore")
    def explore_page(
        view: str = "exercises",
        exercise: str = "",
        source: str = "",
        finding: str = "",
        attribute: str = "",
        status: str = "agreed",
        shown: int = explore.PAGE,
        equipment: str = "",
        position: str = "",
        bearing: str = "",
        kind: str = "",
        find: str = "",
    ) -> HTMLResponse:
        if exercise or source or finding:
            detail = _detail(loaded, exercise, source, finding)
            if detail is None:
                return HTMLResponse(not_found_page(), status_code=404)
            return HTMLResponse(page(detail[0], "explore", detail[1]))
        find = find[:LONGEST_FIND]
        chosen = {"equipment": equipment, "position": position, "bearing": bearing, "find": find}
        if view == "sources":
            chosen = {"kind": kind, "find": find}
        content = _overview(loaded, view, attribute, status, max(1, min(shown, 5000)), chosen)
        return HTMLResponse(page(_title(view, attribute), "explore", content))

    @router.get("/anatomy")
    def anatomy(part: str = "") -> HTMLResponse:
        chosen = next((p for p in PARTS if p.part_id == part), None)
        if part and chosen is None:
            return HTMLResponse(not_found_page(), status_code=404)
        voices = _about(loaded.ledger(), chosen) if chosen else ()
        title = chosen.name if chosen else t("anatomy.title")
        return HTMLResponse(page(title, "anatomy", anatomy_page(chosen, voices)))

    return router


def _about(ledger: Ledger, part: Part) -> tuple[tuple[Source, Claim], ...]:
    """What the sources say about a part: sentences about it first, one a finding, those with most voices first."""
    found: dict[str, tuple[tuple[object, ...], Source, Claim]] = {}
    for claim in ledger.claims.values():
        source = ledger.sources.get(claim.source_id)
        named = part.pattern.search(claim.text)
        if source is None or named is None or not is_structure(claim.heading):
            continue
        finding = ledger.finding_of.get(claim.claim_id)
        key = finding.finding_id if finding else claim.claim_id
        voices = len(finding.origins) if finding else 1
        order = (named.start() > EARLY, -voices, *rank_key(source), claim.start)
        if key not in found or order < found[key][0]:
            found[key] = (order, source, claim)
    best = sorted(found.values(), key=lambda item: item[0])[:ABOUT_PART]
    return tuple((source, claim) for _, source, claim in best)


def _title(view: str, attribute: str) -> str:
    """What the browser's tab and history call an overview: links are kept and shared by it."""
    name = t(f"explore.{view}") if view in explore.VIEWS else t("explore.exercises")
    return f"{title_of(attribute)[:60]}: {name}" if view == "compare" and attribute else name


def _detail(loaded: LoadedBot, exercise: str, source: str, finding: str) -> tuple[str, Markup] | None:
    """Title and content of the page of one exercise, source or finding; None if there is no such thing."""
    ledger = loaded.ledger()
    if exercise:
        wanted = exercise.casefold()
        for card in ledger.bot.exercises():
            if wanted in {card.name.casefold(), *(name.casefold() for name in card.synonyms)}:
                return card.name[:1].upper() + card.name[1:], exercise_detail(card, ledger.sources, ledger.claims)
        return None
    if source:
        found = ledger.sources.get(source)
        return (found.label, explore.source_detail(ledger, found)) if found else None
    known = ledger.findings.get(finding)
    return (ledger.wording(known).rstrip("."), explore.finding_detail(ledger, known)) if known else None


def _overview(loaded: LoadedBot, view: str, attribute: str, status: str, shown: int, chosen: dict[str, str]) -> Markup:
    ledger = loaded.ledger()
    if view == "compare":
        content = explore.compare_view(ledger, ledger.bot.attributes(), attribute)
    elif view == "findings":
        content = explore.finding_list(ledger, status, shown)
    elif view == "sources":
        content = explore.source_table(ledger, chosen)
    else:
        view = "exercises"
        content = exercise_list(ledger.bot.exercises(), ledger.sources, chosen)
    return explore.frame(view, ledger, content)
