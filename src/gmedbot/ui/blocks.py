"""The chat page in Gradio: a shell of HTML, and one hidden component that carries questions and answers.

Why not ``gr.Chatbot``: it draws the whole history again for every piece of an answer, strips the names that a
screen reader needs from what is shown in it, and cannot tell which citation was pressed (docs/ui.md). Gradio keeps
what it is good at: the queue, streaming, and custom components.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from gmedbot.ui.text import t
from gmedbot.ui.views.chat import chat_shell

__all__ = ["build_blocks"]

#: Runs once in the browser: hands the component's trigger and watcher to the page's script, in whichever order
#: the two are loaded. The name 'ask' becomes this component's event. Stopping goes its own way (``/api/ui/stop``):
#: Gradio's own cancelling also ends a question that is asked in the same moment.
#:
#: One question at a time goes through the pipe, and the next one a moment after Gradio has ended the last: its client
#: shuts the stream of answers when the last event ends, and never opens it again for a question that is on its way
#: just then, which would wait for ever.
_BRIDGE = """
const pipe = { isBusy: false, waiting: null, timer: 0 };
const send = (data) => {
  pipe.isBusy = true;
  clearTimeout(pipe.timer);
  pipe.timer = setTimeout(free, 20000);
  trigger('ask', data);
};
const free = () => {
  clearTimeout(pipe.timer);
  pipe.timer = setTimeout(() => {
    const next = pipe.waiting;
    pipe.isBusy = false;
    pipe.waiting = null;
    if (next) send(next);
  }, 80);
};
const ask = (data) => { if (pipe.isBusy) pipe.waiting = data; else send(data); };
window.gmBridge = { ask, free, receive: null, failed: null };
watch('value', () => window.gmBridge.receive && window.gmBridge.receive(props.value));
window.dispatchEvent(new CustomEvent('gm-bridge'));
"""

_SHELL_READY = "window.dispatchEvent(new CustomEvent('gm-shell'));"


def build_blocks(
    stream: Callable[[object], Iterator[str]],
    max_chars: int,
    workers: int = 8,
) -> gr.Blocks:
    """The page and its one event.

    Args:
        stream: a question's data from the browser in, messages out.
        workers: questions answered at the same time.
    """

    def ask(event: gr.EventData) -> Iterator[str]:
        data: Any = getattr(event, "_data", None)
        yield from stream(data)

    blocks: gr.Blocks
    with gr.Blocks(title=t("app.title"), analytics_enabled=False, fill_height=True, fill_width=True) as blocks:
        gr.HTML(
            chat_shell(max_chars),
            html_template="${value}",
            js_on_load=_SHELL_READY,
            apply_default_css=False,
            elem_id="gm-shell",
        )
        pipe = gr.HTML(
            "",
            html_template="<span></span>",
            js_on_load=_BRIDGE,
            apply_default_css=False,
            elem_id="gm-pipe",
        )
        asked = pipe.ask(
            ask,
            None,
            pipe,
            show_progress="hidden",
            concurrency_limit=workers,
            trigger_mode="multiple",
            api_visibility="private",
        )
        asked.then(None, None, None, js="() => { window.gmBridge.free(); }", api_visibility="private")
        failed = "() => { window.gmBridge.free(); window.gmBridge.failed?.(); }"
        asked.failure(None, None, None, js=failed, api_visibility="private")
    blocks.queue(default_concurrency_limit=workers, max_size=256)
    return blocks
