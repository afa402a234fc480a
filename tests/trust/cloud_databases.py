"""Seeded databases for the classes that need both kinds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.support.postgresql import NoPostgresqlError, running_cluster
from tui_licenses.cloud.administration import SeedReport, seed


def seeded_databases(
    folder: Path, instances: int, keys: int
) -> Iterator[tuple[str, str, SeedReport]]:
    """Give a kind, a database of that kind, and what its seed told: a file, then a server's.

    The server runs until the next is asked for. Without its programs there is only the file.
    """
    file = f"sqlite:///{folder / 'cloud.db'}"
    yield "sqlite", file, seed(file, instances=instances, keys=keys)
    try:
        with running_cluster() as cluster:
            url = f"{cluster.url(cluster.new_database())}&secrets={folder / 'secrets'}"
            yield "postgresql", url, seed(url, instances=instances, keys=keys)
    except NoPostgresqlError:
        return
