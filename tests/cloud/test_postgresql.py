"""What only a server does: refuse a sign-in, be unsafe, go away and come back."""

from __future__ import annotations

import multiprocessing
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import pytest

from tests.cloud.conftest import Template
from tests.cloud.lab import Clock, Lab, on_postgresql, problem
from tests.cloud.server_databases import ServerDatabases, database_name, secrets_folder
from tests.support import postgresql as support
from tests.support.postgresql import LOCKED_PASSWORD, LOCKED_USER, Cluster
from tui_licenses.cloud import postgresql
from tui_licenses.cloud.administration import InitialiseReport, accounts, check, initialise
from tui_licenses.cloud.conflicts import RowMovedError, repeated
from tui_licenses.cloud.database import find_database
from tui_licenses.cloud.operations.accounts import take_sequences
from tui_licenses.cloud.store import open_store
from tui_licenses.errors import TuiLicensesError


def _refusal(work: Callable[[], object]) -> TuiLicensesError:
    with pytest.raises(TuiLicensesError) as refused:
        work()
    return refused.value


def _as_locked(databases: ServerDatabases, url: str, password: str) -> str:
    own = databases.cluster.url(database_name(url), f"{LOCKED_USER}:{password}")
    return f"{own}&secrets={secrets_folder(url)}"


def test_a_server_that_is_not_there_is_told() -> None:
    refused = _refusal(lambda: accounts("postgresql://somebody:secret@127.0.0.1:1/licenses"))
    assert (refused.code, refused.exit_status) == ("database-unavailable", 7)
    assert "licenses at 127.0.0.1" in refused.message
    assert "secret" not in str(refused)


def test_a_wrong_password_is_told_and_not_repeated(
    postgresql_database: str, server_databases: ServerDatabases
) -> None:
    for password in ("open sesame", ""):
        url = _as_locked(server_databases, postgresql_database, password)
        refused = _refusal(lambda url=url: accounts(url))  # type: ignore[misc]
        assert (refused.code, refused.exit_status) == ("database-sign-in-refused", 3)
        assert "sesame" not in str(refused)


def test_a_database_that_is_missing_is_told(server_databases: ServerDatabases) -> None:
    refused = _refusal(lambda: accounts(server_databases.url("no_such_database")))
    assert (refused.code, refused.exit_status) == ("database-missing", 2)
    assert "createdb" in refused.next_step


def test_a_database_without_a_cloud_is_not_filled_by_opening_it(
    server_databases: ServerDatabases,
) -> None:
    url = server_databases.empty()
    assert _refusal(lambda: accounts(url)).code == "database-missing"
    assert not secrets_folder(url).exists()


def test_a_user_who_may_not_make_tables_is_told(server_databases: ServerDatabases) -> None:
    url = _as_locked(server_databases, server_databases.empty(), LOCKED_PASSWORD)
    refused = _refusal(lambda: initialise(url))
    assert (refused.code, refused.exit_status) == ("database-not-allowed", 6)


def test_a_missing_driver_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    refused = _refusal(lambda: accounts("postgresql://host/licenses"))
    assert refused.code == "database-driver-missing"
    assert "tui-licenses[postgresql]" in refused.next_step


def test_a_server_that_is_too_old_is_told(
    postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_OLDEST", 99)
    assert _refusal(lambda: accounts(postgresql_database)).code == "database-too-old"


def test_a_database_that_keeps_text_otherwise_is_refused(server_databases: ServerDatabases) -> None:
    server_databases.cluster.query(
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'"
    )
    refused = _refusal(lambda: initialise(server_databases.url("latin")))
    assert (refused.code, "LATIN1" in refused.message) == ("database-unsuitable", True)


@contextmanager
def _with_setting(cluster: Cluster, name: str, value: str) -> Iterator[None]:
    """Run the server with another setting for a while."""

    def reload(change: str, expected: str) -> None:
        cluster.query(change)
        cluster.query("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 10
        while cluster.query(f"SHOW {name}") != [(expected,)] and time.monotonic() < deadline:
            time.sleep(0.01)

    ((before,),) = cluster.query(f"SHOW {name}")
    reload(f"ALTER SYSTEM SET {name} = {value}", value)
    try:
        yield
    finally:
        reload(f"ALTER SYSTEM RESET {name}", str(before))


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
def test_a_server_that_a_power_cut_would_destroy_is_refused(
    postgresql_database: str, server_databases: ServerDatabases, name: str
) -> None:
    with _with_setting(server_databases.cluster, name, "off"):
        refused = _refusal(lambda: accounts(postgresql_database))
    assert (refused.code, name in refused.next_step) == ("database-unsafe", True)
    assert accounts(postgresql_database)


def test_what_is_confirmed_is_on_disk_whatever_the_server_usually_does(
    postgresql_database: str, server_databases: ServerDatabases
) -> None:
    with _with_setting(server_databases.cluster, "synchronous_commit", "off"):
        store = open_store(postgresql_database)
        with store.write() as connection:
            shown = connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()
        store.close()
    assert shown == "on"


@on_postgresql
async def test_a_cloud_finds_its_server_again_after_a_restart(
    lab: Lab, server_databases: ServerDatabases
) -> None:
    before = await lab.get("/licensing/keys")
    with server_databases.stopped():
        away = await lab.get("/licensing/keys")
        problem(away, 503, "unavailable")
        assert int(away.headers["retry-after"]) > 0
        problem(await lab.client.get("/api/v3/health"), 503, "unavailable")
        assert _refusal(lambda: check(lab.database)).code == "database-unavailable"
    assert (await lab.get("/licensing/keys")).content == before.content
    assert (await lab.client.get("/api/v3/health")).status_code == 200
    assert check(lab.database) == ()


@on_postgresql
async def test_the_log_of_a_server_that_is_away_has_no_traceback_and_no_password(
    lab: Lab, server_databases: ServerDatabases, caplog: pytest.LogCaptureFixture
) -> None:
    await lab.sign_in("reader")
    with server_databases.stopped():
        await lab.get("/licensing/keys", who="reader")
    (line,) = [record for record in caplog.records if "database not usable" in record.message]
    assert line.exc_info is None
    assert re.fullmatch(r"database not usable \(\w+\), request [\w-]+", line.message)


def test_of_two_programs_that_make_a_cloud_at_once_one_makes_it(
    server_databases: ServerDatabases,
) -> None:
    url = server_databases.empty()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        made: list[InitialiseReport] = pool.map(initialise, [url] * 2)
        pool.close()
        pool.join()
    assert sorted((report.created, report.migrated) for report in made) == [
        (False, False),
        (True, True),
    ]
    assert check(url) == ()


def test_another_host_needs_the_secrets_of_the_first(
    postgresql_database: str, server_databases: ServerDatabases, tmp_path: Path
) -> None:
    own = server_databases.cluster.url(database_name(postgresql_database))
    refused = _refusal(lambda: accounts(f"{own}&secrets={tmp_path / 'elsewhere'}"))
    assert (refused.code, "elsewhere" in refused.message) == ("secret-missing", True)


def test_an_empty_database_does_not_replace_the_secrets_of_a_lost_one(
    server_databases: ServerDatabases,
) -> None:
    url = server_databases.empty()
    initialise(url)
    root = (secrets_folder(url) / "cloud-root.key").read_bytes()
    server_databases.cluster.drop_database(database_name(url))
    server_databases.cluster.query(f"CREATE DATABASE {database_name(url)} TEMPLATE template0")
    assert _refusal(lambda: initialise(url)).code == "secret-exists"
    assert (secrets_folder(url) / "cloud-root.key").read_bytes() == root


def test_the_secrets_of_a_database_have_a_private_place_of_their_own(
    server_databases: ServerDatabases,
) -> None:
    cluster = server_databases.cluster
    names = [database_name(server_databases.empty()) for _ in range(2)]
    folders = [find_database(cluster.url(name)).path.parent for name in names]
    assert folders[0] != folders[1]
    initialise(cluster.url(names[0]))
    assert folders[0].stat().st_mode & 0o777 == 0o700
    assert (folders[0] / "cloud-root.key").stat().st_mode & 0o777 == 0o600


@on_postgresql
async def test_a_change_that_is_not_committed_yet_holds_back_the_numbers_after_it(lab: Lab) -> None:
    account_id = lab.token("administrator").account_id
    start = (await lab.get("/licensing/changes?limit=0")).json()["nextCursor"]
    with ThreadPoolExecutor(1) as pool:
        with lab.store.write({account_id}) as connection:
            number = take_sequences(connection, account_id, 1)

            def take_next() -> int:
                with lab.store.write({account_id}) as other:
                    return take_sequences(other, account_id, 1)

            later = pool.submit(take_next)
            page = (await lab.get(f"/licensing/changes?cursor={start}")).json()
            assert (page["nextCursor"], page["hasMore"]) == (start, False)
            assert not later.done()
        assert later.result(10) == number + 1


@on_postgresql
def test_changes_of_two_accounts_do_not_wait_for_each_other(lab: Lab) -> None:
    first, second = lab.token("administrator").account_id, lab.token("other").account_id
    with lab.store.write({first}) as connection, lab.store.write({second}) as other:
        assert take_sequences(connection, first, 1) > 0
        assert take_sequences(other, second, 1) > 0


def test_two_changes_that_wait_for_each_other_are_both_done(
    postgresql_template: Template, postgresql_database: str
) -> None:
    store = open_store(postgresql_database, Clock())
    ids = [token.account_id for token in postgresql_template[1].tokens[:2]]
    met = Barrier(2)
    attempts = []

    def change(own: str, other: str) -> int:
        def work() -> int:
            attempts.append(own)
            with store.write({own}) as connection:
                if len(attempts) <= 2:
                    met.wait(10)
                return take_sequences(connection, other, 1)

        return repeated(work)

    with ThreadPoolExecutor(2) as pool:
        taken = list(pool.map(change, ids, reversed(ids)))
    store.close()
    assert all(taken)
    assert len(attempts) == 3


def test_a_change_that_meets_another_each_time_is_refused_in_the_end() -> None:
    attempts = []

    def work() -> None:
        attempts.append(1)
        raise RowMovedError

    with pytest.raises(RowMovedError) as refused:
        repeated(work)
    assert refused.value.problem_code.code == "unavailable"
    assert len(attempts) > 1


def test_a_machine_without_a_server_is_told_and_an_error_where_one_is_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(support, "_DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(support, "_IS_REQUIRED", False)
    with pytest.raises(support.NoPostgresqlError, match="There is no PostgreSQL"):
        support.find_binaries()
    monkeypatch.setattr(support, "_IS_REQUIRED", True)
    with pytest.raises(RuntimeError, match=support.REQUIRED_VARIABLE):
        support.find_binaries()


def test_a_password_among_the_parameters_of_a_url_is_hidden_like_any_other() -> None:
    url = find_database("postgresql://licenses@host/name?password=sesame&sslmode=require").url
    assert url.password == "sesame"
    assert "sesame" not in f"{url!r} {url}"
    assert dict(url.query) == {"sslmode": "require"}
