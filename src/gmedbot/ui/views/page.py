"""The frame of every page: head, header with navigation, and the pages for trouble."""

from __future__ import annotations

import json
from hashlib import sha256
from importlib import resources

from gmedbot.errors import GmedbotError
from gmedbot.ui.text import browser_strings, t
from gmedbot.ui.views.html import Markup, el, icon, join

__all__ = [
    "asset_url",
    "brand",
    "chat_head",
    "head_links",
    "missing_page",
    "not_found_page",
    "opening_head",
    "page",
    "top_bar",
]

_PAGES = (("chat", "/"), ("explore", "/explore"), ("anatomy", "/anatomy"))

_LOGO = Markup(
    '<svg class="gm-logo" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">'
    '<rect width="32" height="32" rx="9" fill="var(--gm-brand)"/>'
    '<path d="M7 9.5C12 5.5 20 5.5 25 9.5c-1.6 6-4 10.6-6.6 15.3-.7 1.3-2.5 1.2-3.1-.1C12.7 19.4 9 14.6 7 9.5z" '
    'fill="#fff" opacity=".95"/><g stroke="var(--gm-brand)" stroke-width="1.3" fill="none" stroke-linecap="round">'
    '<path d="M11.5 9.5c1.6 4.4 3.5 8.8 5.2 13"/><path d="M16 8.3c.2 4.8.6 9.6 1 14"/>'
    '<path d="M20.5 9.5c-.9 4.4-1.9 8.8-3 13"/></g></svg>'
)


def asset_url(name: str) -> str:
    """The address of a file of ours; it changes with the file, so that browsers may keep it for good."""
    data = resources.files("gmedbot.ui").joinpath("assets", name).read_bytes()
    return f"/gm/{name}?v={sha256(data).hexdigest()[:10]}"


def brand() -> Markup:
    """The sign and the name, linking home."""
    return el("a", _LOGO, el("span", t("app.name")), href="/", class_="gm-brand", aria_label=t("app.name"))


def top_bar(current: str) -> Markup:
    """The header that all pages share. ``current`` is one of the keys of the navigation."""
    links = (
        el("a", t(f"nav.{key}"), href=href, aria_current="page" if key == current else None) for key, href in _PAGES
    )
    menu = (
        el("button", icon("menu"), type="button", class_="gm-iconbtn gm-menu", aria_label=t("side.open"),
           aria_expanded="false", aria_controls="gm-side")
        if current == "chat"
        else None
    )  # fmt: skip
    theme = el("button", icon("theme"), type="button", class_="gm-iconbtn", id="gm-theme", aria_label=t("nav.theme"),
               title=t("nav.theme"))  # fmt: skip
    nav = el("nav", *links, aria_label=t("nav.label"), class_="gm-nav")
    return el("header", menu, brand(), nav, theme, class_="gm-top")


def head_links(*names: str) -> Markup:
    """Style sheets and scripts of ours, by file name."""
    out = []
    for name in names:
        if name.endswith(".css"):
            out.append(el("link", rel="stylesheet", href=asset_url(name)))
        else:
            kind = None if name == "theme.js" else "module"
            out.append(el("script", src=asset_url(name), type=kind))
    return join(out)


def chat_head(max_chars: int) -> str:
    """What the chat page's head needs beside Gradio's: our files and the strings of the scripts."""
    data = {"text": browser_strings(), "maxChars": max_chars}
    config = json.dumps(data).replace("<", "\\u003c")
    meta = el("meta", name="description", content=t("app.title"))
    return str(
        join(
            (
                meta,
                head_links("theme.js", "base.css", "chat.css", "chat.js"),
                el("script", Markup(config), type="application/json", id="gm-config"),
            )
        )
    )


#: Shown until Gradio has started, which on a slow connection takes seconds of an empty page.
_OPENING = (
    'body:not(:has(.gm-app))::before{{content:"{words}";position:fixed;inset:0;display:grid;place-items:center;'
    "color-scheme:light dark;background:light-dark(#f6f8f7,#0f1517);color:light-dark(#52615c,#a3b3ae);"
    "font:500 16px system-ui,sans-serif}}"
)


def opening_head() -> str:
    """What the chat page needs before Gradio's script has run, which is what puts ``chat_head`` into the page: a word
    that it is coming, and our files asked for in the meantime."""
    styles = (el("link", rel="preload", href=asset_url(name), as_="style") for name in ("base.css", "chat.css"))
    script = el("link", rel="modulepreload", href=asset_url("chat.js"))
    parts = ("dom.js", "store.js", "side.js", "panel.js", "actions.js")  # chat.js asks for these by their plain names
    modules = (el("link", rel="modulepreload", href=f"/gm/{name}") for name in parts)
    return str(join((el("style", Markup(_OPENING.format(words=t("chat.opening")))), *styles, script, *modules)))


def page(
    title: str, current: str, *content: object, scripts: tuple[str, ...] = ("pages.js",), is_waiting: bool = False
) -> str:
    """A whole page of ours, outside Gradio. ``is_waiting``: it looks for an index and opens again when there is one."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", f"{title} – {t('app.name')}"),
        el("link", rel="icon", href="/gm/icon.svg", type="image/svg+xml"),
        head_links("theme.js", "base.css", "pages.css", *scripts),
    )
    body = el(
        "body",
        el("a", t("nav.skip"), href="#gm-content", class_="gm-skip"),
        top_bar(current),
        el("main", *content, id="gm-content", class_="gm-page", tabindex="-1"),
        el("footer", t("app.notice"), class_="gm-foot"),
        class_="gm-body",
        data_wait=is_waiting,
    )
    return "<!doctype html>" + str(el("html", head, body, lang="en"))


def missing_page(error: GmedbotError) -> str:
    """There is nothing to answer from: what was wanted, what was found, what to run; looks again by itself."""
    rows = [(t("missing.wanted"), error.wanted), (t("missing.found"), error.found)]
    facts = join(el("div", el("dt", label), el("dd", text)) for label, text in rows if text)
    fix = el("pre", el("code", error.fix), tabindex="0") if error.fix else None
    return page(
        t("missing.title"),
        "",
        el("h1", t("missing.title")),
        el("dl", facts, class_="gm-facts"),
        el("h2", t("missing.run")) if error.fix else None,
        fix,
        el("p", t("missing.wait"), class_="gm-muted"),
        is_waiting=True,
    )


def not_found_page() -> str:
    """A wrong address."""
    return page(
        t("gone.title"), "", el("h1", t("gone.title")), el("p", t("gone.text")),
        el("p", el("a", t("gone.home"), href="/", class_="gm-btn")),
    )  # fmt: skip
