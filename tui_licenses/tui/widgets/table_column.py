"""What a table knows about its columns and rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar, runtime_checkable

from tui_licenses.text import shorten

RowT = TypeVar("RowT")


def no_tone(_row: object) -> str | None:
    """Give a row no colour of its own."""
    return None


@runtime_checkable
class Indexed(Protocol):
    """Rows that know where one of them stands; others are searched from the top."""

    def index_of(self, row_id: str) -> int | None:
        """Return the place of the row with an id."""


@dataclass(frozen=True, slots=True)
class TableColumn(Generic[RowT]):
    """One column: `cell` gives the text of a row, `tone` names its colour.

    Tones are `good`, `warning`, `bad`, `dim` and `strong`; no tone may be the only sign of
    anything. `drop_order`: the highest is dropped first on narrow terminals, 0 never. `shorten`
    cuts a text that is too wide, where an ellipsis at its end would not do. A text that
    `may_run_on` covers the columns after it where those are empty.
    """

    id: str
    title: str
    width: int
    minimum: int
    cell: Callable[[RowT], str]
    drop_order: int = 0
    tone: Callable[[RowT], str | None] = field(default=no_tone)
    shorten: Callable[[str, int], str] = field(default=shorten)
    may_run_on: bool = False
