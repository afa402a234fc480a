"""How wide each column of a table is on a terminal of a given width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

GAP_CELLS = 1


class Fitted(Protocol):
    """What a column says about its width; `drop_order` 0 means it is never dropped."""

    @property
    def width(self) -> int:
        """Return the cells it would like to have."""

    @property
    def minimum(self) -> int:
        """Return the cells below which it is of no use."""

    @property
    def drop_order(self) -> int:
        """Return when it is dropped: the highest goes first, 0 never."""


ColumnT = TypeVar("ColumnT", bound=Fitted)


def fit_columns(columns: Sequence[ColumnT], width: int) -> tuple[tuple[ColumnT, int], ...]:
    """Return the columns that fit into `width` cells, each with its own width.

    Columns are dropped until the least widths fit; what is left over goes to columns that want
    more, and beyond that to those that are not of one fixed width.
    """
    kept = list(columns)
    while _least(kept) > width:
        droppable = [column for column in kept if column.drop_order]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda column: column.drop_order))
    widths = [column.minimum for column in kept]
    spare = width - _least(kept)
    wanted = [max(0, column.width - column.minimum) for column in kept]
    spare -= _spread(widths, wanted, spare)
    flexible = [index for index, more in enumerate(wanted) if more]
    for turn, index in enumerate(flexible):
        widths[index] += max(0, spare) // (len(flexible) - turn)
        spare -= max(0, spare) // (len(flexible) - turn)
    return tuple(zip(kept, widths, strict=True))


def _least(columns: Sequence[Fitted]) -> int:
    return sum(column.minimum for column in columns) + GAP_CELLS * max(0, len(columns) - 1)


def _spread(widths: list[int], wanted: list[int], spare: int) -> int:
    """Widen in proportion to what is wanted, at most by `spare`; return what was given."""
    total = sum(wanted)
    if spare <= 0 or not total:
        return 0
    budget = min(spare, total)
    given = 0
    for index, more in enumerate(wanted):
        share = more * budget // total
        widths[index] += share
        given += share
    for index, more in enumerate(wanted):
        if given < budget and more > more * budget // total:
            widths[index] += 1
            given += 1
    return given
