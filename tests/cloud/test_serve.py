"""A real server process: addresses, TLS, limits, and a clean stop."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.cloud.conftest import Template
from tui_licenses.cloud.serve import _bind, base_url, serve
from tui_licenses.errors import UseError

_PROGRAM = """
import logging, sys
from pathlib import Path
from tui_licenses.cloud.serve import serve
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
database, host, *tls = sys.argv[1:]
files = [Path(name) for name in tls] or [None, None]
serve(database, host, 0, *files, on_ready=lambda url: print(url, flush=True))
print("stopped", flush=True)
"""


@dataclass(frozen=True)
class Server:
    """A running server process and where it answers."""

    process: subprocess.Popen[str]
    url: str


def _start(database: Path, host: str, *tls: Path) -> Server:
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(database), host, *map(str, tls)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return Server(process, process.stdout.readline().strip())


def _stop(server: Server, number: signal.Signals) -> tuple[str, str]:
    server.process.send_signal(number)
    return server.process.communicate(timeout=20)


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    started = _start(database, "127.0.0.1")
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.communicate()


def _sign_in(server: Server, template: Template, client: httpx.Client) -> dict[str, str]:
    token = template[1].tokens[0]
    answer = client.post(
        f"{server.url}/api/v3/authorization/token",
        json={
            "subjectType": "Application",
            "subjectId": token.subject_id,
            "grantType": "refreshToken",
            "refreshToken": token.refresh_token,
        },
    )
    assert answer.status_code == 200
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_answers_and_stops_cleanly(
    server: Server, template: Template, number: signal.Signals
) -> None:
    with httpx.Client() as client:
        headers = _sign_in(server, template, client)
        listed = client.get(f"{server.url}/api/v3/licensing/keys?q=berlin", headers=headers)
        assert listed.headers["content-encoding"] == "gzip"
        assert "server" not in listed.headers
        key = listed.json()["items"][0]["key"]
        unknown = client.get(f"{server.url}/api/v3/users/me?secret={key}", headers=headers)
        assert unknown.status_code == 400
        big = client.post(f"{server.url}/api/v3/authorization/token", content=b"x" * 70_000)
        assert big.status_code == 413
        chunks = client.post(
            f"{server.url}/api/v3/authorization/token", content=iter([b"x" * 40_000] * 2)
        )
        assert chunks.status_code == 413
    output, log = _stop(server, number)
    assert output == "stopped\n"
    assert server.process.returncode == 0
    assert "GET /api/v3/licensing/keys 200" in log
    for secret in (
        key,
        headers["Authorization"][7:],
        template[1].tokens[0].refresh_token,
        "berlin",
    ):
        assert secret not in log


def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_head(server: Server) -> None:
    with httpx.Client() as client:
        answers = [client.get(f"{server.url}/api/v3/health") for _ in range(60)]
    # A new connection is acknowledged at once for a while, later after 40 ms.
    assert min(answer.elapsed.total_seconds() for answer in answers[-20:]) < 0.03


def test_a_request_that_breaks_off_is_no_error(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /api/v3/authorization/token HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
        )
    with httpx.Client() as client:
        assert client.get(f"{server.url}/api/v3/health").status_code == 200
    _, log = _stop(server, signal.SIGTERM)
    assert "Traceback" not in log


def test_a_server_speaks_tls(database: Path, template: Template, tmp_path: Path) -> None:
    certificate, key = _self_signed(tmp_path)
    server = _start(database, "0.0.0.0", certificate, key)
    assert server.url.startswith("https://0.0.0.0:")
    context = ssl.create_default_context(cafile=str(certificate))
    port = server.url.rsplit(":", 1)[1]
    with httpx.Client(verify=context) as client:
        answer = client.get(f"https://localhost:{port}/api/v3/health")
        assert answer.json() == {"status": "ready"}
    _stop(server, signal.SIGTERM)
    assert server.process.returncode == 0


def _self_signed(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "cert.pem", folder / "key.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    name = "-subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run(
        ["openssl", *request.split(), *name.split(), "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_taken_port_is_told(database: Path, host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        taken = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip("this machine has no such loopback address")
    with taken, pytest.raises(UseError) as refused:
        serve(database, host, taken.getsockname()[1])
    assert refused.value.code == "address-unavailable"


def test_the_address_of_a_server_is_a_url() -> None:
    assert base_url("127.0.0.1", 8443, is_tls=False) == "http://127.0.0.1:8443"
    assert base_url("::1", 8443, is_tls=True) == "https://[::1]:8443"


def test_answers_are_not_held_back_for_a_fuller_packet() -> None:
    # What asyncio asks of a socket before it sets TCP_NODELAY on its connections.
    with _bind("127.0.0.1", 0, 1) as bound:
        assert bound.proto == socket.IPPROTO_TCP
