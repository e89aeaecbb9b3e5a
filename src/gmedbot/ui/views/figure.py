"""The anatomy figure as SVG: every part a link that the keyboard reaches, those an answer names highlighted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from urllib.parse import urlencode

from gmedbot.types import Answer, Claim, Source
from gmedbot.ui.anatomy import PARTS, VIEWS, Part, Point, Shape, parts_in
from gmedbot.ui.text import t
from gmedbot.ui.views.cite import badge
from gmedbot.ui.views.html import Markup, el, join

__all__ = ["anatomy_page", "answer_figure", "figure", "is_structure"]

#: Headings of the corpus under which a statement is about structure; elsewhere a figure would only take room.
_STRUCTURE = (
    "origin", "insertion", "tendon", "bursa", "nerve", "blood", "fibre", "relation", "surface", "shape", "variation", "anatomy"
)  # fmt: skip

_FRAME = {"lateral": "30 30 390 520", "posterior": "30 30 390 520"}

_BACKDROP = {
    "lateral": "M192 352C196 400 200 440 214 472C224 492 246 492 258 474C262 452 300 440 336 428C356 420 362 402 352 388"
    "C346 376 340 352 336 326ZM268 408C290 392 318 392 322 404C322 420 290 432 272 436C260 432 258 418 268 408Z",
    "posterior": "M60 108C92 104 122 118 130 142C120 174 122 214 140 228C132 260 116 292 92 312C80 320 68 312 62 300C52 262 48 160 60 108Z"
    "M206 296C214 330 216 372 222 412C230 446 258 452 272 434C280 410 268 380 272 322Z",
}


def figure(view: str, chosen: Collection[str] = (), *, is_small: bool = False) -> Markup:
    """One view. ``chosen`` parts are highlighted; a small figure numbers only those and has no links of its own."""
    shapes = [(n, part, part.shapes[view]) for n, part in enumerate(PARTS, 1) if view in part.shapes]
    drawn = [_part(n, part, shape, chosen, is_small) for n, part, shape in shapes]
    badges = [_badge(n, part, shape, chosen) for n, part, shape in shapes if not is_small or part.part_id in chosen]
    title = t(f"anatomy.{view}")
    names = ", ".join(part.name for _, part, _ in shapes if part.part_id in chosen)
    return el(
        "svg",
        el("title", f"{title}: {names}" if names else title),
        el("path", d=_BACKDROP[view], class_="gm-bone", fill_rule="evenodd"),
        *drawn,
        el("g", *badges, class_="gm-nums", aria_hidden="true"),
        viewBox=_FRAME[view],
        role="img" if is_small else "group",
        class_="gm-svg" + (" is-small" if is_small else "") + (" has-on" if chosen else ""),
        aria_label=f"{title}: {names}" if names else title,
    )


def _part(n: int, part: Part, shape: Shape, chosen: Collection[str], is_small: bool) -> Markup:
    is_on = part.part_id in chosen
    class_ = f"gm-part is-{part.kind}" + (" is-deep" if shape.is_deep else "") + (" is-on" if is_on else "")
    hit = el("path", d=shape.path, class_="gm-hit") if shape.is_deep else None
    inner = join(x for x in (hit, el("path", d=shape.path, class_="gm-shape"), _fibres(shape)) if x)
    if is_small:
        return el("g", inner, class_=class_)
    return el(
        "a",
        inner,
        href=_link(part),
        class_=class_,
        aria_label=f"{n}. {part.name}",
        aria_current="true" if is_on else None,
    )


def _link(part: Part) -> str:
    return f"/anatomy?part={part.part_id}#gm-chosen"


def _badge(n: int, part: Part, shape: Shape, chosen: Collection[str]) -> Markup:
    x, y = shape.badge
    class_ = "gm-tag is-on" if part.part_id in chosen else "gm-tag"
    return el("g", el("circle", cx=x, cy=y, r=11), el("text", str(n), x=x, y=y + 4.5), class_=class_)


def _fibres(shape: Shape) -> Markup:
    if shape.fibres is None:
        return Markup("")
    return el("path", d=_fibre_path(*shape.fibres), class_="gm-fibres")


@cache
def _fibre_path(origin: tuple[Point, ...], insertion: tuple[Point, ...], lines: int = 11) -> str:
    """Fibres from one curve to the other, a little bent towards the shape's middle."""
    out = []
    for at in range(lines):
        share = (at + 0.5) / lines
        (x0, y0), (x1, y1) = _along(origin, share), _along(insertion, share)
        mx, my = (x0 + x1) / 2 + (0.5 - share) * 10, (y0 + y1) / 2
        out.append(f"M{x0:.0f} {y0:.0f}Q{mx:.0f} {my:.0f} {x1:.0f} {y1:.0f}")
    return "".join(out)


def _along(points: Sequence[Point], share: float) -> Point:
    """The point at a share of the way along a line of points."""
    place = share * (len(points) - 1)
    n = min(int(place), len(points) - 2)
    part = place - n
    (ax, ay), (bx, by) = points[n], points[n + 1]
    return ax + (bx - ax) * part, ay + (by - ay) * part


def is_structure(heading: Sequence[str]) -> bool:
    """Whether statements under a heading tell how the hip is built."""
    last = heading[-1].lower() if heading else ""
    return any(word in last for word in _STRUCTURE)


def answer_figure(answer: Answer) -> Markup:
    """The small figure with the parts that an answer about structure names; empty for any other answer."""
    about = sum(is_structure(c.heading) for c in answer.citations)
    if not about or 2 * about < len(answer.citations):
        return Markup("")
    found = parts_in(" ".join(s.text for s in answer.statements))
    if not found:
        return Markup("")
    view = max(VIEWS, key=lambda v: sum(v in part.shapes for part in found))
    shown = [part for part in found if view in part.shapes]
    if not shown:
        return Markup("")
    links = join((el("a", part.name, href=_link(part)) for part in shown), ", ")
    caption = el("figcaption", el("b", t("figure.title")), " · ", t(f"anatomy.{view}"), el("br"), links)
    return el("figure", figure(view, {part.part_id for part in shown}, is_small=True), caption, class_="gm-mini")


def anatomy_page(chosen: Part | None, voices: Sequence[tuple[Source, Claim]]) -> Markup:
    """Both views, the list of parts, and what the sources say about the chosen one."""
    on = {chosen.part_id} if chosen else set()
    views = (el("figure", figure(view, on), el("figcaption", t(f"anatomy.{view}")), class_="gm-view") for view in VIEWS)
    items = (
        el("li", el("a", el("span", str(n), class_="gm-num"), part.name, href=_link(part),
                    aria_current="true" if part.part_id in on else None, class_=f"is-{part.kind}"))
        for n, part in enumerate(PARTS, 1)
    )  # fmt: skip
    return join(
        (
            el("h1", t("anatomy.title")),
            el("p", t("anatomy.intro"), class_="gm-muted"),
            el(
                "div",
                el("div", *views, class_="gm-viewpair"),
                el("div", _chosen(chosen, voices), el("nav", el("h2", t("anatomy.list")), el("ol", *items, class_="gm-parts"),
                   aria_label=t("anatomy.list")), class_="gm-anatside"),
                class_="gm-anat",
            ),
        )
    )  # fmt: skip


def _chosen(part: Part | None, voices: Sequence[tuple[Source, Claim]]) -> Markup:
    if part is None:
        return el("section", el("p", t("anatomy.none"), class_="gm-muted"), id="gm-chosen", class_="gm-chosenbox")
    rows = (
        el(
            "li",
            el("p", claim.text),
            el("p", el("a", source.label, href=f"/explore?source={source.source_id}#{claim.claim_id}"), " ",
               badge(source.evidence, source.kind)),
        )
        for source, claim in voices
    )  # fmt: skip
    return el(
        "section",
        el("h2", part.name),
        el("p", el("a", t("anatomy.ask"), href="/?" + urlencode({"q": part.ask}), class_="gm-btn")),
        el("h3", t("anatomy.sources")) if voices else None,
        el("ul", *rows, class_="gm-voicelist"),
        id="gm-chosen",
        class_="gm-chosenbox",
        tabindex="-1",
    )
