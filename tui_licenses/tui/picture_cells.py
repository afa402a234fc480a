"""The cells of a picture as bytes and back: the first picture of a start is kept as these."""

from __future__ import annotations

import re
from itertools import groupby

import msgspec

from tui_licenses.tui.terminal_cells import Line, Pen

# Stands between the glyphs of a line; no glyph holds a control character.
_BETWEEN = "\x1f"
_CONTROL = re.compile(r"[\x00-\x1e\x7f-\x9f]")
_NO_CODE = re.compile(r"[^0-9;]")


class _Run(msgspec.Struct, array_like=True):
    """So many cells in a row that one pen draws."""

    count: int
    attributes: tuple[str, ...]
    foreground: str
    background: str


class _Row(msgspec.Struct, array_like=True):
    glyphs: str
    runs: list[_Run]


def encode_lines(lines: list[Line]) -> bytes:
    """Return the cells of lines as bytes."""
    return msgspec.msgpack.encode(
        [
            _Row(
                _BETWEEN.join(line.glyphs),
                [_run(pen, len(list(cells))) for pen, cells in groupby(line.pens)],
            )
            for line in lines
        ]
    )


def _run(pen: Pen, count: int) -> _Run:
    return _Run(count, pen.attributes, pen.foreground, pen.background)


def decode_lines(data: bytes) -> list[Line] | None:
    """Return the lines that were encoded; None where the bytes are anything else."""
    try:
        rows = msgspec.msgpack.decode(data, type=list[_Row])
    except msgspec.MsgspecError:
        return None
    lines: list[Line] = []
    for row in rows:
        glyphs = row.glyphs.split(_BETWEEN)
        pens: list[Pen] = []
        if _CONTROL.search(row.glyphs):
            return None
        for run in row.runs:
            if _NO_CODE.search(";".join((*run.attributes, run.foreground, run.background))):
                return None
            pen = Pen.known(run.attributes, run.foreground, run.background)
            pens += [pen] * run.count
        if len(glyphs) != len(pens) or len(pens) != len(lines[0].pens if lines else pens):
            return None
        lines.append(Line(glyphs, pens))
    return lines
