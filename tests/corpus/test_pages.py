"""Saved pages of six kinds: what must stay of each, and what must not come through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gmedbot.corpus.add import prepare_source
from gmedbot.corpus.pages import read_page
from gmedbot.settings import load_settings
from tests.support import ROOT

pytestmark = pytest.mark.core

PAGES = ROOT / "tests" / "data" / "pages"
WANTED: dict[str, dict[str, Any]] = yaml.safe_load((PAGES / "pages.yaml").read_text("utf-8"))


@pytest.mark.parametrize("name", WANTED)
def test_a_page_keeps_its_content_and_loses_its_frame(name: str, tmp_path: Path) -> None:
    candidate = prepare_source(str(PAGES / name), load_settings(corpus=tmp_path, index=tmp_path / "i"))
    wanted = WANTED[name]
    assert [text for text in wanted["keep"] if text not in candidate.text] == []
    assert [text for text in wanted["drop"] if text.casefold() in candidate.text.casefold()] == []


@pytest.mark.parametrize("name", WANTED)
def test_a_page_says_who_wrote_it_when_and_where(name: str, tmp_path: Path) -> None:
    source = prepare_source(str(PAGES / name), load_settings(corpus=tmp_path, index=tmp_path / "i")).source
    wanted = {key: value for key, value in WANTED[name].items() if key not in ("keep", "drop")}
    found = {key: getattr(source, key) for key in wanted}
    assert {**found, "authors": list(source.authors)} == {
        **wanted,
        "authors": wanted.get("authors", list(source.authors)),
    }


def body(inner: str, head: str = "") -> str:
    prose = "<p>The gluteus medius abducts the hip and keeps the pelvis level in walking.</p>" * 3
    return f"<html><head><title>T</title>{head}</head><body><main><h1>T</h1>{prose}{inner}</main></body></html>"


@pytest.mark.parametrize(
    "hidden",
    [
        '<p style="display:none">secret words</p>',
        '<p style="visibility: hidden">secret words</p>',
        '<span style="font-size:0">secret words</span>',
        '<p style="color:#fff">secret words</p>',
        '<p style="position:absolute;left:-9999px">secret words</p>',
        "<p hidden>secret words</p>",
        '<div aria-hidden="true"><p>secret words</p></div>',
        '<p class="sr-only">secret words</p>',
        "<!-- secret words -->",
        "<script>secret words</script>",
        "<noscript>secret words</noscript>",
        '<img alt="secret words" src="x">',
        '<p title="secret words">The hip is a joint that carries the trunk.</p>',
        "<template><p>secret words</p></template>",
    ],
)
def test_what_readers_cannot_see_does_not_come_through(hidden: str) -> None:
    text = read_page(body(hidden)).text
    assert "secret" not in text
    assert "keeps the pelvis level" in text


@pytest.mark.parametrize(
    ("markup", "written"),
    [
        ("<p>The area was 27 cm<sup>2</sup> in men.</p>", "27 cm² in men"),
        ("<p>It lies at the side of the hip.<sup>3</sup> It is flat.</p>", "hip.[3] It is flat"),
        ("<p>It is flat <sup><a href='#1'>[1]</a></sup><sup>[2]</sup>.</p>", "It is flat [1][2]."),
        ("<p>The 1<sup>st</sup> fibre ends in front of the others.</p>", "The 1st fibre"),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td>1 | 2</td><td>3</td></tr></table>", "| 1 / 2 | 3 |"),
        ("<ol><li>Stand.</li><li>Lift.<ul><li>slowly</li></ul></li></ol>", "2. Lift.\n  - slowly"),
        ("<p># The first rule of hips is that they move.</p>", "\nThe first rule of hips"),
    ],
)  # fmt: skip
def test_marks_units_and_lists_are_written_as_they_are_meant(markup: str, written: str) -> None:
    assert written in read_page(body(markup)).text


def test_a_canonical_link_to_another_site_is_not_believed() -> None:
    head = '<link rel="canonical" href="https://evil.example.net/x">'
    assert read_page(body("", head), "https://good.example.org/page").facts.url == "https://good.example.org/page"


@pytest.mark.parametrize("markup", ["", "<html></html>", "\x00\x00", "<p>" * 3000, "<![CDATA[", "<table>" * 300])
def test_broken_markup_is_an_empty_page_and_no_crash(markup: str) -> None:
    assert read_page(markup).text.strip() == ""
