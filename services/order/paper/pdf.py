"""A document as a PDF file. The font has Latin, Greek and Cyrillic; what it has no glyph for is a box, and stands on the page."""

from collections.abc import Sequence

import fpdf
import ttf_opensans  # type: ignore[import-untyped]  # it has no types
from fpdf.enums import TableBordersLayout, TextEmphasis
from fpdf.fonts import FontFace

from services.order import paper
from services.order.domain import documents

_FAMILY = "OpenSans"
_LINE_WIDTHS = (52, 30, 18, 20, 18, 18, 14, 20)
_SHARE_WIDTHS = (40, 50, 50, 50)
_LEFT_COLUMNS = {len(_LINE_WIDTHS): 2, len(_SHARE_WIDTHS): 1}


def as_pdf(issued: documents.Issued) -> bytes:
    """The document as a file. It takes some tens of milliseconds of CPU: for a thread."""
    sheet = paper.sheet(issued)
    file = fpdf.FPDF(format="A4")
    # The same document is the same file, whenever it is asked for.
    file.set_creation_date(issued.document.issue_time)
    file.set_title(f"{sheet.title} {sheet.number}")
    file.add_font(_FAMILY, "", ttf_opensans.OPENSANS_REGULAR.path)
    file.add_font(_FAMILY, "B", ttf_opensans.OPENSANS_BOLD.path)
    file.add_page()
    _head(file, sheet)
    if sheet.lines:
        _table(file, [paper.LINE_HEADS, *sheet.lines], _LINE_WIDTHS)
    _table(file, [paper.SHARE_HEADS, *sheet.shares], _SHARE_WIDTHS)
    file.set_font(_FAMILY, "B", 13)
    file.cell(0, 10, f"Total {sheet.total}", align="R", new_x="LMARGIN", new_y="NEXT")
    file.set_font(_FAMILY, "", 9)
    file.cell(0, 6, sheet.remark)
    return bytes(file.output())


def _head(file: fpdf.FPDF, sheet: paper.Sheet) -> None:
    file.set_font(_FAMILY, "B", 18)
    file.cell(0, 12, f"{sheet.title} {sheet.number}", new_x="LMARGIN", new_y="NEXT")
    file.set_font(_FAMILY, "", 10)
    for block in (sheet.seller, sheet.buyer, [f"{name}: {value}" for name, value in sheet.facts]):
        for line in block:
            file.multi_cell(0, 5, line, new_x="LMARGIN", new_y="NEXT")
        file.ln(4)


def _table(file: fpdf.FPDF, rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    left = _LEFT_COLUMNS[len(widths)]
    file.set_font(_FAMILY, "", 8)
    with file.table(
        col_widths=tuple(widths),
        text_align=("LEFT",) * left + ("RIGHT",) * (len(widths) - left),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis=TextEmphasis.B),
        line_height=5,
    ) as table:
        for row in rows:
            table.row(row)
    file.ln(4)
