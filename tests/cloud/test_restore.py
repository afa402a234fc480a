"""A backup is restored whole, over nothing newer, by nobody but its own cloud; or not at all."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, select
from sqlalchemy.exc import OperationalError

from tests.cloud.conftest import Template
from tests.cloud.lab import Database, Lab, on_sqlite, open_lab, problem
from tests.cloud.server_databases import ServerDatabases
from tests.support.backed_up import PASSPHRASE, Scene
from tests.support.backups import rewritten
from tests.support.restores import CASES, FILE_CASES, Case, edited_event
from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import (
    accounts,
    back_up,
    check,
    initialise,
    make_account,
    restore,
    rotate_signing_key,
)
from tui_licenses.cloud.database import find_database
from tui_licenses.cloud.migrations import upgrade
from tui_licenses.cloud.replaced_file import held_file
from tui_licenses.cloud.replaced_tables import held_tables
from tui_licenses.cloud.restore import RestoreOptions
from tui_licenses.cloud.store import Engines, open_store, utc_now
from tui_licenses.errors import DocumentError, FileError, StateError, UseError
from tui_licenses.secret import Secret

_NO_WAIT = "-c lock_timeout=50ms"


@pytest.fixture
def scene(database: Database, tmp_path: Path) -> Scene:
    """Back up a cloud."""
    folder = tmp_path / "scene"
    folder.mkdir()
    return Scene.make(database, folder)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_restore(case: Case, scene: Scene) -> None:
    case(scene)


@on_sqlite
@pytest.mark.parametrize("case", FILE_CASES.values(), ids=FILE_CASES)
def test_a_restore_of_a_file(case: Case, scene: Scene) -> None:
    case(scene)


def test_a_backup_is_private_and_never_replaces_a_file(scene: Scene) -> None:
    assert scene.backup.stat().st_mode & 0o777 == 0o600
    before = scene.backup.read_bytes()
    with pytest.raises(FileError) as refused:
        back_up(scene.database, scene.backup)
    assert refused.value.code == "file-exists"
    assert scene.backup.read_bytes() == before
    assert [path.name for path in scene.folder.iterdir() if path.suffix == ".part"] == []
    assert check(scene.database) == ()


def test_no_key_is_in_a_backup_that_anybody_could_read(scene: Scene, tmp_path: Path) -> None:
    back_up(scene.database, tmp_path / "without")
    for backup in (scene.backup, tmp_path / "without"):
        content = backup.read_bytes()
        for name in ("root", "signing", "pepper"):
            assert scene.key_file(name).read_bytes() not in content
    assert b'{"keys":' not in (tmp_path / "without").read_bytes()


def test_a_short_passphrase_is_refused(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(UseError) as refused:
        back_up(scene.database, tmp_path / "other", Secret(PASSPHRASE.reveal()[:11]))
    assert refused.value.code == "passphrase-too-short"
    assert not (tmp_path / "other").exists()


def test_keys_that_are_not_in_a_backup_are_not_found(scene: Scene, tmp_path: Path) -> None:
    scene.backup = tmp_path / "without"
    back_up(scene.database, scene.backup)
    with pytest.raises(UseError) as refused:
        scene.restore(with_keys=True)
    assert refused.value.code == "keys-not-in-backup"


def _wait_for_another_account(database: Database) -> None:
    known, deadline = len(accounts(database)), time.monotonic() + 60
    while len(accounts(database)) == known:
        assert time.monotonic() < deadline, "no account is made"
        time.sleep(0.01)


def test_a_backup_of_a_cloud_that_serves_is_one_moment(scene: Scene, tmp_path: Path) -> None:
    is_done = threading.Event()

    def serve() -> None:
        number = 0
        while not is_done.is_set():
            make_account(scene.database, f"Account {number}", "Pro")
            number += 1

    serving = threading.Thread(target=serve)
    serving.start()
    sizes = []
    try:
        for number in range(5):
            sizes.append(back_up(scene.database, tmp_path / f"backup-{number}", PASSPHRASE).size)
            if number == 0:
                _wait_for_another_account(scene.database)
    finally:
        is_done.set()
        serving.join()
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    for number in range(5):
        new = tmp_path / f"new-{number}" / "cloud.db"
        restore(new, tmp_path / f"backup-{number}", RestoreOptions(passphrase=PASSPHRASE))
        assert check(new) == ()


@on_sqlite
def test_an_older_database_put_back_as_a_whole_is_found_with_a_backup(
    scene: Scene, tmp_path: Path
) -> None:
    older = scene.place.read_bytes()
    rotate_signing_key(scene.database)
    scene.issue()
    make_account(scene.database, "Later", "Pro")
    back_up(scene.database, tmp_path / "later")
    assert check(scene.database, tmp_path / "later") == ()
    assert check(scene.database, scene.backup) == ()
    scene.place.write_bytes(older)
    assert check(scene.database) == ()
    found = {finding.target.split()[0] for finding in check(scene.database, tmp_path / "later")}
    assert found == {"trust", "account", "instance"}


async def test_copies_of_before_begin_anew_after_a_restore(
    lab: Lab, template: Template, tmp_path: Path
) -> None:
    cursor = (await lab.get("/licensing/changes?limit=0")).json()["nextCursor"]
    assert (await lab.get(f"/licensing/changes?cursor={cursor}")).status_code == 200
    back_up(lab.database, tmp_path / "backup")
    with pytest.raises(StateError) as refused:
        restore(lab.database, tmp_path / "backup", RestoreOptions())
    assert refused.value.code == "database-in-use"
    lab.store.close()
    assert restore(lab.database, tmp_path / "backup", RestoreOptions()).previous is not None
    assert check(lab.database) == ()
    again = open_lab(lab.database, template[1])
    async with again.client:
        problem(await again.get(f"/licensing/changes?cursor={cursor}"), 400, "invalid-cursor")
        newest = (await again.items("/licensing/events?limit=1"))[0]
        assert newest["action"] == "cloud.restored"
        anew = (await again.get("/licensing/changes?limit=0")).json()["nextCursor"]
        assert (await again.get(f"/licensing/changes?cursor={anew}")).status_code == 200
    again.store.close()


@pytest.mark.parametrize("to_a_server", [False, True])
def test_a_backup_goes_from_one_engine_to_the_other(
    sqlite_database: Path,
    postgresql_database: str,
    server_databases: ServerDatabases,
    tmp_path: Path,
    to_a_server: bool,
) -> None:
    origin: Database = sqlite_database if to_a_server else postgresql_database
    target = server_databases.empty() if to_a_server else tmp_path / "new" / "cloud.db"
    back_up(origin, tmp_path / "backup", PASSPHRASE)
    options = RestoreOptions(passphrase=PASSPHRASE)
    report = restore(target, tmp_path / "backup", options)
    assert (report.previous, check(target)) == (None, ())
    assert accounts(target) == accounts(origin)


def test_on_a_server_a_refused_restore_leaves_everything_as_it_was(
    postgresql_database: str, tmp_path: Path
) -> None:
    back_up(postgresql_database, tmp_path / "backup")
    make_account(postgresql_database, "Later", "Pro")
    before = accounts(postgresql_database)
    with pytest.raises(StateError) as refused:
        restore(postgresql_database, tmp_path / "backup", RestoreOptions())
    assert refused.value.code == "backup-behind"
    store = open_store(postgresql_database)
    key = store.signing.signers[0]
    store.close()
    forged = rewritten((tmp_path / "backup").read_bytes(), edited_event, key)
    (tmp_path / "backup").write_bytes(forged)
    with pytest.raises(DocumentError) as unsound:
        restore(postgresql_database, tmp_path / "backup", RestoreOptions(discard_newer=True))
    assert unsound.value.code == "backup-unsound"
    assert (accounts(postgresql_database), check(postgresql_database)) == (before, ())


def _is_refused_a_change(database: Database) -> bool:
    """Change a database at once, as any program can, or be told that it is locked."""
    found = find_database(database)
    engine = create_engine(
        found.url, connect_args={"timeout": 0} if found.is_file else {"options": _NO_WAIT}
    )
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE cloud_setting SET value = value || '!'")
    except OperationalError:
        return True
    finally:
        engine.dispose()
    return False


def test_nobody_changes_what_is_about_to_be_replaced(database: Database) -> None:
    found = find_database(database)
    hold = held_file if found.is_file else held_tables
    with hold(found) as held:
        assert held.connection is not None
        assert held.connection.execute(select(tables.account.c.id)).first()
        assert _is_refused_a_change(database)

        def fill(_engines: Engines, connection: Connection) -> None:
            upgrade(connection)
            assert _is_refused_a_change(database)

        previous = held.replace(utc_now(), fill)
        if found.is_file:
            # The new one has the name already: what becomes of the old one must not touch it.
            initialise(database)
    assert previous is not None
    if found.is_file:
        folder = found.path.parent
        assert not [path for path in folder.iterdir() if path.suffix == ".db-journal"]
        assert (accounts(database), check(database)) == ((), ())


@on_sqlite
def test_a_database_made_while_another_is_restored_is_not_replaced(
    database: Database, tmp_path: Path
) -> None:
    new = find_database(tmp_path / "elsewhere" / "cloud.db")

    def fill(_engines: Engines, connection: Connection) -> None:
        upgrade(connection)
        new.path.write_bytes(find_database(database).path.read_bytes())

    with held_file(new) as held:
        assert held.connection is None
        with pytest.raises(StateError) as refused:
            held.replace(utc_now(), fill)
    assert refused.value.code == "database-in-use"
    assert new.path.read_bytes() == find_database(database).path.read_bytes()
