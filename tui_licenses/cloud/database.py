"""Which database a license cloud keeps its data in, and where its secrets lie.

A database is a file or a URL. The secrets of a file lie beside it. Those of a PostgreSQL database
lie in a private folder of this host, which its URL may name as the parameter `secrets`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tui_licenses import paths
from tui_licenses.errors import UseError

_SQLITE, _POSTGRESQL = "sqlite", "postgresql"

# The member of a URL that is ours and not the driver's.
_SECRETS_PARAMETER = "secrets"
# `cloud-root.key` and the others: the same names as beside a database file.
_SECRETS_STEM = "cloud"
_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")
_DIGEST_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Database:
    """Where the data is (`url`), and the file beside which the secrets lie (`path`).

    On SQLite `path` is the database itself; on PostgreSQL there is no such file.
    """

    url: URL
    path: Path

    @property
    def is_file(self) -> bool:
        """Say whether the database is a file of this host."""
        return self.url.get_backend_name() == _SQLITE

    @property
    def shown(self) -> str:
        """Return how a sentence names the database: never with its password."""
        return str(self.path) if self.is_file else server_name(self.url)


def find_database(database: str | Path) -> Database:
    """Read a path, a `sqlite:///` URL or a `postgresql://` URL.

    Raises `UseError` (`database-unsupported`, `database-driver-missing`).
    """
    if isinstance(database, Path) or "://" not in database:
        return _file(Path(database))
    try:
        url = make_url(database)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise _unsupported("This is no database URL.") from error
    if backend == _SQLITE and url.database and url.database != ":memory:":
        return _file(Path(url.database))
    if backend == _POSTGRESQL and url.drivername in {_POSTGRESQL, "postgresql+psycopg"}:
        return _server(url)
    raise _unsupported(f"The license cloud cannot keep its data in {url.drivername} databases.")


def _unsupported(message: str) -> UseError:
    return UseError(
        "database-unsupported",
        message,
        "Give a file, or a URL such as sqlite:////var/lib/licenses/cloud.db "
        "or postgresql://licenses@db.example/licenses.",
    )


def _file(path: Path) -> Database:
    return Database(URL.create(_SQLITE, database=str(path)), path)


def _server(url: URL) -> Database:
    from tui_licenses.cloud.postgresql import complete

    named = url.normalized_query.get(_SECRETS_PARAMETER)
    found = complete(url.difference_update_query([_SECRETS_PARAMETER]))
    folder = Path(named[-1]) if named else paths.cloud_secrets_folder(_folder_name(found))
    return Database(found, folder / _SECRETS_STEM)


def server_name(url: URL) -> str:
    """Return a database on a server as `name at host`."""
    where = url.query.get("host", url.host) or "this host"
    return f"{url.database} at {where}"


def _folder_name(url: URL) -> str:
    """Return a name for the secrets of a database: readable, and another for each database."""
    host = url.query.get("host", url.host) or "local"
    parts = (str(host), str(url.port), str(url.database))
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{_UNUSUAL.sub('_', '-'.join(parts)).strip('._-')[:80]}-{digest}"
