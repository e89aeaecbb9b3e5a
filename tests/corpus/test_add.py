"""``corpus add``: any document becomes a source that reads back, or is refused with its reason."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.corpus.add import AddOptions, Candidate, prepare_source, render_preview, render_source, write_source
from gmedbot.corpus.sources import parse_document, read_corpus
from gmedbot.errors import AddRefusedError, UsageError
from gmedbot.settings import Settings, load_settings
from tests.corpus.pdf import make_pdf
from tests.support import make_source

pytestmark = pytest.mark.core

TEXT = """Gluteus medius basics

Origin

The gluteus medius arises from the outer surface of the ilium, below the iliac crest.

Exercises

• Side-lying hip abduction
• Clamshell with a band

The muscle abducts the hip, and it keeps the pelvis level while the other leg
swings forward in walking.
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(corpus=tmp_path / "corpus", index=tmp_path / "index")


def put(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def add(origin: str, settings: Settings, **options: object) -> Candidate:
    candidate = prepare_source(origin, settings, AddOptions(**options))  # type: ignore[arg-type]
    write_source(candidate, settings.corpus)
    return candidate


def test_plain_text_gets_headings_and_items_and_reads_back(tmp_path: Path, settings: Settings) -> None:
    add(put(tmp_path, "basics.txt", TEXT), settings)
    (document,) = read_corpus(settings.corpus)
    assert document.source.is_full_text
    assert document.source.title == "Gluteus medius basics"
    assert "## Origin\n\nThe gluteus medius arises" in document.text
    assert "- Side-lying hip abduction\n- Clamshell with a band" in document.text
    assert "the other leg swings forward" in document.text


def test_a_docx_keeps_headings_lists_tables_and_marks_and_loses_hidden_text(tmp_path: Path, settings: Settings) -> None:
    import docx

    document = docx.Document()
    document.core_properties.title = "Hip leaflet"
    document.core_properties.author = "Ada Pell"
    document.add_heading("Exercises", 1)
    paragraph = document.add_paragraph("The clamshell trains the gluteus medius.")
    paragraph.add_run("2").font.superscript = True
    paragraph.add_run(" secret order").font.hidden = True
    document.add_paragraph("Keep the feet together.", style="List Bullet")
    document.add_paragraph("Lift the knee.", style="List Number")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        (c for row in table.rows for c in row.cells), ("Exercise", "%MVIC", "Clamshell", "40"), strict=True
    ):
        cell.text = text
    stream = io.BytesIO()
    document.save(stream)
    candidate = prepare_source(put(tmp_path, "leaflet.docx", stream.getvalue()), settings)
    assert candidate.source.title == "Hip leaflet"
    assert candidate.source.authors == ("Ada Pell",)
    for written in (
        "## Exercises",
        "gluteus medius.[2]",
        "- Keep the feet together.",
        "1. Lift the knee.",
        "| Clamshell | 40 |",
    ):
        assert written in candidate.text
    assert "secret" not in candidate.text


def test_a_pdf_loses_running_heads_and_page_numbers_and_joins_its_lines(tmp_path: Path, settings: Settings) -> None:
    pages = [
        ["Journal of Examples 2018;12:201", "Abstract", "Stairs load the hip abduc-", "tors more than level ground does, as this study of adults", "shows again.", "1"],
        ["Journal of Examples 2018;12:201", "Results", "Peak activity of the gluteus medius was 46 %MVIC (SD", "13) going up and 31 %MVIC going down the same stairs.", "2"],
    ]  # fmt: skip
    candidate = prepare_source(put(tmp_path, "paper.pdf", make_pdf(pages, title="Stairs and hips")), settings)
    assert candidate.source.title == "Stairs and hips"
    assert candidate.source.year == 2018
    assert "hip abductors more than level ground does, as this study of adults shows again." in candidate.text
    assert "46 %MVIC (SD 13) going up" in candidate.text
    assert "Journal of Examples" not in candidate.text
    assert "## Results" in candidate.text


def test_markdown_keeps_its_headings_and_what_its_front_matter_says(tmp_path: Path, settings: Settings) -> None:
    text = "---\ntitle: Hips\nauthor: Ada Pell\ndate: 2019-04-01\nkind: textbook\n---\n# Hips\n\n## Action\n\nThe **gluteus medius** abducts the [hip](https://x.example). ![i](y.png)\n"
    source = prepare_source(put(tmp_path, "hips.md", text), settings)
    assert (source.source.title, source.source.authors, source.source.year, source.source.kind, source.source.evidence) == (
        "Hips", ("Ada Pell",), 2019, "textbook", "expert",
    )  # fmt: skip
    assert source.text == "# Hips\n\n## Action\n\nThe gluteus medius abducts the hip.\n"


def test_markdown_keeps_the_text_in_and_after_code_fences(tmp_path: Path, settings: Settings) -> None:
    page = (
        "# Notes\n\n```text\nThe gluteus minimus lies under the medius.\n# not a heading\n```\n\n"
        "~~~\nThis fence is never closed, and the piriformis rotates the hip.\n\n## Later\nThe sartorius flexes the hip.\n"
    )
    candidate = add(put(tmp_path, "notes.md", page), settings)
    assert "\nThe gluteus minimus lies under the medius.\n # not a heading\n" in candidate.text
    assert "\n\nThis fence is never closed, and the piriformis rotates the hip.\n\n## Later\n" in candidate.text
    assert "~~~" not in candidate.text and "'''" not in candidate.text
    assert candidate.text.rstrip().endswith("The sartorius flexes the hip.")


def encrypted() -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make_pdf([["The gluteus medius abducts the hip."] * 5]))))
    writer.encrypt("secret", algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.txt", b"", "empty"),
        ("blank.html", b"<html><body> </body></html>", "words are left"),
        ("wall.html", b"<html><body><p>Please enable JavaScript to view this page of ours.</p></body></html>", "enable JavaScript"),
        ("scan.pdf", make_pdf([[], [], []]), "scanned"),
        ("cut.pdf", make_pdf([["The hip."]])[:200], "damaged"),
        ("secret.pdf", encrypted(), "encrypted"),
        ("photo.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not text"),
        ("data.txt", b"\x01\x00\x02\x00" * 100, "binary"),
        ("cut.docx", b"PK\x03\x04 not a zip", "damaged"),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 100, "Word"),
        ("greek.txt", "Ο μέσος γλουτιαίος μυς απάγει το ισχίο. ".encode("iso-8859-7") * 20, "not readable as"),
        ("sjis.txt", "中殿筋は股関節を外転させる筋肉である。".encode("shift-jis") * 20, "not readable as"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_reason(
    name: str, content: bytes, reason: str, tmp_path: Path, settings: Settings
) -> None:
    with pytest.raises(AddRefusedError) as refused:
        prepare_source(put(tmp_path, name, content), settings)
    assert reason in refused.value.found
    assert refused.value.exit_code == 1


def test_a_file_over_the_size_limit_a_folder_and_a_missing_file_are_refused(tmp_path: Path, settings: Settings) -> None:
    small = load_settings(corpus=settings.corpus, index=settings.index, max_source_mb=1)
    with pytest.raises(AddRefusedError, match="1 MB"):
        prepare_source(put(tmp_path, "big.txt", b"The hip moves. " * 80_000), small)
    with pytest.raises(AddRefusedError, match="a folder"):
        prepare_source(str(tmp_path), settings)
    with pytest.raises(AddRefusedError, match="readable file"):
        prepare_source(str(tmp_path / "none.txt"), settings)


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_usual_encodings_are_understood(codec: str, tmp_path: Path, settings: Settings) -> None:
    text = "The patient’s hip was held at 60° – the gluteus medius weighed 275 ± 40 g.\n"
    assert (
        "patient’s hip was held at 60° – the"
        in prepare_source(put(tmp_path, "t.txt", text.encode(codec)), settings).text
    )


def test_a_source_is_never_written_over(tmp_path: Path, settings: Settings) -> None:
    candidate = add(put(tmp_path, "a.txt", TEXT), settings, source_id="hips")
    before = (settings.corpus / "hips.md").read_bytes()
    with pytest.raises(AddRefusedError, match="never written over"):
        write_source(candidate, settings.corpus)
    with pytest.raises(AddRefusedError, match="never written over"):
        prepare_source(
            put(tmp_path, "b.txt", "The gluteus minimus lies deep to the medius."),
            settings,
            AddOptions(source_id="hips"),
        )
    assert (settings.corpus / "hips.md").read_bytes() == before
    assert os.listdir(settings.corpus) == ["hips.md"]


def test_the_same_text_is_refused_and_a_copy_gets_the_lineage_of_what_it_copies(
    tmp_path: Path, settings: Settings
) -> None:
    first = add(put(tmp_path, "a.txt", TEXT), settings)
    with pytest.raises(AddRefusedError, match="its text is that of"):
        prepare_source(put(tmp_path, "b.txt", TEXT), settings)
    other = "Our blog\n\nWe love hips and we like to write about them.\n\n" + TEXT.split("Origin")[1]
    copy = prepare_source(put(tmp_path, "c.txt", other), settings)
    assert copy.source.lineage == first.source.source_id
    assert copy.overlaps[0].share_a > 0.6
    assert "lineage set to" in render_preview(copy)
    assert prepare_source(put(tmp_path, "c.txt", other), settings, AddOptions(lineage="none")).source.lineage is None


def test_wrong_options_are_named(tmp_path: Path, settings: Settings) -> None:
    origin = put(tmp_path, "a.txt", TEXT)
    for options in (
        AddOptions(topics=("hips",)),
        AddOptions(kind="textbook", evidence="trial"),
        AddOptions(source_id="No Good"),
        AddOptions(lineage="nobody"),
    ):
        with pytest.raises(UsageError):
            prepare_source(origin, settings, options)


def test_a_page_cannot_make_itself_a_trial(tmp_path: Path, settings: Settings) -> None:
    text = "---\ntitle: Truth\nkind: web-article\nevidence: trial\n---\nThe gluteus medius cures everything, and this is a trial.\n"
    assert prepare_source(put(tmp_path, "t.md", text), settings).source.evidence == "lay"


@given(st.text(max_size=60), st.text(max_size=40), st.text(max_size=60))
def test_any_title_author_and_container_give_a_front_matter_that_reads_back(
    title: str, author: str, container: str
) -> None:
    from gmedbot.corpus.cleaning import clean_line

    values = [clean_line(value) or "x" for value in (title, author, container)]
    source = make_source(
        "x", title=values[0], authors=(values[1],), container=values[2], topics=("anatomy",), is_full_text=True
    )
    document, findings = parse_document(render_source(source, "# T\n\nText.\n"), "x.md")
    assert document is not None, findings
    assert (document.source.title, document.source.authors, document.source.container) == (
        values[0],
        (values[1],),
        values[2],
    )


def test_a_written_file_is_valid_yaml_with_every_key(tmp_path: Path, settings: Settings) -> None:
    candidate = add(put(tmp_path, "a.txt", TEXT), settings)
    raw = (settings.corpus / f"{candidate.source.source_id}.md").read_text("utf-8")
    meta = yaml.safe_load(raw.split("---\n")[1])
    assert meta["full-text"] is True
    assert meta["reviewed"] is None


def test_a_page_that_was_saved_in_the_wrong_encoding_is_mended(tmp_path: Path, settings: Settings) -> None:
    broken = "The muscle isn’t weak — it’s tired in most runners, says the coach.".encode().decode("latin-1")
    candidate = prepare_source(put(tmp_path, "page.html", f"<html><body><article><p>{broken}</p></article>"), settings)
    assert "isn't weak — it's tired" in candidate.text.replace("’", "'")


def test_pages_of_a_pdf_without_text_are_counted(tmp_path: Path, settings: Settings) -> None:
    lines = ["The gluteus medius keeps the pelvis level in walking and running.", "It is supplied by one nerve."] * 4
    candidate = prepare_source(put(tmp_path, "half.pdf", make_pdf([lines, [], []])), settings)
    assert candidate.dropped["page without text (a scan?)"] == 2


def test_an_archive_that_unpacks_to_too_much_is_refused_unread(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zipfile

    monkeypatch.setattr("gmedbot.corpus.readers._MOST_UNPACKED", 1_000_000)
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", " " * 2_000_000)
    with pytest.raises(AddRefusedError, match="unpacks to 2 MB"):
        prepare_source(str(path), settings)


def test_a_device_is_refused_and_not_read_for_ever(settings: Settings) -> None:
    with pytest.raises(AddRefusedError, match="a device or a pipe"):
        prepare_source(os.devnull, settings)
