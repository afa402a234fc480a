"""Faults are planted one at a time; the doctor finds each, and names a remedy."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sqlite3
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.cloud.older_schemas import go_back_to_0002
from tests.conftest import ServedCloud
from tests.support.scripted_server import Received, http, scripted_server, signing_in
from tests.support.tls import make_authority
from tui_licenses import paths
from tui_licenses.cloud.embedded import embedded_credentials
from tui_licenses.config import Configuration, Context, save_configuration
from tui_licenses.credentials import Credentials
from tui_licenses.doctor.examination import examine
from tui_licenses.doctor.finding import Finding, Severity
from tui_licenses.documents.envelope import LICENSE_TYPE
from tui_licenses.documents.signing import SigningKey
from tui_licenses.documents.trust import SigningKeyStatus, TrustedKey
from tui_licenses.documents.trust_document import build_trust_document
from tui_licenses.domain.account import Role
from tui_licenses.secret import Secret
from tui_licenses.service import trust_store
from tui_licenses.service.sign_in import save_credentials

SIGN_IN = {"TUI_LICENSES_SUBJECT_ID": "somebody", "TUI_LICENSES_REFRESH_TOKEN": "something"}


async def _found(
    environment: Mapping[str, str] | None = None, context: str | None = None
) -> list[Finding]:
    return [finding async for finding in examine(context, environment or {})]


def _the_fault(findings: list[Finding], code: str) -> Finding:
    """Return the finding of this code, which must name a remedy."""
    found = [finding for finding in findings if finding.code == code]
    assert found, [(finding.code, finding.message) for finding in findings]
    assert found[0].severity in {Severity.FAULT, Severity.WARNING}
    assert found[0].next_step.endswith(".")
    return found[0]


@pytest.fixture
def free_port() -> int:
    """Return a port of this host on which nothing answers."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


async def test_nothing_is_wrong_on_an_empty_host_and_nothing_is_made(home: Path) -> None:
    findings = await _found()
    assert {finding.severity for finding in findings} <= {Severity.OK, Severity.SKIPPED}
    assert list(home.rglob("*")) == []


async def test_nothing_is_wrong_with_a_lab(lab_database: Path) -> None:
    findings = await _found()
    assert {finding.severity for finding in findings} <= {Severity.OK, Severity.SKIPPED}
    (database,) = (finding for finding in findings if finding.subject == "Lab database")
    assert database.facts["journal_mode"] == "wal"
    assert database.facts["synchronous"] == "2"


async def test_settings_that_cannot_be_read() -> None:
    file = paths.configuration_file()
    file.parent.mkdir(parents=True)
    file.write_text("[settings\n")
    assert "Line 1" in _the_fault(await _found(), "configuration-invalid").message


async def test_a_context_that_does_not_exist() -> None:
    assert "nowhere" in _the_fault(await _found(context="nowhere"), "context-unknown").message


async def test_a_folder_that_others_may_write() -> None:
    folder = paths.state_folder()
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    found = _the_fault(await _found(), "folder-not-private")
    assert f"chmod 700 {folder}" in found.next_step


async def test_a_folder_that_cannot_be_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "file"))
    _the_fault(await _found(), "folder-not-writable")


async def test_a_clock_that_ran_back() -> None:
    file = paths.state_folder() / "serials.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    os.utime(file, (tomorrow.timestamp(), tomorrow.timestamp()))
    assert "ran back" in _the_fault(await _found(), "clock-wrong").message


async def test_an_address_where_nothing_answers(free_port: int) -> None:
    environment = {"TUI_LICENSES_URL": f"http://127.0.0.1:{free_port}", **SIGN_IN}
    assert str(free_port) in _the_fault(await _found(environment), "connection-refused").message


async def test_an_address_that_is_not_protected() -> None:
    _the_fault(await _found({"TUI_LICENSES_URL": "http://cloud.example"}), "insecure-url")


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    authority = make_authority(tmp_path, "Example Corporation")
    async with scripted_server(lambda _: http(200, {}), authority.server) as server:
        found = await _found({"TUI_LICENSES_URL": server.url, **SIGN_IN})
    assert "Example Corporation" in _the_fault(found, "tls-untrusted").message


async def test_a_file_of_certificates_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    environment = {
        "TUI_LICENSES_URL": "https://127.0.0.1:1",
        "TUI_LICENSES_CA_FILE": str(tmp_path / "ca.pem"),
    }
    _the_fault(await _found(environment), "ca-file-invalid")


async def test_a_proxy_that_does_not_answer(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:secret@127.0.0.1:{free_port}")
    findings = await _found({"TUI_LICENSES_URL": "https://cloud.example", **SIGN_IN})
    _the_fault(findings, "proxy-refused")
    (proxy,) = (finding for finding in findings if finding.subject == "Proxy")
    assert f"127.0.0.1:{free_port}" in proxy.message
    assert "secret" not in repr(findings)


async def _served(when: datetime) -> AsyncIterator[str]:
    def answer(request: Received) -> bytes:
        return http(200, {"status": "ok"}, {"Date": format_datetime(when, usegmt=True)})

    async with scripted_server(signing_in(answer)) as server:
        yield server.url


@pytest.mark.parametrize(("seconds", "severity"), [(90, "warning"), (-900, "fault")])
async def test_a_clock_that_is_not_that_of_the_cloud(seconds: int, severity: str) -> None:
    async for url in _served(datetime.now(UTC) + timedelta(seconds=seconds)):
        found = _the_fault(await _found({"TUI_LICENSES_URL": url, **SIGN_IN}), "clock-wrong")
        assert found.severity == severity


async def test_an_answer_of_something_that_is_no_cloud() -> None:
    async with scripted_server(lambda _: http(404, b"<html>")) as server:
        found = await _found({"TUI_LICENSES_URL": server.url, **SIGN_IN})
    assert "not as a license cloud" in _the_fault(found, "unavailable").message


def _sign_in_to(url: str, subject_id: str = "somebody", refresh_token: str = "wrong") -> None:
    context = Context("work", url)
    save_configuration(Configuration(contexts=(context,), current="work"))
    save_credentials(context, Credentials(subject_id, Secret(refresh_token)))


async def test_a_sign_in_that_the_cloud_does_not_know(served_cloud: ServedCloud) -> None:
    _sign_in_to(served_cloud.url)
    _the_fault(await _found(), "invalid-refresh-token")


async def test_no_sign_in(served_cloud: ServedCloud) -> None:
    save_configuration(Configuration(contexts=(Context("work", served_cloud.url),), current="work"))
    _the_fault(await _found(), "token-missing")


async def test_half_a_sign_in() -> None:
    environment = {"TUI_LICENSES_URL": "http://127.0.0.1:1", "TUI_LICENSES_SUBJECT_ID": "somebody"}
    _the_fault(await _found(environment), "invalid-request")


async def test_a_sign_in_that_others_could_read(served_cloud: ServedCloud) -> None:
    _sign_in_to(served_cloud.url)
    file = paths.credentials_file("work")
    file.chmod(0o644)
    assert f"chmod 600 {file}" in _the_fault(await _found(), "file-not-private").next_step


async def test_a_change_whose_answer_was_lost(served_cloud: ServedCloud) -> None:
    _sign_in_to(served_cloud.url, *served_cloud.sign_ins[Role.READER])
    folder = paths.private_folder(paths.journal_folder("work"))
    note = folder / f"lost{paths.CHANGE_SUFFIX}"
    note.write_text("{}")
    assert "whoami" in _the_fault(await _found(), "outcome-unknown").next_step
    assert note.read_text() == "{}"


async def test_a_cloud_whose_root_nobody_trusts(served_cloud: ServedCloud) -> None:
    _sign_in_to(served_cloud.url, *served_cloud.sign_ins[Role.READER])
    findings = await _found()
    assert "trust add" in _the_fault(findings, "no-trusted-root").next_step
    assert not [finding for finding in findings if finding.severity is Severity.FAULT]


async def test_a_plan_without_the_licenses_tab(served_cloud: ServedCloud) -> None:
    found = embedded_credentials(served_cloud.database)
    other = next(entry for entry in found if entry.plan == "OmniD")
    _sign_in_to(served_cloud.url, other.subject_id, other.refresh_token)
    assert "Ask " in _the_fault(await _found(), "plan-not-eligible").next_step


async def test_a_trusted_root_that_was_changed(lab_database: Path) -> None:
    paths.trust_folder().mkdir(parents=True)
    file = paths.trust_folder() / f"{'0' * 64}.json"
    file.write_text(json.dumps({"root": "00"}))
    file.chmod(0o600)
    assert str(file) in _the_fault(await _found(), "file-damaged").message


async def test_a_trusted_root_that_is_older_than_it_was(lab_database: Path) -> None:
    root, signer = SigningKey.generate(), SigningKey.generate()
    key = TrustedKey(signer.public_key, (LICENSE_TYPE,), 0, None, SigningKeyStatus.ACTIVE)
    first, second = (build_trust_document("Example", number, 1, [key], [root]) for number in (1, 2))
    offer = trust_store.make_offer(first, is_lab=True, source="x")
    trust_store.add_root(offer, root.public_key.fingerprint)
    file = paths.trust_folder() / f"{root.public_key.fingerprint}.json"
    old = file.read_bytes()
    trust_store.follow([second])
    file.write_bytes(old)
    assert "trust add" in _the_fault(await _found(), "rollback").next_step


async def test_a_database_that_is_none(lab_database: Path) -> None:
    lab_database.write_bytes(b"no database" * 1000)
    _the_fault(await _found(), "database-damaged")


async def test_a_database_of_an_older_program_which_is_not_migrated(lab_database: Path) -> None:
    go_back_to_0002(lab_database)
    before = {path.name: path.read_bytes() for path in lab_database.parent.iterdir()}
    state = sorted(paths.state_folder().rglob("*"))
    assert "cloud init" in _the_fault(await _found(), "database-not-current").next_step
    assert {path.name: path.read_bytes() for path in lab_database.parent.iterdir()} == before
    assert sorted(paths.state_folder().rglob("*")) == state


async def test_a_database_of_a_newer_program(lab_database: Path) -> None:
    with sqlite3.connect(lab_database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    _the_fault(await _found(), "database-newer")


async def test_a_database_that_contradicts_itself(lab_database: Path) -> None:
    with sqlite3.connect(lab_database) as connection:
        connection.execute("UPDATE account SET key_count = key_count + 1")
    connection.close()
    _the_fault(await _found(), "counter-wrong")


async def test_signing_keys_that_are_gone(lab_database: Path) -> None:
    lab_database.with_name(f"{lab_database.stem}-signing.key").unlink()
    _the_fault(await _found(), "secret-missing")


async def test_signing_keys_that_others_could_read(lab_database: Path) -> None:
    lab_database.with_name(f"{lab_database.stem}-signing.key").chmod(0o640)
    _the_fault(await _found(), "file-not-private")


async def test_an_examination_can_be_repeated_at_once(lab_database: Path) -> None:
    first, second = await asyncio.gather(_found(), _found())
    assert [finding.message for finding in first] == [finding.message for finding in second]
