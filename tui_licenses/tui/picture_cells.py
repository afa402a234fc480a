"""The cells of a picture as bytes and back: the first picture of a start is kept as these."""

from __future__ import annotations

from itertools import groupby

import msgspec

from tui_licenses.tui.terminal_cells import Line, Pen, PenCodes

# Stands between the glyphs of a line; no glyph holds a control character.
_BETWEEN = "\x1f"


class _Run(msgspec.Struct, array_like=True):
    """So many cells in a row that one pen draws."""

    count: int
    pen: PenCodes


class _Row(msgspec.Struct, array_like=True):
    glyphs: str
    runs: list[_Run]


def encode_lines(lines: list[Line]) -> bytes:
    """Return the cells of lines as bytes."""
    return msgspec.msgpack.encode(
        [
            _Row(
                _BETWEEN.join(line.glyphs),
                [_Run(len(list(cells)), pen.codes) for pen, cells in groupby(line.pens)],
            )
            for line in lines
        ]
    )


def decode_lines(data: bytes) -> list[Line] | None:
    """Return the lines that were encoded; None where the bytes are anything else."""
    try:
        rows = msgspec.msgpack.decode(data, type=list[_Row])
    except msgspec.MsgspecError:
        return None
    lines: list[Line] = []
    for row in rows:
        glyphs = row.glyphs.split(_BETWEEN)
        pens = [pen for run in row.runs for pen in [Pen.known(*run.pen)] * run.count]
        if len(glyphs) != len(pens) or len(pens) != len(lines[0].pens if lines else pens):
            return None
        lines.append(Line(glyphs, pens))
    return lines
