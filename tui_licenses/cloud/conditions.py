"""Which conditions an index serves is said by the statement, not guessed by the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Integer, and_, case, literal_column

Condition = ColumnElement[bool]

_ZERO, _ONE = literal_column("0", Integer), literal_column("1", Integer)


def opaque(conditions: Sequence[Condition]) -> list[Condition]:
    """Return conditions in a form that no index serves: they are looked at row by row."""
    if not conditions:
        return []
    return [case((and_(*conditions), _ONE), else_=_ZERO) == _ONE]
