"""A sheet of paper as a PDF: headings, sentences, points and lines to fill in by hand, on A4, in the reader's own fonts.

Only Helvetica, which every reader has, in Windows' Latin alphabet: a letter beyond it is written without its accent.
A sheet of several pages numbers them; what holds several sheets, each on a page of its own, does not.
The page that links to a sheet says the same in HTML, for whoever cannot read a PDF.
"""

import io
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pydyf
from starlette.requests import Request
from starlette.responses import Response

from liaison.services.pages.layout import confine

Kind = Literal["title", "heading", "text", "point", "blank", "field", "page"]
_WIDTH, _HEIGHT, _MARGIN = 595, 842, 57
_SHAPES: Final[dict[str, tuple[str, int, int]]] = {
    "title": ("Bold", 18, 54),
    "heading": ("Bold", 13, 74),
    "text": ("Plain", 11, 90),
    "point": ("Plain", 11, 86),
    "field": ("Plain", 11, 90),
}
"""Font, size, and letters on a line."""


@dataclass(frozen=True, slots=True)
class Part:
    """One paragraph. A `field` is a label with a line to write on; `blank` is room; `page` begins another."""

    kind: Kind
    text: str = ""


def pdf(parts: Sequence[Part], title: str, language: str) -> bytes:
    """The document."""
    document = pydyf.PDF()
    document.info["Title"] = pydyf.String(title)
    document.catalog["Lang"] = pydyf.String(language)
    fonts = pydyf.Dictionary({name: _font(document, base).reference for name, base in _FONTS.items()})
    pages = list(_pages(parts))
    numbered = len(pages) > 1 and not any(part.kind == "page" for part in parts)
    for number, lines in enumerate(pages, 1):
        if numbered:
            lines.append(("Plain", 9, _WIDTH - _MARGIN - 30, _MARGIN // 2, f"{number}/{len(pages)}"))
        stream = pydyf.Stream()
        for font, size, x, y, text in lines:
            stream.begin_text()
            stream.set_font_size(font, size)
            stream.move_text_to(x, y)
            # In hexadecimal: nothing in a name can end the string.
            stream.stream.append(b"<" + _encoded(text).hex().encode() + b"> Tj")
            stream.end_text()
        document.add_object(stream)
        document.add_page(
            pydyf.Dictionary(
                {
                    "Type": "/Page",
                    "Parent": document.pages.reference,
                    "MediaBox": pydyf.Array([0, 0, _WIDTH, _HEIGHT]),
                    "Contents": stream.reference,
                    "Resources": pydyf.Dictionary({"Font": fonts}),
                }
            )
        )
    written = io.BytesIO()
    document.write(written)
    return written.getvalue()


_FONTS: Final = {"Plain": "/Helvetica", "Bold": "/Helvetica-Bold"}


def _font(document: pydyf.PDF, base: str) -> pydyf.Dictionary:
    font = pydyf.Dictionary({"Type": "/Font", "Subtype": "/Type1", "BaseFont": base, "Encoding": "/WinAnsiEncoding"})
    document.add_object(font)
    return font


Placed = tuple[str, int, int, int, str]


def _pages(parts: Sequence[Part]) -> Iterator[list[Placed]]:
    """Lines with their place, a page at a time."""
    lines: list[Placed] = []
    y = _HEIGHT - _MARGIN
    for part in parts:
        if part.kind == "page":
            yield lines
            lines, y = [], _HEIGHT - _MARGIN
            continue
        font, size, letters = _SHAPES.get(part.kind, _SHAPES["text"])
        text = f"{part.text} {'.' * max(10, letters - len(part.text) - 2)}" if part.kind == "field" else part.text
        for number, line in enumerate(textwrap.wrap(text, letters) if part.kind != "field" else [text]):
            y -= round(size * 1.5)
            if y < _MARGIN:
                yield lines
                lines, y = [], _HEIGHT - _MARGIN - round(size * 1.5)
            mark = "•  " if part.kind == "point" and number == 0 else ""
            lines.append((font, size, _MARGIN + (14 if part.kind == "point" and number else 0), y, mark + line))
        y -= 6 if part.kind in ("text", "point", "blank") else 10
    yield lines


def one_page(parts: Sequence[Part], rest: str) -> list[Part]:
    """Those that one page holds: the last points give way to `rest`, which says where they are."""
    kept = list(parts)
    while len(list(_pages(kept))) > 1:
        last = max(
            (place for place, part in enumerate(kept) if part.kind == "point" and part.text != rest), default=None
        )
        if last is None:
            raise ValueError("What is no point fills more than a page.")
        if Part("point", rest) not in kept:
            kept.insert(last + 1, Part("point", rest))
        del kept[last]
    return kept


def _encoded(text: str) -> bytes:
    out = bytearray()
    for letter in unicodedata.normalize("NFC", text):
        try:
            out += letter.encode("cp1252")
        except UnicodeEncodeError:
            plain = "".join(one for one in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(one))
            out += plain.encode("cp1252", "replace")
    return bytes(out)


def printed(request: Request, parts: Sequence[Part], title: str, language: str, name: str) -> Response:
    """The PDF as a file to open or print."""
    answer = Response(pdf(parts, title, language), media_type="application/pdf")
    answer.headers["content-disposition"] = f'attachment; filename="{name}.pdf"'
    return confine(request, answer)
