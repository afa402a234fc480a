"""`cloud backup`, `restore`, `signing-keys`, and serving with what systemd hands over."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM, Program
from tests.pty.terminal import Terminal
from tests.support.tls import make_authority

_PASSPHRASE = "five random words are easy\n"


@pytest.fixture
def database(blank_program: Program, tmp_path: Path) -> Path:
    """Return a seeded database."""
    path = tmp_path / "cloud" / "cloud.sqlite3"
    size = ("--instances", "8", "--keys", "60", "--random-seed", "7")
    blank_program("cloud", "seed", "--database", str(path), *size)
    return path


def test_a_backup_goes_to_a_new_host(
    blank_program: Program, database: Path, tmp_path: Path
) -> None:
    backup, new = str(tmp_path / "cloud.backup"), tmp_path / "new" / "cloud.sqlite3"
    sealed = ("--with-keys", "--passphrase-stdin")
    made = blank_program.data(
        "cloud", "backup", "--database", str(database), "--to", backup, *sealed, stdin=_PASSPHRASE
    )
    assert (made["path"], made["withKeys"]) == (backup, True)
    words = ("cloud", "restore", backup, "--database", str(new))
    assert blank_program.refusal(*words, status=10)["code"] == "secret-missing"
    wrong = blank_program.refusal(*words, *sealed, status=8, stdin="something else\n")
    assert wrong["code"] == "passphrase-wrong"
    restored = blank_program.data(*words, *sealed, stdin=_PASSPHRASE)
    assert restored["rowCount"] == made["rowCount"]
    assert (restored["serialsAbove"], restored["previousDatabase"]) == (10_000, None)
    assert blank_program.data("cloud", "check", "--database", str(new)) == {"findings": []}


def test_a_terminal_asks_for_the_passphrase_of_keys_and_shows_nothing_of_it(
    blank_program: Program, database: Path, tmp_path: Path
) -> None:
    words = ("cloud", "backup", "--database", str(database), "--with-keys")
    refused = blank_program.refusal(*words, "--to", str(tmp_path / "piped"), status=2)
    assert refused["code"] == "no-terminal"
    passphrase = _PASSPHRASE.strip()
    for name, again, status in (("typo", "something else", 2), ("cloud.backup", passphrase, 0)):
        backup = tmp_path / name
        with Terminal([*PROGRAM, *words, "--to", str(backup)], os.environ) as terminal:
            terminal.wait_for("Passphrase of the keys:")
            terminal.type(passphrase)
            terminal.press("enter")
            terminal.wait_for("Once more:")
            terminal.type(again)
            terminal.press("enter")
            assert terminal.wait_for_exit() == status
            assert passphrase.encode() not in terminal.raw
        assert backup.exists() == (status == 0)


def test_a_backup_that_is_behind_is_refused_and_can_be_forced(
    blank_program: Program, database: Path, tmp_path: Path
) -> None:
    backup = str(tmp_path / "cloud.backup")
    done = blank_program("cloud", "backup", "--database", str(database), "--to", backup)
    assert "Keep a copy of the .key files" in done.notes
    blank_program("cloud", "signing-keys", "rotate", "--database", str(database))
    words = ("cloud", "restore", backup, "--database", str(database))
    assert blank_program.refusal(*words, status=5)["code"] == "backup-behind"
    refused = blank_program(*words, "--format", "json", status=5).envelope()
    assert [error["code"] for error in refused["errors"][1:]] == ["trust-lowered"]
    restored = blank_program.data(*words, "--discard-newer")
    assert Path(restored["previousDatabase"]).exists()
    listed = blank_program.items("cloud", "signing-keys", "list", "--database", str(database))
    assert [key["kind"] for key in listed] == ["root", "signing", "signing"]


def test_the_embedded_cloud_is_not_restored(blank_program: Program) -> None:
    refused = blank_program.refusal("cloud", "restore", "any.backup", status=2)
    assert refused["code"] == "database-required"


def test_a_passphrase_is_not_asked_for_without_a_terminal(
    blank_program: Program, database: Path, tmp_path: Path
) -> None:
    words = ("cloud", "backup", "--database", str(database), "--to", str(tmp_path / "b"))
    assert blank_program.refusal(*words, "--with-keys", status=2)["code"] == "no-terminal"


def test_keys_are_rotated_retired_and_revoked(
    blank_program: Program, database: Path, tmp_path: Path
) -> None:
    def keys(verb: str, *words: str) -> list[tuple[str, str]]:
        where = ("--database", str(database))
        found = blank_program.items("cloud", "signing-keys", verb, *where, *words)
        return [(key["keyId"], key["status"]) for key in found if key["kind"] == "signing"]

    ((old, _),) = keys("list")
    root = str(tmp_path / "root.key")
    keys("export-root", "--to", root)
    words = ("cloud", "signing-keys", "rotate", "--database", str(database))
    assert blank_program.refusal(*words, status=2)["code"] == "root-key-missing"
    (_, (new, _)) = keys("rotate", "--root-key", root)
    assert keys("retire", old, "--root-key", root) == [(old, "retired"), (new, "active")]
    assert keys("revoke", old, "--root-key", root) == [(old, "revoked"), (new, "active")]
    other_root = str(tmp_path / "other-root.key")
    keys("rotate-root", "--root-key", root, "--new-root-key", other_root)
    listed = blank_program("cloud", "signing-keys", "list", "--database", str(database))
    assert "not here" in listed.output


def test_each_finding_says_what_to_do(blank_program: Program, database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("DROP TRIGGER event_is_never_changed")
    connection.execute("UPDATE event SET actor = 'nobody' WHERE sequence = 1")
    connection.commit()
    connection.close()
    database.chmod(0o640)
    words = ("cloud", "check", "--database", str(database), "--format", "json")
    refused = blank_program(*words, status=8).envelope()
    messages = {error["code"]: error["message"] for error in refused["errors"][1:]}
    assert messages.keys() == {"audit-unguarded", "audit-wrong", "file-not-private"}
    assert "restore a backup" in messages["audit-wrong"]
    assert f"chmod 600 {database}" in messages["file-not-private"]


def test_a_cloud_is_served_with_what_systemd_hands_over(database: Path, tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "database-url").write_text(f"sqlite:///{database}\n")
    for name in ("root", "signing", "pepper"):
        database.with_name(f"cloud-{name}.key").rename(credentials / name)
    authority = make_authority(tmp_path)
    (made,) = tmp_path.glob("*-server.pem")
    made.rename(credentials / "tls-key")
    (tmp_path / "chain.pem").write_bytes((credentials / "tls-key").read_bytes())
    for path in credentials.iterdir():
        path.chmod(0o400)
    words = ("cloud", "serve", "--port", "0", "--tls-cert", str(tmp_path / "chain.pem"))
    process = subprocess.Popen(
        [*PROGRAM, *words, "--format", "jsonl"],
        env={**os.environ, "CREDENTIALS_DIRECTORY": str(credentials)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        url = json.loads(process.stdout.readline())["url"]
        context = ssl.create_default_context(cafile=authority.ca_file)
        with urllib.request.urlopen(f"{url}/api/v3/health", context=context) as answer:
            assert answer.status == 200
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0
