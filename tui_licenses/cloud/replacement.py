"""What a database and a database file have in common when another takes their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from tui_licenses.cloud.database import Database
from tui_licenses.errors import StateError

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Engines

# Makes and fills the tables of an empty database in the transaction it is given.
Fill = Callable[["Engines", Connection], None]


def in_use(database: Database) -> StateError:
    """Return the error for a database that must be left alone first."""
    return StateError(
        "database-in-use",
        f"Something uses {database.shown}.",
        "Stop the cloud that serves it, then restore.",
    )
