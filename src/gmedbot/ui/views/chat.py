"""The still parts of the chat page: conversations, thread, composer, source panel. Scripts fill them."""

from __future__ import annotations

from collections.abc import Sequence

from gmedbot.ui.text import count, t
from gmedbot.ui.views.html import Markup, el, icon, join
from gmedbot.ui.views.page import top_bar

__all__ = ["chat_shell", "empty_state"]

_AROUND = (
    ("exercises", "bars", "/explore"),
    ("disputed", "differ", "/explore?view=findings&status=disputed"),
    ("anatomy", "figure", "/anatomy"),
)
_TOPICS = ("anatomy", "function", "exercises", "injury")


def chat_shell(max_chars: int) -> str:
    """The whole page inside Gradio's frame. It never changes, so that Gradio never draws over what the scripts show."""
    columns = el(
        "div",
        _side(),
        el("div", class_="gm-scrim", id="gm-scrim", hidden=True),
        el(
            "section",
            el(
                "div",
                el("div", id="gm-empty"),
                el("div", id="gm-turns", data_old=t("error.record")),
                id="gm-thread",
                tabindex="0",
                role="region",
                aria_label=t("chat.region"),
            ),
            _composer(max_chars),
            id="gm-main",
            aria_label=t("nav.chat"),
        ),
        _panel(),
        class_="gm-cols",
    )
    return str(
        el(
            "div",
            el("a", t("nav.skip"), href="#gm-question", class_="gm-skip"),
            top_bar("chat"),
            el("h1", t("chat.region"), class_="gm-sr"),  # an empty conversation has a visible one instead
            columns,
            _templates(),
            el("div", id="gm-live", role="status", aria_live="polite", class_="gm-sr"),
            el("div", id="gm-alert", role="alert", aria_live="assertive", class_="gm-sr"),
            el("div", id="gm-toast", class_="gm-toast", hidden=True),
            el("div", id="gm-tip", role="tooltip", class_="gm-tip", hidden=True),
            class_="gm-app is-empty",
        )
    )


def empty_state(suggestions: Sequence[str], sources: int) -> Markup:
    """What a new conversation shows: what this is, and questions to start with."""
    cards = (el("button", text, type="button", class_="gm-example", data_ask=text) for text in suggestions[:6])
    return join(
        (
            el("h1", t("chat.heading")),
            el("p", t("chat.intro", sources=count(sources, "source")), class_="gm-muted"),
            el("h2", t("chat.examples"), class_="gm-sr"),
            el("div", *cards, class_="gm-examples"),
            el(
                "nav",
                el("span", t("chat.around"), class_="gm-fine"),
                *(
                    el("a", icon(sign), t(f"chat.around.{key}"), href=href, class_="gm-small")
                    for key, sign, href in _AROUND
                ),
                aria_label=t("chat.around"),
                class_="gm-around",
            ),
        )
    )


def _side() -> Markup:
    return el(
        "aside",
        el(
            "div",
            el("button", icon("plus"), t("side.new"), type="button", id="gm-new", class_="gm-btn is-soft"),
            el(
                "button",
                icon("close"),
                type="button",
                class_="gm-iconbtn",
                id="gm-side-close",
                aria_label=t("side.close"),
            ),
            class_="gm-sidehead",
        ),
        el("nav", id="gm-list", aria_label=t("side.label")),
        el(
            "p",
            t("side.private"),
            " ",
            el("button", t("side.clear"), type="button", id="gm-clear", class_="gm-linkbtn"),
            class_="gm-fine",
        ),
        id="gm-side",
        aria_label=t("side.label"),
    )


def _composer(max_chars: int) -> Markup:
    box = el(
        "textarea",
        id="gm-question",
        name="question",
        rows="1",
        placeholder=t("chat.placeholder"),
        aria_label=t("chat.question"),
        aria_describedby="gm-problem",
        autocomplete="off",
        enterkeyhint="send",
        data_max=max_chars,
    )
    tune = el("button", icon("tune"), type="button", id="gm-tune", class_="gm-iconbtn", aria_label=t("chat.settings"),
              title=t("chat.settings"), aria_expanded="false", aria_controls="gm-settings", aria_describedby="gm-chosen")  # fmt: skip
    send = el("button", icon("send"), type="submit", id="gm-send", class_="gm-send", aria_label=t("chat.send"),
              title=t("chat.send"))  # fmt: skip
    stop = el("button", icon("stop"), type="button", id="gm-stop", class_="gm-send is-stop", aria_label=t("chat.stop"),
              title=t("chat.stop"), hidden=True)  # fmt: skip
    return el(
        "form",
        _settings(),
        el("p", id="gm-problem", class_="gm-problem", role="alert", aria_live="assertive"),
        el("div", tune, box, send, stop, class_="gm-inputrow"),
        el(
            "p",
            el("span", id="gm-chosen"),
            el("span", t("app.notice"), el("span", " ", t("app.linked"), class_="gm-wide")),
            class_="gm-under",
        ),
        id="gm-form",
        class_="gm-form",
        novalidate=True,
    )


def _settings() -> Markup:
    topics = (_option("checkbox", "topics", key, t(f"topic.{key}")) for key in _TOPICS)
    lengths = (_option("radio", "length", key, t(f"chat.length.{key}"), key == "full") for key in ("full", "short"))
    wordings = (
        _option("radio", "wording", key, t(f"chat.wording.{key}"), key == "plain") for key in ("plain", "source")
    )
    kinds = (_option("radio", "evidence", key, t(f"chat.evidence.{key}"), key == "all") for key in ("all", "studies"))
    return el(
        "div",
        el("fieldset", el("legend", t("chat.topics")), *topics),
        el("fieldset", el("legend", t("chat.length")), *lengths),
        el("fieldset", el("legend", t("chat.wording")), *wordings),
        el("fieldset", el("legend", t("chat.evidence")), *kinds),
        id="gm-settings",
        class_="gm-settings",
        hidden=True,
    )


def _option(kind: str, name: str, value: str, label: str, is_on: bool = False) -> Markup:
    return el(
        "label", el("input", type=kind, name=name, value=value, checked=is_on), el("span", label), class_="gm-opt"
    )


def _panel() -> Markup:
    def button(id_: str, sign: str, label: str) -> Markup:
        return el("button", icon(sign), type="button", id=id_, class_="gm-iconbtn", aria_label=label, title=label)

    head = el(
        "div",
        el("button", icon("prev"), t("panel.back"), type="button", id="gm-panel-all", class_="gm-small", hidden=True),
        el("h2", t("panel.label"), id="gm-panel-title", tabindex="-1"),
        button("gm-panel-prev", "prev", t("panel.prev")),
        button("gm-panel-next", "next", t("panel.next")),
        button("gm-panel-close", "close", t("panel.close")),
        class_="gm-panelhead",
    )
    body = el("div", el("p", t("panel.empty"), class_="gm-muted"), id="gm-panel-body", tabindex="0", role="region",
              aria_labelledby="gm-panel-title")  # fmt: skip
    words = {
        "data_position": t("panel.position"), "data_all": t("panel.all"), "data_empty": t("panel.none"),
        "data_dispute": t("panel.dispute"),
        "data_folded": t("panel.folded"),
    }  # fmt: skip
    return el("aside", head, body, id="gm-panel", aria_labelledby="gm-panel-title", **words)


def _button(sign: str, label: str, act: str, **more: object) -> Markup:
    return el(
        "button", icon(sign), type="button", class_="gm-iconbtn", aria_label=label, title=label, data_act=act, **more
    )


def _templates() -> Markup:
    """Pieces that the scripts copy: a turn, a conversation's row. Their words stay here, in one language at a time."""
    actions = el(
        "div",
        el("button", icon("book"), el("span"), type="button", class_="gm-srcbtn", data_act="sources"),
        _button("copy", t("turn.copy"), "copy"),
        _button("retry", t("turn.retry"), "retry"),
        _button("up", t("turn.up"), "up", aria_pressed="false"),
        _button("down", t("turn.down"), "down", aria_pressed="false"),
        _button("link", t("turn.link"), "link"),
        _button("save", t("js.export"), "export", aria_haspopup="menu", aria_expanded="false"),
        class_="gm-actions",
        hidden=True,
    )
    answer = el(
        "div",
        el("h2", class_="gm-sr", data_words=t("turn.answer")),
        el("div", class_="gm-blocks"),
        el("p", t("js.searching"), class_="gm-wait"),
        el("div", class_="gm-trouble", hidden=True),
        actions,
        el("div", class_="gm-reasons", hidden=True),
        el("ol", class_="gm-printsources"),
        class_="gm-a",
    )
    question = el(
        "div",
        el("span", t("turn.you"), class_="gm-sr"),
        _button("edit", t("turn.edit"), "edit"),
        el("h2", class_="gm-qtext"),  # turns are told apart by their questions
        class_="gm-q",
    )
    row = el(
        "div",
        el("button", type="button", class_="gm-open"),
        _button("edit", t("js.rename"), "rename"),
        _button("trash", t("js.delete"), "delete"),
        class_="gm-conv",
    )
    return el(
        "div",
        el("article", question, answer, class_="gm-turn", id="gm-t-turn"),
        el("div", row, id="gm-t-conv"),
        hidden=True,
        id="gm-templates",
    )
