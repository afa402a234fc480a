"""The page of a certificate, drawn with fpdf2: one A4 sheet, no links, no markup."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import segno
from fpdf import FPDF
from fpdf.fonts import TTFFont

from tui_licenses.documents.certificate_fonts import drawable, write_reduced_fonts
from tui_licenses.domain.license_key import Feature, KeyKind

if TYPE_CHECKING:
    from tui_licenses.documents.certificate import CertificateContent

# Millimetres, from the top left corner of an A4 page.
_LEFT = 20.0
_WIDTH = 170.0
_LABEL_WIDTH = 42.0
_TOP = 44.0
_FEATURES_BOTTOM = 214.0
_QR_TOP = 222.0
_QR_SIZE = 52.0
_CODE_LEFT = _LEFT + _QR_SIZE + 6
_LINE = 5.4
_GAP = 1.6
_LINE_PER_POINT = _LINE / 10.5

_VALUE_LINES_MAXIMUM = 3
# Any of the eight masks can be read; looking for the prettiest takes longer than the page.
_QR_MASK = 3
_INK = (24, 28, 36)
_MUTED = (96, 104, 118)
_ACCENT = (0, 121, 92)

_TITLE = "License certificate"
_VERIFY = "Check this certificate: tui-licenses verify --certificate-code"
_ELLIPSIS = "…"
_ZERO_WIDTH_SPACE = 0x200B


def draw_certificate(content: CertificateContent, code: str) -> bytes:
    """Return the PDF of a certificate and its code."""
    rows = [(label, drawable(value)) for label, value in _rows(content)]
    features = [_feature_text(feature) for feature in content.features]
    number = drawable(content.certificate_number)
    printed = "".join(
        [_TITLE, _VERIFY, code, number, _ELLIPSIS, _more(0), "0123456789", "Features"]
        + [label + value for label, value in rows]
        + [name + quantity for name, quantity in features]
    )
    with tempfile.TemporaryDirectory() as folder:
        page = _Page(write_reduced_fonts(printed, Path(folder)), content.issued_at.astimezone(UTC))
        page.set_title(f"{_TITLE} {number}")
        # Where a program finds it without reading the page.
        page.set_keywords(code)
        page.draw_heading(number)
        page.draw_rows(rows)
        page.draw_features(features)
        page.draw_code(code)
        page.hide_glyphs_without_text()
        return bytes(page.output())


def _rows(content: CertificateContent) -> Iterator[tuple[str, str]]:
    yield "Account", content.account_name
    yield "Product", content.product_name
    yield "Kind", "Master key" if content.kind is KeyKind.MASTER else "Add-on key"
    yield "License key", f"•••• •••• •••• {content.key_last_four}"
    yield "Instance", content.instance_name or "Not assigned"
    yield "Order reference", content.order_reference or "None"
    yield "Issued", _date(content.issued_at, "")
    yield "Starts", _date(content.starts_at, "With its activation")
    yield "Activated", _date(content.activated_at, "Not activated")
    yield "Expires", _date(content.expires_at, "Never (perpetual)")


def _date(moment: datetime | None, absent: str) -> str:
    return absent if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _feature_text(feature: Feature) -> tuple[str, str]:
    quantity = "" if feature.quantity is None else f"× {feature.quantity}"
    return f"{drawable(feature.name)} ({drawable(feature.code)})", quantity


def _more(count: int) -> str:
    return f"and {count} more"


class _Page(FPDF):
    """One page with the fonts that its text needs."""

    def __init__(self, fonts: list[tuple[str, Path]], created: datetime) -> None:
        super().__init__(format="A4", unit="mm")
        self.set_creation_date(created)
        self.set_auto_page_break(False)
        self.set_margin(0)
        self.c_margin = 0.0
        for family, path in fonts:
            self.add_font(family, "", path)
        self._family = fonts[0][0]
        self.set_fallback_fonts([family for family, _ in fonts[1:]], exact_match=False)
        self.add_page()

    def draw_heading(self, number: str) -> None:
        self.set_fill_color(*_ACCENT)
        self.rect(0, 0, 210, 3, style="F")
        self._write(_LEFT, 16, _WIDTH, _TITLE, size=24)
        self._write(_LEFT, 28, _WIDTH, number, size=11, color=_MUTED, lines_maximum=1)

    def draw_rows(self, rows: list[tuple[str, str]]) -> None:
        y = _TOP
        for label, value in rows:
            self._write(_LEFT, y, _LABEL_WIDTH, label, color=_MUTED)
            y = self._write(_LEFT + _LABEL_WIDTH, y, _WIDTH - _LABEL_WIDTH, value) + _GAP
        self.set_y(y)

    def draw_features(self, features: list[tuple[str, str]]) -> None:
        y = self.get_y() + 2
        self._write(_LEFT, y, _LABEL_WIDTH, "Features", color=_MUTED)
        left = _LEFT + _LABEL_WIDTH
        if not features:
            self._write(left, y, _WIDTH - _LABEL_WIDTH, "None")
        for index, (name, quantity) in enumerate(features):
            rest = len(features) - index
            # A line is kept for the count of what follows, unless nothing does.
            if y + _LINE * min(rest, 2) > _FEATURES_BOTTOM:
                self._write(left, y, _WIDTH - _LABEL_WIDTH, _more(rest), color=_MUTED)
                return
            self._write(left + 104, y, 24, quantity)
            y = self._write(left, y, 102, name, lines_maximum=1)

    def draw_code(self, code: str) -> None:
        self._draw_qr(code)
        width = _LEFT + _WIDTH - _CODE_LEFT
        y = self._write(_CODE_LEFT, _QR_TOP, width, _VERIFY, size=7.5, color=_MUTED)
        characters = 64
        for start in range(0, len(code), characters):
            self._write(_CODE_LEFT, y, width, code[start : start + characters], size=7, line=3.2)
            y += 3.2

    def hide_glyphs_without_text(self) -> None:
        """Let a reader that copies text skip the further glyphs of a letter that has several.

        Without a mapping it would show the internal number of the glyph as a character.
        """
        for font in self.fonts.values():
            assert isinstance(font, TTFFont)
            for glyph, _ in tuple(font.subset.items()):
                if glyph is not None and glyph.unicode == ():
                    glyph.unicode = (_ZERO_WIDTH_SPACE,)

    def _draw_qr(self, code: str) -> None:
        matrix = segno.make_qr(code, error="L", boost_error=False, mask=_QR_MASK).matrix
        module = _QR_SIZE / len(matrix)
        self.set_fill_color(0, 0, 0)
        for row, modules in enumerate(matrix):
            for start, length in _dark_runs(modules):
                self.rect(
                    _LEFT + start * module,
                    _QR_TOP + row * module,
                    length * module,
                    module,
                    style="F",
                )

    def _write(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        *,
        size: float = 10.5,
        line: float | None = None,
        color: tuple[int, int, int] = _INK,
        lines_maximum: int = _VALUE_LINES_MAXIMUM,
    ) -> float:
        """Write at most so many lines; return where the next one starts."""
        self.set_font(self._family, size=size)
        self.set_text_color(*color)
        # Shaping orders and joins letters; ASCII needs neither and is far faster without.
        self.set_text_shaping(use_shaping_engine=not text.isascii())
        height = line or size * _LINE_PER_POINT
        lines = self._lines(text, width, height)
        if len(lines) > lines_maximum:
            lines = self._cut(lines, lines_maximum, width, height)
        for part in lines:
            self.set_xy(x, y)
            self.cell(width, height, part)
            y += height
        return y

    def _lines(self, text: str, width: float, height: float) -> list[str]:
        if text.isascii() and self.get_string_width(text) <= width:
            return [text]
        found = self.multi_cell(width, height, text, dry_run=True, output="LINES", align="L")
        assert isinstance(found, list)
        return found

    def _cut(self, lines: list[str], maximum: int, width: float, height: float) -> list[str]:
        last = lines[maximum - 1]
        while last and len(self._lines(last + _ELLIPSIS, width, height)) > 1:
            last = last[:-1]
        return [*lines[: maximum - 1], last + _ELLIPSIS]


def _dark_runs(modules: bytearray) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(modules):
        end = start
        while end < len(modules) and modules[end] == modules[start]:
            end += 1
        if modules[start]:
            yield start, end - start
        start = end
