"""Two changes that meet: one of them is done anew, so that its answer is the one it would get."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from tui_licenses.api.problems import Problem

Answer = TypeVar("Answer")

# PostgreSQL's serialization failure and deadlock: the transaction is gone, not the request.
_CONFLICTS = frozenset({"40001", "40P01"})
# 8 times: each time somebody else got further. Then the caller is told.
_TIMES = 8
_SECONDS_EACH = 0.02


class RowMovedError(Problem):
    """A row was changed by another transaction after this one had read it."""

    def __init__(self) -> None:
        # Not `revision-mismatch`: that one shows the object as it is now.
        super().__init__(
            "unavailable",
            "Others changed this at the same moment, again and again; nothing was done.",
            headers={"Retry-After": "1"},
        )


def repeated(work: Callable[[], Answer]) -> Answer:
    """Return the answer of work that is done anew after it met another change.

    Work is one transaction or several that can be repeated as a whole. On SQLite nothing meets:
    there is one writer at a time.
    """
    for attempt in range(1, _TIMES):
        try:
            return work()
        except (RowMovedError, DBAPIError) as error:
            if not _is_conflict(error):
                raise
        # Random, so that two that met do not meet again.
        time.sleep(random.random() * _SECONDS_EACH * attempt)  # noqa: S311
    return work()


def _is_conflict(error: RowMovedError | DBAPIError) -> bool:
    if isinstance(error, RowMovedError):
        return True
    return getattr(error.orig, "sqlstate", None) in _CONFLICTS
