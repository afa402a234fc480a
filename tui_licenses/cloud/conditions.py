"""Which conditions an index serves is said by the statement, not guessed by the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, case

Condition = ColumnElement[bool]


def opaque(conditions: Sequence[Condition]) -> list[Condition]:
    """Return conditions in a form that no index serves: they are looked at row by row."""
    return [case((and_(*conditions), 1), else_=0) == 1] if conditions else []
