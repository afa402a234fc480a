"""Databases of both kinds for the classes of the cloud."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select

from tests.support.postgresql import NoPostgresqlError, running_cluster
from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import SeedReport, seed


def empty_databases(folder: Path) -> Iterator[tuple[str, str]]:
    """Give the name of a kind and the place of a database: a file, then one on a server.

    The server runs until the next is asked for. Without its programs there is only the file.
    """
    yield "SQLite", f"sqlite:///{folder / 'cloud.db'}"
    try:
        with running_cluster() as cluster:
            secrets = folder / "secrets"
            yield "PostgreSQL", f"{cluster.url(cluster.new_database())}&secrets={secrets}"
    except NoPostgresqlError as error:
        print(f"Only SQLite was tried: {error}", file=sys.stderr)


def seeded_databases(
    folder: Path, instances: int, keys: int
) -> Iterator[tuple[str, str, SeedReport]]:
    """Give the name of a kind, a seeded database of that kind, and what its seed told."""
    for kind, database in empty_databases(folder):
        yield kind, database, seed(database, instances=instances, keys=keys)


def with_own_master(account_id: str) -> Select[Any]:
    """Return a query for the instances of an account that have an active master key, by id."""
    key, instance = tables.license_key, tables.instance
    own = select(key.c.instance_id).where(
        key.c.account_id == account_id, key.c.kind == "master", key.c.state == "active"
    )
    found = select(instance).where(instance.c.account_id == account_id, instance.c.id.in_(own))
    return found.order_by(instance.c.id)
