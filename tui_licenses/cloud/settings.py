"""What a cloud remembers about itself."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select

from tui_licenses.cloud import tables

_TABLE = tables.cloud_setting
_READ = select(_TABLE.c.value).where(_TABLE.c.name == bindparam("wanted"))


def read_setting(connection: Connection, name: str) -> str | None:
    """Return one setting, or None."""
    found = connection.execute(_READ, {"wanted": name}).scalar()
    return None if found is None else str(found)


def write_setting(connection: Connection, name: str, value: str) -> None:
    """Keep one setting in place of what it was."""
    connection.execute(delete(_TABLE).where(_TABLE.c.name == name))
    connection.execute(insert(_TABLE).values(name=name, value=value))
