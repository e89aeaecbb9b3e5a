"""The one way in which HTML is made here: ``el`` escapes every text, so that no view can forget to.

Only a ``Markup`` value passes unescaped, and only ``el`` and the constants of the views make one.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

__all__ = ["Markup", "el", "icon", "join"]

_VOID = {"br", "hr", "img", "input", "link", "meta"}

_ICONS = {
    "agree": '<path d="M3.5 8.5l3 3 6-7"/>',
    "differ": '<path d="M2.5 5h8m0 0L8 2.5M10.5 5L8 7.5M13.5 11h-8m0 0L8 8.5M5.5 11L8 13.5"/>',
    "alert": '<path d="M8 2l6.3 11.5H1.7zM8 6.3v3.4M8 11.6v.2"/>',
    "copy": '<path d="M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z"/>',
    "retry": '<path d="M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3"/>',
    "edit": '<path d="M3 13l.6-2.8L11 2.8l2.2 2.2-7.4 7.4z"/>',
    "up": '<path d="M5 7l2.6-5c1.2 0 1.7.8 1.5 2l-.4 2h3.6c.8 0 1.3.6 1.1 1.4l-1 4.4c-.2.7-.7 1.1-1.4 1.1H5zM2.5 7H5v6H2.5z"/>',
    "down": '<path d="M5 9l2.6 5c1.2 0 1.7-.8 1.5-2l-.4-2h3.6c.8 0 1.3-.6 1.1-1.4l-1-4.4c-.2-.7-.7-1.1-1.4-1.1H5zM2.5 9H5V3H2.5z"/>',
    "link": '<path d="M6.5 9.5l3-3M7 4.5l1.6-1.6a2.8 2.8 0 0 1 4 4L11 8.5M9 11.5l-1.6 1.6a2.8 2.8 0 0 1-4-4L5 7.5"/>',
    "out": '<path d="M9 2.5h4.5V7M13.5 2.5L7 9M11 9.5v4H2.5V5h4"/>',
    "save": '<path d="M8 2v8m0 0L5 7m3 3l3-3M2.5 13.5h11"/>',
    "print": '<path d="M4.5 6V2.5h7V6M4.5 11.5h-2V6h11v5.5h-2M4.5 9.5h7v4h-7z"/>',
    "more": '<path d="M3.5 8h.01M8 8h.01M12.5 8h.01" stroke-width="2.4"/>',
    "close": '<path d="M3.5 3.5l9 9M12.5 3.5l-9 9"/>',
    "menu": '<path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11"/>',
    "plus": '<path d="M8 3v10M3 8h10"/>',
    "trash": '<path d="M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9"/>',
    "send": '<path d="M8 13.5v-11M3.5 7L8 2.5 12.5 7"/>',
    "stop": '<rect x="4.5" y="4.5" width="7" height="7" rx="1.2" fill="currentColor"/>',
    "tune": '<path d="M2.5 5h6m3 0h2M2.5 11h2m3 0h6"/><circle cx="10" cy="5" r="1.5"/><circle cx="6" cy="11" r="1.5"/>',
    "theme": '<circle cx="8" cy="8" r="5.5"/><path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor"/>',
    "prev": '<path d="M10 3.5L5.5 8l4.5 4.5"/>',
    "next": '<path d="M6 3.5L10.5 8 6 12.5"/>',
    "book": '<path d="M8 4C6.5 2.9 4.5 2.6 2.5 2.8v9.8c2-.2 4 .1 5.5 1.1 1.5-1 3.5-1.3 5.5-1.1V2.8C11.5 2.6 9.5 2.9 8 4zM8 4v9.7"/>',
    "bars": '<path d="M3 2.5v11h10.5M6 11V8M9 11V5M12 11V7"/>',
    "figure": '<circle cx="8" cy="3.8" r="1.9"/><path d="M8 6v4M4.5 7.5h7M8 10l-2.5 4M8 10l2.5 4"/>',
    "none": '<circle cx="7" cy="7" r="4.3"/><path d="M10.2 10.2L14 14M5.5 7h3"/>',
}


def el(name: str, /, *children: object, **attrs: object) -> Markup:
    """An element. ``class_`` stands for class, ``aria_label`` for aria-label; None and False drop the attribute."""
    parts = [f"<{name}"]
    for key, value in attrs.items():
        if value is None or value is False:
            continue
        label = key.rstrip("_").replace("_", "-")
        parts.append(f" {label}" if value is True else f' {label}="{escape(str(value))}"')
    parts.append(">")
    if name not in _VOID:
        parts.extend(str(escape(child)) for child in children if child is not None)
        parts.append(f"</{name}>")
    return Markup("".join(parts))


def join(children: Iterable[object], between: str = "") -> Markup:
    """Children one after the other; texts among them are escaped."""
    return Markup(escape(between).join(escape(child) for child in children))


def icon(name: str) -> Markup:
    """A small line drawing that says nothing to a screen reader: the text beside it does."""
    return Markup(
        '<svg class="gm-icon" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" '
        'stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">'
        f"{_ICONS[name]}</svg>"
    )
