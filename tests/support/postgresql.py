"""A PostgreSQL server of the tests' own, from the programs that are installed.

It listens on a socket in a folder of its own and runs as a user that is not root. Its default
collation is that of a language, so that whoever forgets to ask for bytes is found out.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

REQUIRED_VARIABLE = "TUI_LICENSES_TEST_POSTGRESQL"
# Read when this is imported: the classes of the trust harness empty their environment.
_IS_REQUIRED = os.environ.get(REQUIRED_VARIABLE) == "required"

USER = "licenses"
# Whoever signs in as this one needs its password.
LOCKED_USER, LOCKED_PASSWORD = "locked", "correct horse battery staple"

# Older ones know neither ICU as the default collation nor copies through the log.
_OLDEST = 15
_DEBIAN = Path("/usr/lib/postgresql")
_START_SECONDS = 60
_MEMORY_BYTES = 512 * 1024 * 1024
_ACCESS = f"""
local all {LOCKED_USER} scram-sha-256
local all all trust
"""
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "120",
    "shared_buffers": "32MB",
    # In the folder of the data, so that it goes with it after a crash too.
    "dynamic_shared_memory_type": "mmap",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "deadlock_timeout": "200ms",
}


class NoPostgresqlError(Exception):
    """There are no programs of a PostgreSQL server on this machine."""


def find_binaries() -> Path:
    """Return the folder of `initdb` and `postgres`: Debian's newest, or what the path finds.

    Raises `NoPostgresqlError`, or `RuntimeError` where the environment demands them.
    """
    found = sorted(_DEBIAN.glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("initdb")
    found += [Path(on_path).resolve().parent] if on_path else []
    for folder in found:
        programs = (folder / "initdb", folder / "postgres", folder / "pg_isready")
        if all(program.exists() for program in programs) and _version(folder) >= _OLDEST:
            return folder
    sentence = f"There is no PostgreSQL {_OLDEST} or newer on this machine (initdb, postgres)."
    if _IS_REQUIRED:
        raise RuntimeError(f"{sentence} {REQUIRED_VARIABLE} demands it.")
    raise NoPostgresqlError(sentence)


def _version(folder: Path) -> int:
    """Return the version of the programs in a folder, 0 where they do not say."""
    asked = [str(folder / "postgres"), "--version"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    number = re.search(r"\d+", said)
    return int(number[0]) if number else 0


@dataclass
class Cluster:
    """A running server; `folder` holds its data, its log and its socket."""

    folder: Path
    binaries: Path
    process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str, user: str = USER) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def query(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement outside a transaction; return its rows."""
        import psycopg

        target = f"host={self.folder} user={USER} dbname={database}"
        with psycopg.connect(target, autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def new_database(self, template: str | None = None) -> str:
        """Create a database, empty or a copy of another; return its name."""
        name = f"lab_{next(self._numbers)}"
        copied = "template0" if template is None else template
        # Copied through the log: two checkpoints, which the other way needs, take longer.
        self.query(f"CREATE DATABASE {name} TEMPLATE {copied} STRATEGY wal_log")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.query(f"DROP DATABASE {name} WITH (FORCE)")

    def start(self, **settings: str) -> None:
        """Start the server, and wait until it answers."""
        wanted = {**_SETTINGS, "unix_socket_directories": str(self.folder), **settings}
        options = [f"--{name}={value}" for name, value in wanted.items()]
        with (self.folder / "log").open("ab") as log:
            # The server must not outlive the tests, however they end.
            program = _as_its_user("--pdeathsig=INT", self.binaries / "postgres")
            self.process = subprocess.Popen(
                [*program, "-D", str(self.folder / "data"), *options],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.02)

    def _answers(self) -> bool:
        asked = [str(self.binaries / "pg_isready"), "-q", "-h", str(self.folder)]
        return subprocess.run(asked, check=False).returncode == 0

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends every connection, SIGQUIT is a crash."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(_START_SECONDS)
            self.process = None


def _as_its_user(death: str, program: Path) -> list[str]:
    """Return a command that runs a program as a user who may run a server: not as root."""
    user = [] if os.getuid() else [f"--reuid={_user().pw_uid}", f"--regid={_user().pw_gid}"]
    groups = [] if os.getuid() else ["--clear-groups"]
    return ["setpriv", *user, *groups, death, "--", str(program)]


def _user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("There is no user that could run a PostgreSQL server.")


def _parent() -> str | None:
    """Return where the data goes: memory, if there is enough, so that no disk is waited for."""
    memory = Path("/dev/shm")
    if (
        memory.is_dir()
        and os.access(memory, os.W_OK)
        and shutil.disk_usage(memory).free > _MEMORY_BYTES
    ):
        return str(memory)
    return None


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Make a server, run it, and remove all of it afterwards; raises `NoPostgresqlError`."""
    binaries = find_binaries()
    # Not below a folder of pytest: the server's user could not enter that.
    folder = Path(tempfile.mkdtemp(prefix="tui-licenses-pg-", dir=_parent()))
    try:
        if not os.getuid():
            os.chown(folder, _user().pw_uid, _user().pw_gid)
        cluster = Cluster(folder, binaries)
        _make_data(cluster)
        cluster.start()
        try:
            cluster.query(f"CREATE ROLE {LOCKED_USER} LOGIN PASSWORD '{LOCKED_PASSWORD}'")
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_data(cluster: Cluster) -> None:
    made = _as_its_user("--pdeathsig=KILL", cluster.binaries / "initdb")
    made += ["-D", str(cluster.folder / "data"), "-U", USER, "--encoding=UTF8", "--no-sync"]
    made += ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=de", "--auth=trust"]
    done = subprocess.run(made, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(re.sub(r"\s+", " ", done.stderr)[-500:])
    (cluster.folder / "data" / "pg_hba.conf").write_text(_ACCESS)
