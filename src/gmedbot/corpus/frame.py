"""What of a page is no content: code, what readers cannot see, navigation, boxes about the page.

Names of classes and ids are the best sign of a frame and no proof, so a box that holds much of the page's text stays,
whatever it is called.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

__all__ = ["strip_frame"]

Element = Any  # lxml has no types of its own

_DEAD = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "iframe",
        "object",
        "form",
        "button",
        "select",
        "textarea",
        "svg",
        "canvas",
        "video",
        "audio",
        "dialog",
        "map",
        "math",
        "applet",
        "frameset",
    ]
)
_VOID = frozenset(["embed", "input", "link", "meta", "base", "frame", "param", "source", "track", "area"])
_FRAME = frozenset(("nav", "aside", "menu"))
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*[01](?:\.\d+)?(?:px|pt|em|rem|%)?\s*(?:;|$)|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)|"
    r"(?:left|top|text-indent|right|bottom)\s*:\s*-\s*\d{3,}|clip\s*:\s*rect\(\s*0|(?<!-)color\s*:\s*(?:#fff(?:fff)?\b|white\b|transparent|rgba?\(255,\s*255,\s*255|rgba\([^)]*,\s*0\))|"
    r"(?:^|;)\s*(?:height|width|max-height)\s*:\s*0(?:px)?\s*(?:;|$)",
    re.IGNORECASE,
)  # fmt: skip
_HIDDEN_NAMES = re.compile(
    r"(?:^|[\s_-])(?:sr-only|visually-?hidden|screen-reader(?:-text)?|hidden|d-none|offscreen|no-?print|noprint|mw-editsection|mw-jump-link|print-only)(?:$|[\s_-])",
    re.IGNORECASE,
)
#: Words in a class or id that name a part of the frame, as whole parts of the name ("post-meta", "related_posts").
_FRAME_NAMES = re.compile(
    r"(?:^|[\s_-])(?:nav(?:bar|igation|box|menu)?|menu|breadcrumbs?|cookies?|consent|gdpr|ccpa|onetrust|newsletter|subscri(?:be|ption)|signup|sign-up|optin|opt-in|mailchimp|related|recommend(?:ed|ations?)?|"
    r"you-may|yarpp|jp-relatedposts|trending|sidebar|widget-area|sidebar-widgets?|footer-widgets?|comments?(?:-area|-list|-form|-respond)?|respond|disqus|replies|shar(?:e|ing)(?:daddy|-buttons)?|social|addtoany|"
    r"author-?(?:box|bio|card|info|profile|block)|about-(?:the-)?author|post-author|bio-box|byline|post-?meta|entry-?meta|article-?meta|advert(?:isement|s|ising)?|ads?|ad-(?:slot|unit|container)|adsbygoogle|sponsor(?:ed)?|"
    r"pop-?up|modal|lightbox|paywall|donat(?:e|ion)|patreon|toc|table-of-contents|catlinks|pagination|pager|prev-?next|post-navigation|tag-?(?:list|cloud)|post-tags|categor(?:y|ies)-links|skip-?link|site-?(?:footer|header)|page-?footer|colophon|"
    r"search-?form|search-?box|login|cart|call-to-action|print-?link|reading-?time|read-?time|reviews?-?form|reflist|references?(?:-list)?|ref-list|bibliography|mw-references(?:-wrap)?|navbox|hatnote|ambox|mbox|sistersitebox|"
    r"infobox-?(?:edit|nav)|printfooter|vertical-navbox|portalbox|authority-control)(?:$|[\s_-])",
    re.IGNORECASE,
)  # fmt: skip
#: Words that name a part of the frame on most pages and content on some: a box so named goes only if it is small.
_MAYBE_NAMES = re.compile(
    r"(?:^|[\s_-])(?:widgets?|banner|promo(?:tion)?|cta|overlay|masthead|topbar|toolbar|search|metadata|tags?|popular|feedback|rating|download-app|copyright|footer)(?:$|[\s_-])",
    re.IGNORECASE,
)
_SMALL = 25  #: words
_LEAF_LIMIT = 0.4  #: a box that holds more of the page's text than this is no frame, whatever it is called


def strip_frame(tree: Element, dropped: Counter[str]) -> None:
    """Remove what is no content: code, what readers cannot see, frames, boxes. Modifies the tree."""
    from lxml import etree

    for node in list(tree.iter(etree.Comment, etree.ProcessingInstruction)):
        _remove(node)
    for node in list(tree.iter()):
        if not isinstance(node.tag, str) or node.getparent() is None:
            continue
        if node.tag in _VOID:
            node.drop_tag()  # the parser hangs what follows an unclosed one below it
        elif node.tag in _DEAD:
            _remove(node)
        elif _is_hidden(node):
            if node.text_content().strip():
                dropped["hidden text"] += 1
            _remove(node)
    body = tree.find("body")
    total = max(1, len(" ".join((body if body is not None else tree).text_content().split())))
    for node in list(tree.iter()):
        if not isinstance(node.tag, str) or node.getparent() is None or node.tag in ("html", "body"):
            continue
        if _is_frame(node) and len(" ".join(node.text_content().split())) < _LEAF_LIMIT * total:
            if node.text_content().strip():
                dropped["frame of the page"] += 1
            _remove(node)


def _remove(node: Element) -> None:
    """Drop an element and keep the text after it."""
    parent = node.getparent()
    if parent is None:
        return
    if node.tail:
        before = node.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + " " + node.tail
        else:
            parent.text = (parent.text or "") + " " + node.tail
    parent.remove(node)


def _is_hidden(node: Element) -> bool:
    if node.get("hidden") is not None or node.get("aria-hidden") == "true":
        return True
    if _HIDING.search(node.get("style") or ""):
        return node.tag not in ("html", "body")
    names = f"{node.get('class') or ''} {node.get('id') or ''}".strip()
    return bool(names) and node.tag not in ("html", "body", "main", "article") and bool(_HIDDEN_NAMES.search(names))


def _is_frame(node: Element) -> bool:
    if node.tag in _FRAME or node.get("role") in (
        "navigation",
        "banner",
        "contentinfo",
        "complementary",
        "search",
        "dialog",
        "alertdialog",
        "menu",
    ):
        return True
    if node.tag in ("footer", "header"):
        inside = any(parent.tag in ("article", "main", "section", "blockquote") for parent in node.iterancestors())
        has_title = node.find(".//h1") is not None
        return node.tag == "footer" or (not inside and not has_title)
    if node.tag in (
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "td",
        "th",
        "tr",
        "tbody",
        "li",
        "sup",
        "span",
        "a",
        "em",
        "strong",
        "b",
        "i",
        "article",
        "main",
    ):
        return node.tag in ("li", "span", "p") and "reference-text" in (node.get("class") or "")
    names = " ".join(
        filter(None, (node.get("class"), node.get("id"), node.get("data-testid"), node.get("data-component")))
    )
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", names)
    if not parted:
        return False
    return bool(_FRAME_NAMES.search(parted)) or (
        bool(_MAYBE_NAMES.search(parted))
        and len(node.text_content().split()) < _SMALL
        and node.find(".//h1") is None
        and "text-editor" not in parted
    )
