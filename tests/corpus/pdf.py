"""PDFs made by hand: one content stream a page, uncompressed; lines one after the other, or each in a place of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

#: Objects 3 to 5: regular and bold letters, and a font that names no letter from 0x80 on.
_FONTS = (
    b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
    b"<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >>",
)


class Placed(NamedTuple):
    """A line of text and where its lower left corner stands, in points from that of an A4 page."""

    x: float
    y: float
    text: str
    size: float = 10
    font: str = "F1"  #: "F1" regular, "F2" bold, "F3" mute


def make_pdf(pages: Sequence[Sequence[str]], title: str = "") -> bytes:
    """Lines of one size under one another. They may hold Latin-1 characters only."""
    return _pdf(
        [
            f"BT /F1 11 Tf 14 TL 60 780 Td\n{''.join(f'({_escaped(line)}) Tj T*' + chr(10) for line in lines)}ET"
            for lines in pages
        ],
        title,
    )


def make_placed_pdf(pages: Sequence[Sequence[Placed]], title: str = "") -> bytes:
    """Lines drawn in the order given, wherever they stand."""
    return _pdf(
        [
            "\n".join(
                f"BT /{line.font} {line.size} Tf 1 0 0 1 {line.x} {line.y} Tm ({_escaped(line.text)}) Tj ET"
                for line in lines
            )
            for lines in pages
        ],
        title,
    )


def _pdf(streams: Sequence[str], title: str) -> bytes:
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", *_FONTS]
    kids: list[str] = []
    for shown in streams:
        stream = shown.encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R "
            "/Resources << /Font << /F1 3 0 R /F2 4 0 R /F3 5 0 R >> >> >>".encode()
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    objects.append(f"<< /Title ({_escaped(title)}) /CreationDate (D:20180101000000) >>".encode("latin-1"))
    out = bytearray(b"%PDF-1.4\n")
    places: list[int] = []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        len(objects),
        start,
    )
    return bytes(out)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
