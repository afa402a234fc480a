"""What a cloud remembers about itself."""

from __future__ import annotations

from sqlalchemy import Connection, select

from tui_licenses.cloud import tables


def read_setting(connection: Connection, name: str) -> str | None:
    """Return one setting, or None."""
    table = tables.cloud_setting
    found = connection.execute(select(table.c.value).where(table.c.name == name)).scalar()
    return None if found is None else str(found)
