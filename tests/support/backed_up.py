"""A cloud that is backed up, on either kind of database, and what must stay as it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import String, column, inspect, select, table

from tests.cloud.lab import Database, plant
from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import back_up, restore
from tui_licenses.cloud.database import find_database
from tui_licenses.cloud.key_files import secret_path
from tui_licenses.cloud.operations.audit import Author
from tui_licenses.cloud.operations.license_files import issue_license_file
from tui_licenses.cloud.restore import RestoreOptions, RestoreReport
from tui_licenses.cloud.store import Engines, open_store
from tui_licenses.secret import Secret

PASSPHRASE = Secret("five random words are easy")


@dataclass
class Scene:
    """A cloud, its backup with sealed keys in it, and a folder for what a case makes."""

    folder: Path
    database: Database
    backup: Path

    @classmethod
    def make(cls, database: Database, folder: Path) -> Scene:
        """Issue a license file of a seeded cloud, and back it up into an empty folder."""
        scene = cls(folder, database, folder / "cloud.backup")
        scene.issue()
        back_up(database, scene.backup, PASSPHRASE)
        return scene

    @property
    def place(self) -> Path:
        """Return the file beside which the secrets lie: the database itself, if it is a file."""
        return find_database(self.database).path

    @property
    def is_file(self) -> bool:
        """Say whether the database is a file."""
        return find_database(self.database).is_file

    @property
    def files(self) -> list[Path]:
        """Return the database, if it is a file, its secrets, and what else lies beside them."""
        return [path for path in self.place.parent.iterdir() if path.is_file()]

    def key_file(self, name: str) -> Path:
        """Return where a secret of the cloud is, such as `signing`."""
        return secret_path(self.place, name)

    def issue(self) -> int:
        """Ask for the license file of one server, and return its serial."""
        store = open_store(self.database)
        try:
            with store.read() as connection:
                found = select(tables.instance).where(tables.instance.c.state == "licensed")
                row = connection.execute(found.order_by(tables.instance.c.id)).first()
            assert row is not None
            author = Author.administrator(row.account_id, store.now())
            return issue_license_file(store, row.id, author).serial
        finally:
            store.close()

    def restore(
        self,
        *,
        with_keys: bool = False,
        passphrase: Secret = PASSPHRASE,
        root_key: Path | None = None,
        discard_newer: bool = False,
    ) -> RestoreReport:
        """Restore the backup over the database."""
        options = RestoreOptions(passphrase if with_keys else None, root_key, discard_newer)
        return restore(self.database, self.backup, options)

    def lose(self, *, keys: bool) -> None:
        """Lose the database, and with `keys` all that is beside it."""
        if not self.is_file:
            plant(self.database, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
        for path in self.files:
            if keys or path.suffix != ".key":
                path.unlink()


def is_sound(scene: Scene) -> bool:
    """Say whether there is a database that can be read."""
    if scene.is_file:
        return scene.place.exists() and scene.place.read_bytes()[:6] == b"SQLite"
    return any(schema == "public" for schema, *_ in _server_tables(scene))


def is_kept(scene: Scene, previous: str) -> bool:
    """Say whether the database before is where a restore says it is."""
    if scene.is_file:
        return Path(previous).exists()
    engines = Engines.of(find_database(scene.database))
    try:
        return inspect(engines.reading).has_table("license_key", schema=previous)
    finally:
        engines.dispose()


def kept_state(scene: Scene) -> tuple[object, ...]:
    """Return all that a refused restore must not change.

    The logs and locks of SQLite's readers come and go.
    """
    files = [path for path in scene.files if path.suffix in {".db", ".key"}]
    status = sorted((path.name, path.stat().st_ino, hash(path.read_bytes())) for path in files)
    return (*status, *([] if scene.is_file else _server_tables(scene)))


def _server_tables(scene: Scene) -> list[tuple[str, str, int]]:
    """Return every table of a database on a server: its schema, its name, what it holds."""
    engines = Engines.of(find_database(scene.database))
    found = []
    try:
        with engines.reading.connect() as connection:
            inspector = inspect(connection)
            for schema in sorted(inspector.get_schema_names()):
                names = [] if schema == "information_schema" else inspector.get_table_names(schema)
                for name in sorted(names):
                    # The version of a row tells of any change, also of one that was undone.
                    statement = select(column("xmin", String), column("ctid", String))
                    rows = connection.execute(
                        statement.select_from(table(name, schema=schema))
                    ).all()
                    found.append((schema, name, hash(frozenset(map(tuple, rows)))))
    finally:
        engines.dispose()
    return found
