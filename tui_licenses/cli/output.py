"""The only writer to standard output: tables, JSON, JSON lines and CSV.

Tables and CSV are for people and their spreadsheets: what comes from outside is cleaned, and a
cell is never a formula. JSON and JSON lines are for programs: ASCII, each value as it was.

JSON is one envelope, for failures too: `{"schemaVersion": 1, "result": "success" | "failure" |
"unknown", "data": …, "errors": […], "warnings": […]}`. Everything that is not data goes to standard
error.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, TextIO

from tui_licenses.errors import (
    Detail,
    NotAllowedError,
    OutcomeUnknownError,
    TuiLicensesError,
    UnavailableError,
)
from tui_licenses.text import clean, pad, spreadsheet_cell, width_cells

SCHEMA_VERSION = 1
_BETWEEN_COLUMNS = "  "
# What other commands take, or a person compares: never cut to fit a terminal.
_HANDLES = frozenset({"ID", "KEY", "SHA-256", "PATH", "FINGERPRINT", "SUBJECT ID", "REFRESH TOKEN"})
_CELLS_LEAST = 6
_COLUMNS_DEFAULT = 80
_BOLD, _RED, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[0m"

Record = dict[str, Any]
Column = tuple[str, Callable[[Record], str]]


class Format(StrEnum):
    """How data is written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


class Output:
    """Writes what a command has to say, in one format.

    A table for people is fitted to their terminal and has a bold heading; where a format was
    named, `table` too, the bytes are the same on a terminal and on a pipe.
    """

    def __init__(self, format_: Format | None = None, *, has_colour: bool = True) -> None:
        self.format = format_ or Format.TABLE
        self.is_format_named = format_ is not None
        self.has_colour = has_colour
        self.warnings: list[str] = []
        self._kept: object = None

    def choose(self, format_: Format) -> None:
        """Write everything from here on in a format that was named."""
        self.format = format_
        self.is_format_named = True

    def keep(self, data: object) -> None:
        """Keep data that a failure which follows is to show beside its error."""
        self._kept = data

    def items(self, records: Sequence[Record], columns: Sequence[Column], **more: object) -> None:
        """Write a list: a table, `data.items`, one line a record, or CSV."""
        if self.format is Format.JSON:
            self._envelope({"items": list(records), **more})
        elif self.format is Format.JSONL:
            for record in records:
                self._line(_json(record))
        elif self.format is Format.CSV:
            self._csv(records)
        else:
            self._table([title for title, _ in columns], _rows(records, columns))

    def outcomes(self, records: Sequence[Record], columns: Sequence[Column]) -> None:
        """Write the outcomes of an action that failed in parts; its error follows."""
        if self.format is Format.JSON:
            self.keep({"items": list(records)})
        else:
            self.items(records, columns)

    def item(self, record: Record, facts: Iterable[tuple[str, str]]) -> None:
        """Write one object: its facts as two columns, `data`, one line, or CSV."""
        if self.format is Format.JSON:
            self._envelope(record)
        elif self.format is Format.JSONL:
            self._line(_json(record))
        elif self.format is Format.CSV:
            self._csv([record])
        else:
            shown = [(label, clean(value)) for label, value in facts]
            width = max((width_cells(label) for label, _ in shown), default=0)
            for label, value in shown:
                self._line(f"{pad(label, width)}{_BETWEEN_COLUMNS}{value}".rstrip())

    def paragraph(self, label: str, text: str) -> None:
        """Write a sentence or two behind a label; on a person's terminal in lines that fit."""
        head = f"{clean(label)}{_BETWEEN_COLUMNS}"
        if not self._is_for_people():
            self._line(f"{head}{clean(text)}")
            return
        from textwrap import wrap

        columns = max(_terminal_columns(sys.stdout), 2 * len(head))
        lines = wrap(
            clean(text),
            columns,
            initial_indent=head,
            subsequent_indent=" " * len(head),
            # A path or a command is copied as a whole.
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in lines:
            self._line(line)

    def document(self, data: bytes) -> None:
        """Write a document byte for byte; on a terminal its lines, made safe to look at."""
        if sys.stdout.isatty():
            for line in data.decode(errors="replace").split("\n"):
                self._line(clean(line))
            return
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def failure(self, error: TuiLicensesError) -> None:
        """Write what went wrong: a sentence and a next step, and in JSON the envelope too."""
        if self.format is Format.JSON:
            self._envelope(self._kept, error)
        elif self.format is Format.JSONL:
            self._line(_json({"errors": _errors(error)}))
        sys.stdout.flush()
        # What may have been done has not failed.
        label = "Unknown:" if isinstance(error, OutcomeUnknownError) else "Error:"
        if self._is_coloured(sys.stderr):
            label = f"{_RED}{label}{_PLAIN}"
        print(f"{label} {clean(error.message)}", file=sys.stderr)
        for detail in error.details:
            where = f"{detail.pointer}: " if detail.pointer else ""
            self.note(f"  {where}{detail.message}")
        if error.next_step:
            self.note(error.next_step)
        contact = _support_contact(error)
        if contact is not None and contact not in error.next_step:
            self.note(f"Contact: {contact}")

    def warn(self, text: str) -> None:
        """Tell something that matters but stops nothing: standard error, and `warnings`."""
        self.warnings.append(text)
        self.note(f"Warning: {text}")

    def flush(self) -> None:
        """Let whoever reads us see what was written so far."""
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Write a line for people to standard error."""
        print(clean(text), file=sys.stderr, flush=True)

    def progress(self, text: str, *, is_last: bool) -> None:
        """Redraw one progress line on a terminal; write nothing anywhere else."""
        if not sys.stderr.isatty():
            return
        width = max(20, _terminal_columns(sys.stderr) - 1)
        ending = "\n" if is_last else ""
        sys.stderr.write(f"\r{pad(clean(text), width)}{ending}")
        sys.stderr.flush()

    def _envelope(self, data: object, error: TuiLicensesError | None = None) -> None:
        self._line(
            _json(
                {
                    "schemaVersion": SCHEMA_VERSION,
                    "result": _result(error),
                    "data": data,
                    "errors": [] if error is None else _errors(error),
                    "warnings": self.warnings,
                },
                indent=2,
            )
        )

    def _table(self, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        widths = [
            max(width_cells(title), *(width_cells(row[number]) for row in rows), 0)
            for number, title in enumerate(titles)
        ]
        if self._is_for_people():
            _fit(titles, widths, _terminal_columns(sys.stdout))
        lines = [
            _BETWEEN_COLUMNS.join(map(pad, cells, widths)).rstrip() for cells in (titles, *rows)
        ]
        if self._is_for_people() and self._is_coloured(sys.stdout):
            lines[0] = f"{_BOLD}{lines[0]}{_PLAIN}"
        for line in lines:
            self._line(line)

    def _csv(self, records: Sequence[Record]) -> None:
        if not records:
            return
        text = io.StringIO()
        names = list(dict.fromkeys(name for record in records for name in record))
        writer = csv.DictWriter(text, names, lineterminator="\r\n")
        writer.writeheader()
        for record in records:
            writer.writerow({name: _csv_cell(value) for name, value in record.items()})
        sys.stdout.write(text.getvalue())

    def _line(self, text: str) -> None:
        sys.stdout.write(text + "\n")

    def _is_for_people(self) -> bool:
        return not self.is_format_named and sys.stdout.isatty()

    def _is_coloured(self, stream: TextIO) -> bool:
        return self.has_colour and stream.isatty()


def error_record(
    code: str, message: str, next_step: str = "", pointer: str | None = None
) -> Record:
    """Return the JSON of one error."""
    record: Record = {"code": code, "message": message, "nextStep": next_step}
    if pointer is not None:
        record["pointer"] = pointer
    return record


def _result(error: TuiLicensesError | None) -> str:
    if error is None:
        return "success"
    return "unknown" if isinstance(error, OutcomeUnknownError) else "failure"


def _errors(error: TuiLicensesError) -> list[Record]:
    whole = error_record(error.code, error.message, error.next_step)
    if error.request_id is not None:
        whole["requestId"] = error.request_id
    if isinstance(error, NotAllowedError) and error.plan is not None:
        whole |= {"plan": error.plan, "supportContact": _support_contact(error)}
    if isinstance(error, UnavailableError) and error.retry_after_seconds is not None:
        whole["retryAfterSeconds"] = error.retry_after_seconds
    return [whole, *(_detail(detail) for detail in error.details)]


def _support_contact(error: TuiLicensesError) -> str | None:
    return error.support_contact if isinstance(error, NotAllowedError) else None


def _detail(detail: Detail) -> Record:
    return error_record(detail.code, detail.message, pointer=detail.pointer)


def _rows(records: Sequence[Record], columns: Sequence[Column]) -> list[list[str]]:
    return [[clean(cell(record)) for _, cell in columns] for record in records]


def _json(value: object, indent: int | None = None) -> str:
    # ASCII only: no escape sequence or override reaches a terminal, and every value survives. DEL
    # is ASCII, and can only stand in a string.
    return json.dumps(value, ensure_ascii=True, indent=indent).replace("\x7f", "\\u007f")


def _csv_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return spreadsheet_cell(value)
    return _json(value)


def _fit(titles: Sequence[str], widths: list[int], columns: int) -> None:
    """Narrow the widest columns until a table fits; handles keep their width."""
    narrowable = [number for number, title in enumerate(titles) if title not in _HANDLES]
    excess = sum(widths) + len(_BETWEEN_COLUMNS) * (len(widths) - 1) - columns
    while excess > 0 and narrowable:
        widest = max(narrowable, key=lambda number: widths[number])
        if widths[widest] <= _CELLS_LEAST:
            return
        widths[widest] -= 1
        excess -= 1


def _terminal_columns(stream: TextIO) -> int:
    try:
        # 0 is what a serial line says when it does not know.
        return os.get_terminal_size(stream.fileno()).columns or _COLUMNS_DEFAULT
    except OSError:
        return _COLUMNS_DEFAULT
