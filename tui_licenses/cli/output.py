"""The only writer to standard output: tables, JSON, JSON lines and CSV.

JSON is one envelope, for failures too: `{"schemaVersion": 1, "result": "success" | "failure",
"data": …, "errors": […], "warnings": […]}`. Everything that is not data goes to standard error.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any

from tui_licenses.errors import Detail, TuiLicensesError
from tui_licenses.text import clean, pad, width_cells

SCHEMA_VERSION = 1
_BETWEEN_COLUMNS = "  "

Record = dict[str, Any]
Column = tuple[str, Callable[[Record], str]]


class Format(StrEnum):
    """How data is written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


class Output:
    """Writes what a command has to say, in one format."""

    def __init__(self, format_: Format = Format.TABLE, *, has_colour: bool = True) -> None:
        self.format = format_
        self.has_colour = has_colour
        self.warnings: list[str] = []

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

    def raw(self, data: bytes) -> None:
        """Write a document as it is, byte for byte."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def failure(self, error: TuiLicensesError, data: object = None) -> None:
        """Write what went wrong: a sentence and a next step, and in JSON the envelope too."""
        if self.format is Format.JSON:
            self._envelope(data, error)
        elif self.format is Format.JSONL:
            self._line(_json({"errors": _errors(error)}))
        self.note(f"Error: {error.message}")
        for detail in error.details:
            where = f"{detail.pointer}: " if detail.pointer else ""
            self.note(f"  {where}{detail.message}")
        if error.next_step:
            self.note(error.next_step)

    def warn(self, text: str) -> None:
        """Tell something that matters but stops nothing: standard error, and `warnings`."""
        self.warnings.append(text)
        self.note(f"Warning: {text}")

    def note(self, text: str) -> None:
        """Write a line for people to standard error."""
        print(clean(text), file=sys.stderr, flush=True)

    def progress(self, done: int, total: int, text: str) -> None:
        """Redraw one progress line on a terminal; write nothing anywhere else."""
        if not sys.stderr.isatty():
            return
        line = clean(f"{done} of {total}  {text}")
        ending = "\n" if done == total else ""
        sys.stderr.write(f"\r{pad(line, max(20, _terminal_columns() - 1))}{ending}")
        sys.stderr.flush()

    def _envelope(self, data: object, error: TuiLicensesError | None = None) -> None:
        self._line(
            _json(
                {
                    "schemaVersion": SCHEMA_VERSION,
                    "result": "success" if error is None else "failure",
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
        for cells in (titles, *rows):
            padded = (pad(cell, width) for cell, width in zip(cells, widths, strict=True))
            self._line(_BETWEEN_COLUMNS.join(padded).rstrip())

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


def error_record(
    code: str, message: str, next_step: str = "", pointer: str | None = None
) -> Record:
    """Return the JSON of one error."""
    record: Record = {"code": code, "message": message, "nextStep": next_step}
    if pointer is not None:
        record["pointer"] = pointer
    return record


def _errors(error: TuiLicensesError) -> list[Record]:
    whole = error_record(error.code, error.message, error.next_step)
    if error.request_id is not None:
        whole["requestId"] = error.request_id
    return [whole, *(_detail(detail) for detail in error.details)]


def _detail(detail: Detail) -> Record:
    return error_record(detail.code, detail.message, pointer=detail.pointer)


def _rows(records: Sequence[Record], columns: Sequence[Column]) -> list[list[str]]:
    return [[clean(cell(record)) for _, cell in columns] for record in records]


def _json(value: object, indent: int | None = None) -> str:
    # ASCII only: no escape sequence or override reaches a terminal, and every value survives.
    return json.dumps(value, ensure_ascii=True, indent=indent)


def _csv_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    return _json(value)


def _terminal_columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except OSError:
        return 80
