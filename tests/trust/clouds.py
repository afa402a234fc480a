"""License clouds to attack: a seeded database, and servers of it in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.cloud.lab import BASE, INSTANCES, KEYS, SEEDED_FOR
from tests.trust.cloud_databases import empty_databases
from tui_licenses.cloud.administration import NewToken, seed

_ROOT = Path(__file__).parents[2]
_REPLY_SECONDS = 20

# Serves with the limits given as `name=seconds`.
OURS = """
import sys
from tui_licenses.cloud.http.limits import ConnectionLimits
from tui_licenses.cloud.serve import serve
limits = {name: float(value) for name, value in (pair.split("=") for pair in sys.argv[2:])}
serve(sys.argv[1], port=0, limits=ConnectionLimits(**limits),
      on_ready=lambda url: print(url, flush=True))
"""

# Serves callers who guess a lot, for what lies behind the limits on guessing.
GENEROUS = """
import sys
from tests.cloud.lab import generous
from tui_licenses.cloud.serve import serve
serve(sys.argv[1], port=0, throttles=generous(), on_ready=lambda url: print(url, flush=True))
"""

# The same application on a server that was left as it is installed.
NAIVE = """
import sys, uvicorn
from tui_licenses.cloud.app import create_app
from tui_licenses.cloud.store import open_store

class Naive(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        print(f"http://127.0.0.1:{port}", flush=True)

app = create_app(open_store(sys.argv[1]))
Naive(uvicorn.Config(app, port=0, log_config=None, lifespan="off")).run()
"""


@dataclass(frozen=True)
class SeededCloud:
    """A database and the sign-ins of its accounts, in the order of `lab.CALLERS`."""

    name: str
    database: str | Path
    tokens: tuple[NewToken, ...]


def seeded_clouds(folder: Path) -> Iterator[SeededCloud]:
    """Seed the small estate of the cloud's tests in each kind of database there is."""
    for kind, database in empty_databases(folder):
        yield seed_cloud(database, kind)


def seed_cloud(database: str | Path, name: str) -> SeededCloud:
    """Seed one database."""
    report = seed(database, instances=INSTANCES, keys=KEYS, random_seed=7, now=SEEDED_FOR)
    return SeededCloud(name, database, report.tokens)


@dataclass(frozen=True)
class ServedProcess:
    """A running server: where it answers, and its process."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self.url.rsplit(":", 1)[1])

    def resident_bytes(self) -> int:
        """Return how much memory the process holds now."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (entry for entry in text.splitlines() if entry.startswith("VmRSS"))
        return int(line.split()[1]) * 1024


@contextmanager
def serve(
    cloud: SeededCloud, log: Path, program: str = OURS, **limits: float
) -> Iterator[ServedProcess]:
    """Run a server until the end of the block; `log` holds what it says."""
    options = [f"{name}={value}" for name, value in limits.items()]
    with (
        log.open("wb") as stream,
        subprocess.Popen(
            [sys.executable, "-c", program, str(cloud.database), *options],
            stdout=subprocess.PIPE,
            stderr=stream,
            cwd=_ROOT,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            yield ServedProcess(process.stdout.readline().decode().strip(), process)
        finally:
            process.kill()


def sign_in(server: ServedProcess, token: NewToken) -> str:
    """Return an access token."""
    return sign_in_at(server.url, token)


def sign_in_at(url: str, token: NewToken) -> str:
    """Return an access token of the cloud at this URL."""
    answer = httpx.post(
        f"{url}{BASE}/authorization/token",
        json={
            "subjectType": "Application",
            "subjectId": token.subject_id,
            "grantType": "refreshToken",
            "refreshToken": token.refresh_token,
        },
        timeout=_REPLY_SECONDS,
        # Nothing is encrypted here; to load certificates would take longer than all the rest.
        verify=False,
        trust_env=False,
    )
    return str(answer.raise_for_status().json()["accessToken"])
