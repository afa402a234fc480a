"""What a database and a database file have in common when another takes their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from tui_licenses.cloud.database import Database
from tui_licenses.errors import StateError

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Engines

# Makes and fills the tables of an empty database in the transaction it is given.
Fill = Callable[["Engines", Connection], None]


@dataclass(frozen=True, slots=True)
class HeldDatabase:
    """A database that nobody else can change, from what is read of it to its replacement.

    `connection` reads what is there; None where that is lost or unreadable. `replace` fills the
    new one, dates the one before, and returns where that is kept.
    """

    connection: Connection | None
    replace: Callable[[datetime, Fill], str | None]


def in_use(database: Database) -> StateError:
    """Return the error for a database that must be left alone first."""
    return StateError(
        "database-in-use",
        f"Something uses {database.shown}.",
        "Stop the cloud that serves it, then restore.",
    )
