"""A cloud that is backed up, and every way in which its backup may or may not be restored."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import select

from tests.support.backups import resigned, rewritten
from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import (
    back_up,
    check,
    export_root,
    initialise,
    make_account,
    restore,
    retire_signing_key,
    revoke_signing_key,
    rotate_root,
    rotate_signing_key,
    seed,
    signing_keys,
)
from tui_licenses.cloud.operations.audit import Author
from tui_licenses.cloud.operations.license_files import issue_license_file
from tui_licenses.cloud.restore import SERIAL_GAP, RestoreOptions, RestoreReport
from tui_licenses.cloud.store import open_store
from tui_licenses.documents.signing import SigningKey
from tui_licenses.errors import TuiLicensesError

PASSPHRASE = "five random words are easy"


@dataclass
class Scene:
    """A served cloud in a folder of its own, and its backup, with sealed keys, beside it."""

    folder: Path
    database: Path
    backup: Path

    @classmethod
    def make(cls, template: Path, folder: Path) -> Scene:
        """Copy a seeded cloud, issue a license file, and back it up."""
        home = folder / "cloud"
        shutil.copytree(template.parent, home)
        scene = cls(folder, home / template.name, folder / "cloud.backup")
        scene.issue()
        back_up(scene.database, scene.backup, PASSPHRASE)
        return scene

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
        passphrase: str = PASSPHRASE,
        root_key: Path | None = None,
        discard_newer: bool = False,
    ) -> RestoreReport:
        """Restore the backup over the database."""
        options = RestoreOptions(passphrase if with_keys else None, root_key, discard_newer)
        return restore(self.database, self.backup, options)

    def lose(self, *, keys: bool) -> None:
        """Lose the database, and with `keys` all that is beside it."""
        for path in self.database.parent.iterdir():
            if keys or path.suffix != ".key":
                path.unlink()


Case = Callable[[Scene], None]


def make_template(folder: Path) -> Path:
    """Seed the cloud that every scene copies."""
    database = folder / "cloud.db"
    seed(database, instances=8, keys=40, random_seed=11)
    return database


def _refused(code: str, change: Case, **options: bool) -> Case:
    """Return a case that has to end with an error, and with the folder as it was before."""

    def case(scene: Scene) -> None:
        change(scene)
        before = _files(scene)
        code_told = _code_of(lambda: scene.restore(**options))
        assert code_told == code, f"{code_told}, not {code}"
        assert _files(scene) == before

    return case


def _code_of(restoring: Callable[[], RestoreReport]) -> str:
    """Return the code of the error a restore ends with; it has to say what to do."""
    try:
        restoring()
    except TuiLicensesError as error:
        return error.code if error.next_step else "no next step"
    return "restored"


def _restored(change: Case, gap: int, **options: bool) -> Case:
    """Return a case that has to succeed, with serials above those of before and of `gap`."""

    def case(scene: Scene) -> None:
        change(scene)
        highest = scene.issue() if _is_sound(scene.database) else 1
        revision = signing_keys(scene.database).revision if highest and gap == 0 else 1
        report = scene.restore(**options)
        assert check(scene.database) == ()
        assert report.serial_floor >= highest + gap
        assert scene.issue() > max(highest, gap)
        assert signing_keys(scene.database).revision >= revision
        assert report.previous is None or Path(report.previous).exists()

    return case


def _is_sound(database: Path) -> bool:
    return database.exists() and database.read_bytes()[:6] == b"SQLite"


def _files(scene: Scene) -> dict[str, tuple[int, int]]:
    """Return what is in the folder, but for the logs and locks of SQLite's readers."""
    kept = (".db", ".key")
    files = [path for path in scene.database.parent.iterdir() if path.suffix in kept]
    return {path.name: (path.stat().st_ino, hash(path.read_bytes())) for path in files}


def _nothing(_scene: Scene) -> None:
    """Leave everything as it was when the backup was made."""


def _later_event(scene: Scene) -> None:
    make_account(scene.database, "Later", "Pro")


def _later_serial(scene: Scene) -> None:
    rotate_signing_key(scene.database)
    back_up(scene.database, scene.folder / "second", PASSPHRASE)
    scene.backup = scene.folder / "second"
    scene.issue()


def _later_trust(scene: Scene) -> None:
    rotate_signing_key(scene.database)


def _later_root(scene: Scene) -> None:
    rotate_root(scene.database)


def _lost(scene: Scene) -> None:
    scene.lose(keys=False)


def _all_lost(scene: Scene) -> None:
    scene.lose(keys=True)


def _damaged(scene: Scene) -> None:
    scene.database.write_bytes(b"\xff" * 8192)


def _another_cloud(scene: Scene) -> None:
    scene.lose(keys=True)
    initialise(scene.database)


def _keys_of_another_cloud(scene: Scene) -> None:
    _another_cloud(scene)
    scene.lose(keys=False)


def _another_pepper(scene: Scene) -> None:
    _lost(scene)
    scene.database.with_name("cloud-pepper.key").write_bytes(b"\x01" * 32)


def _signed_with(keyid: str, scene: Scene) -> None:
    """Sign the backup with one of the cloud's keys alone, as an older backup is."""
    key = SigningKey.load(scene.database.with_name("cloud-signing.key"))
    assert key.public_key.keyid == keyid
    scene.backup.write_bytes(resigned(scene.backup.read_bytes(), key))


def _revoked_signer(scene: Scene) -> None:
    keyid = signing_keys(scene.database).keys[0].keyid
    _signed_with(keyid, scene)
    revoke_signing_key(scene.database, keyid)


def _retired_signer(scene: Scene) -> None:
    keyid = signing_keys(scene.database).keys[0].keyid
    rotate_signing_key(scene.database)
    back_up(scene.database, scene.folder / "second", PASSPHRASE)
    scene.backup = scene.folder / "second"
    _signed_with(keyid, scene)
    retire_signing_key(scene.database, keyid)


def _thief(change: Callable[[list[bytes]], None]) -> Case:
    """Return what a thief of the signing key does: change lines of the backup, sign it anew."""

    def steal(scene: Scene) -> None:
        key = SigningKey.load(scene.database.with_name("cloud-signing.key"))
        scene.backup.write_bytes(rewritten(scene.backup.read_bytes(), change, key))

    return steal


def _newer_schema(lines: list[bytes]) -> None:
    header = msgspec.json.decode(lines[0])
    lines[0] = msgspec.json.encode(header | {"schema": "9999"})


def edited_event(lines: list[bytes]) -> None:
    """Change what one event of a backup says."""
    place = next(n for n, line in enumerate(lines) if b'"keys.activated"' in line)
    lines[place] = lines[place].replace(b'"keys.activated"', b'"keys.released"')


def _foreign_table(lines: list[bytes]) -> None:
    header = msgspec.json.decode(lines[0])
    header["tables"]["sqlite_master"] = ["sql"]
    lines[0] = msgspec.json.encode(header)
    lines.append(b'["sqlite_master",["DROP TABLE event"]]')


def _value_of_another_kind(lines: list[bytes]) -> None:
    place = next(n for n, line in enumerate(lines) if line.startswith(b'["license_file"'))
    name, values = msgspec.json.decode(lines[place])
    lines[place] = msgspec.json.encode([name, [values[0], "many", *values[2:]]])


def _doubled_row(lines: list[bytes]) -> None:
    lines.append(lines[-1])


def _foreign_signature(scene: Scene) -> None:
    scene.backup.write_bytes(resigned(scene.backup.read_bytes(), SigningKey.generate()))


def _content(data: Callable[[Scene], bytes]) -> Case:
    return lambda scene: [scene.backup.write_bytes(data(scene)), None][-1]


def _is_folder(scene: Scene) -> None:
    scene.backup.unlink()
    scene.backup.mkdir()


def _is_pipe(scene: Scene) -> None:
    scene.backup.unlink()
    os.mkfifo(scene.backup)


def _older_schema(scene: Scene) -> None:
    connection = sqlite3.connect(scene.database)
    connection.execute("UPDATE alembic_version SET version_num = '0002'")
    connection.commit()
    connection.close()


def _in_use(scene: Scene) -> None:
    store = open_store(scene.database)
    with store.read() as connection:
        connection.execute(select(tables.account.c.id))
    try:
        _refused("database-in-use", _nothing)(scene)
    finally:
        store.close()
    scene.restore()


def _root_elsewhere(scene: Scene) -> None:
    root = scene.folder / "root.key"
    export_root(scene.database, root)
    scene.lose(keys=True)
    _refused("secret-missing", _nothing)(scene)
    report = scene.restore(with_keys=True, root_key=root)
    assert report.serial_floor >= SERIAL_GAP
    assert check(scene.database) == ()


def _trust_document(database: Path) -> bytes:
    connection = sqlite3.connect(database)
    (document,) = connection.execute(
        "SELECT value FROM cloud_setting WHERE name = 'trust_document'"
    ).fetchone()
    connection.close()
    return bytes(str(document), "ascii")


def _wrong_passphrase(scene: Scene) -> None:
    scene.lose(keys=True)
    wrong = PASSPHRASE + "!"
    told = _code_of(lambda: scene.restore(with_keys=True, passphrase=wrong))
    assert told == "passphrase-wrong"
    assert list(scene.database.parent.iterdir()) == []


CASES: dict[str, Case] = {
    "over the same state": _restored(_nothing, 0),
    "over the same state, keys given": _restored(_nothing, 0, with_keys=True),
    "over a lost database": _restored(_lost, SERIAL_GAP),
    "onto a new host": _restored(_all_lost, SERIAL_GAP, with_keys=True),
    "over a damaged database": _restored(_damaged, SERIAL_GAP),
    "a root kept elsewhere": _root_elsewhere,
    "signed by a key that has retired": _restored(_retired_signer, 0, discard_newer=True),
    "later events, given up": _restored(_later_event, 0, discard_newer=True),
    "a later serial, given up": _restored(_later_serial, 0, discard_newer=True),
    "a later trust document, given up": _restored(_later_trust, 0, discard_newer=True),
    "a later root, given up": _restored(_later_root, 0, discard_newer=True),
    "later events": _refused("backup-behind", _later_event),
    "a later serial": _refused("backup-behind", _later_serial),
    "a later trust document": _refused("backup-behind", _later_trust),
    "a later root": _refused("backup-behind", _later_root),
    "over another cloud": _refused("backup-foreign", _another_cloud),
    "over another cloud, keys given": _refused("backup-foreign", _another_cloud, with_keys=True),
    "beside keys of another cloud": _refused("backup-foreign", _keys_of_another_cloud),
    "without any key": _refused("secret-missing", _all_lost),
    "beside another pepper": _refused("backup-unsound", _another_pepper),
    "signed by a key that was revoked": _refused("signing-key-revoked", _revoked_signer),
    "signed by a key nobody knows": _refused("backup-damaged", _foreign_signature),
    "of a newer program": _refused("backup-newer", _thief(_newer_schema)),
    "an event edited by a thief of the key": _refused("backup-unsound", _thief(edited_event)),
    "rows of a table that is none of ours": _refused("backup-damaged", _thief(_foreign_table)),
    "a serial that is no number": _refused("backup-damaged", _thief(_value_of_another_kind)),
    "a row twice": _refused("backup-damaged", _thief(_doubled_row)),
    "empty": _refused("backup-damaged", _content(lambda _scene: b"")),
    "a trust document": _refused(
        "backup-damaged", _content(lambda scene: _trust_document(scene.database))
    ),
    "its envelope alone": _refused(
        "backup-damaged", _content(lambda scene: scene.backup.read_bytes().splitlines()[-1])
    ),
    "without its envelope": _refused(
        "not-a-backup", _content(lambda scene: scene.backup.read_bytes().rpartition(b"\n")[0])
    ),
    "a folder": _refused("file-unreadable", _is_folder),
    "a pipe": _refused("file-unreadable", _is_pipe),
    "over a database of an older schema": _refused("database-not-current", _older_schema),
    "over a database in use": _in_use,
    "onto a new host with a wrong passphrase": _wrong_passphrase,
}
