"""Schema revisions of the license cloud, run by the program itself."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from tui_licenses.errors import UseError


def migrate(engine: Engine) -> bool:
    """Bring a database to the newest revision; return whether anything was done.

    Raises `UseError` (`database-newer`) for a database of a newer program.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    # Without it alembic splits the option above at blanks and colons.
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    with engine.connect() as connection, connection.begin():
        current = MigrationContext.configure(connection).get_current_revision()
    if current == script.get_current_head():
        return False
    if current is not None and current not in {entry.revision for entry in script.walk_revisions()}:
        raise UseError(
            "database-newer",
            "This database was made by a newer version of the license cloud.",
            "Use that version, or restore a backup made before the upgrade.",
        )
    with engine.connect() as connection:
        writing = connection.execution_options(begin_immediate=True)
        with writing.begin():
            if engine.dialect.name == "postgresql":
                from tui_licenses.cloud.postgresql import lift_limits

                lift_limits(writing)
            config.attributes["connection"] = writing
            command.upgrade(config, "head")
    return True
