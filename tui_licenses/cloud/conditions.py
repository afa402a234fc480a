"""Which conditions an index serves is said by the statement, not guessed by the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, Select, and_, case, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

Condition = ColumnElement[bool]

_ZERO, _ONE = literal_column("0", Integer), literal_column("1", Integer)


def opaque(conditions: Sequence[Condition]) -> list[Condition]:
    """Return conditions in a form that no index serves: they are looked at row by row."""
    if not conditions:
        return []
    return [case((and_(*conditions), _ONE), else_=_ZERO) == _ONE]


class _Among(FunctionElement[bool]):
    """A column among the values that a selection finds first."""

    name = "among"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: object = None) -> _Among:
        """Stay as it is beside AND and OR: `= 1` behind it would hide it from every index."""
        del against
        return self


@compiles(_Among)
def _among(element: _Among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    column, found = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN {found}"


@compiles(_Among, "postgresql")
def _among_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    # Beside an OR no index serves IN with a selection; it serves an array.
    column, found = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY (ARRAY{found})"


def among(column: ColumnElement[str], found: Select[tuple[str]]) -> Condition:
    """Return that a column is among what a selection finds, so that an index serves it."""
    return _Among(column, found.scalar_subquery())
