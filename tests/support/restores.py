"""Every way in which a backup may or may not be restored."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec
from sqlalchemy import select

from tests.cloud.lab import plant
from tests.cloud.older_schemas import unguard
from tests.support.backed_up import PASSPHRASE, Scene, is_kept, is_sound, kept_state
from tests.support.backups import resigned, rewritten
from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import (
    back_up,
    check,
    export_root,
    initialise,
    make_account,
    retire_signing_key,
    revoke_signing_key,
    rotate_root,
    rotate_signing_key,
    signing_keys,
)
from tui_licenses.cloud.restore import SERIAL_GAP, RestoreReport
from tui_licenses.cloud.signing_keys import new_trusted_key
from tui_licenses.cloud.store import open_store
from tui_licenses.documents.envelope import TRUST, open_envelope, seal
from tui_licenses.documents.signing import SigningKey
from tui_licenses.documents.trust_document import build_trust_document
from tui_licenses.errors import TuiLicensesError
from tui_licenses.secret import Secret

Case = Callable[[Scene], None]


def _refused(code: str, change: Case, *, with_keys: bool = False) -> Case:
    """Return a case that has to end with an error, and with everything as it was before."""

    def case(scene: Scene) -> None:
        change(scene)
        before = kept_state(scene)
        code_told = _code_of(lambda: scene.restore(with_keys=with_keys))
        assert code_told == code, f"{code_told}, not {code}"
        assert kept_state(scene) == before

    return case


def _code_of(restoring: Callable[[], RestoreReport]) -> str:
    """Return the code of the error a restore ends with; it has to say what to do."""
    try:
        restoring()
    except TuiLicensesError as error:
        return error.code if error.next_step else "no next step"
    return "restored"


def _restored(
    change: Case, gap: int, *, with_keys: bool = False, discard_newer: bool = False
) -> Case:
    """Return a case that has to succeed, with serials above those of before and of `gap`."""

    def case(scene: Scene) -> None:
        change(scene)
        highest = scene.issue() if is_sound(scene) else 1
        revision = signing_keys(scene.database).revision if highest and gap == 0 else 1
        report = scene.restore(with_keys=with_keys, discard_newer=discard_newer)
        assert check(scene.database) == ()
        assert report.serial_floor >= highest + gap
        assert scene.issue() > max(highest, gap)
        assert signing_keys(scene.database).revision >= revision
        assert report.previous is None or is_kept(scene, report.previous)

    return case


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
    scene.place.write_bytes(b"\xff" * 8192)


def _unguarded(scene: Scene) -> None:
    unguard(scene.database)
    plant(scene.database, "DELETE FROM event WHERE sequence = 1")
    if not scene.is_file:
        plant(scene.database, "DROP FUNCTION refuse_event_change")


def _another_cloud(scene: Scene) -> None:
    scene.lose(keys=True)
    initialise(scene.database)


def _keys_of_another_cloud(scene: Scene) -> None:
    _another_cloud(scene)
    scene.lose(keys=False)


def _another_pepper(scene: Scene) -> None:
    _lost(scene)
    scene.key_file("pepper").write_bytes(b"\x01" * 32)


def _signed_with(keyid: str, scene: Scene) -> None:
    """Sign the backup with one of the cloud's keys alone, as an older backup is."""
    key = SigningKey.load(scene.key_file("signing"))
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
        key = SigningKey.load(scene.key_file("signing"))
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


def _forged(kind: str) -> Case:
    """Return a forgery under a stranger's own trust document, which lists one of our keys as root.

    The database is lost, and so nothing but the keys tells whose backup it is.
    """

    def forge(scene: Scene) -> None:
        stranger = SigningKey.generate()
        ours = SigningKey.load(scene.key_file(kind))
        listed = [
            new_trusted_key(stranger),
            new_trusted_key(SigningKey.load(scene.key_file("signing"))),
        ]
        store = open_store(scene.database)
        issuer = store.signing.issuer
        store.close()
        both = build_trust_document(issuer, 1, 0, listed, [stranger, ours])
        envelope = open_envelope(both, TRUST)
        alone = seal(TRUST, envelope.payload, [stranger]).decode()

        def change(lines: list[bytes]) -> None:
            lines[0] = msgspec.json.encode(msgspec.json.decode(lines[0]) | {"trust": [alone]})

        if kind == "signing":
            export_root(scene.database, scene.folder / "root.key")
        scene.backup.write_bytes(rewritten(scene.backup.read_bytes(), change, stranger))
        _lost(scene)

    return forge


def _content(data: Callable[[Scene], bytes]) -> Case:

    def case(scene: Scene) -> None:
        scene.backup.write_bytes(data(scene))

    return case


def _is_folder(scene: Scene) -> None:
    scene.backup.unlink()
    scene.backup.mkdir()


def _is_pipe(scene: Scene) -> None:
    scene.backup.unlink()
    os.mkfifo(scene.backup)


def _older_schema(scene: Scene) -> None:
    plant(scene.database, "UPDATE alembic_version SET version_num = '0002'")


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


def _trust_document(scene: Scene) -> bytes:
    store = open_store(scene.database)
    try:
        return store.signing.trust_document.encode()
    finally:
        store.close()


def _wrong_passphrase(scene: Scene) -> None:
    scene.lose(keys=True)
    wrong = Secret(f"{PASSPHRASE.reveal()}!")
    told = _code_of(lambda: scene.restore(with_keys=True, passphrase=wrong))
    assert told == "passphrase-wrong"
    assert scene.files == []


# What nothing is wrong with: nothing is damaged, lost or forged, and the backup is restored.
HONEST_CASES: dict[str, Case] = {
    "over the same state": _restored(_nothing, 0),
    "over the same state, keys given": _restored(_nothing, 0, with_keys=True),
    "signed by a key that has retired": _restored(_retired_signer, 0, discard_newer=True),
    "later events, given up": _restored(_later_event, 0, discard_newer=True),
    "a later serial, given up": _restored(_later_serial, 0, discard_newer=True),
    "a later trust document, given up": _restored(_later_trust, 0, discard_newer=True),
    "a later root, given up": _restored(_later_root, 0, discard_newer=True),
}

CASES: dict[str, Case] = {
    **HONEST_CASES,
    "over a trail that was cut, without its guards": _restored(_unguarded, 0),
    "over a lost database": _restored(_lost, SERIAL_GAP),
    "onto a new host": _restored(_all_lost, SERIAL_GAP, with_keys=True),
    "a root kept elsewhere": _root_elsewhere,
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
    "forged, our root listed": _refused("backup-foreign", _forged("root")),
    "forged, our signing key listed as root": _refused("backup-foreign", _forged("signing")),
    "signed by a key nobody knows": _refused("backup-damaged", _foreign_signature),
    "of a newer program": _refused("backup-newer", _thief(_newer_schema)),
    "an event edited by a thief of the key": _refused("backup-unsound", _thief(edited_event)),
    "rows of a table that is none of ours": _refused("backup-damaged", _thief(_foreign_table)),
    "a serial that is no number": _refused("backup-damaged", _thief(_value_of_another_kind)),
    "a row twice": _refused("backup-damaged", _thief(_doubled_row)),
    "empty": _refused("backup-damaged", _content(lambda _scene: b"")),
    "a trust document": _refused("backup-damaged", _content(_trust_document)),
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

# What can only happen to a file.
FILE_CASES: dict[str, Case] = {
    "over a damaged database": _restored(_damaged, SERIAL_GAP),
}
