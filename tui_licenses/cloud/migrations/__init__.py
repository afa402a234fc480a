"""Schema revisions of the license cloud, run by the program itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from tui_licenses.errors import UseError

if TYPE_CHECKING:
    from alembic.config import Config


# Gets the connection of a migration and the revision before it, None for an empty database.
Finish = Callable[[Connection, str | None], None]


def migrate(engine: Engine, finish: Finish) -> bool:
    """Bring a database to the newest revision; return whether anything was done.

    `finish` does what is left in the same transaction, and may refuse. Raises what it does, and
    `UseError` (`database-newer`) for a database of a newer program.
    """
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(_configuration())
    with engine.connect() as connection, connection.begin():
        current = MigrationContext.configure(connection).get_current_revision()
    if current == script.get_current_head():
        return False
    if current is not None and current not in {entry.revision for entry in script.walk_revisions()}:
        raise newer()
    with engine.connect() as connection:
        writing = connection.execution_options(begin_immediate=True)
        with writing.begin():
            if engine.dialect.name == "postgresql":
                from tui_licenses.cloud.postgresql import lift_limits

                lift_limits(writing)
            upgrade(writing)
            finish(writing, current)
    return True


def newer() -> UseError:
    """Return the error for a database of a newer program."""
    return UseError(
        "database-newer",
        "This database was made by a newer version of the license cloud.",
        "Use that version, or restore a backup made before the upgrade.",
    )


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring a database to a revision in the transaction of a connection."""
    from alembic import command

    config = _configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _configuration() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    # Without it alembic splits the option above at blanks and colons.
    config.set_main_option("path_separator", "os")
    return config
