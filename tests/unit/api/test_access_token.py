"""Programs of one user share one access token, and none waits for another that is gone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.scripted_server import (
    TOKEN_PATH,
    Received,
    ScriptedServer,
    http,
    problem,
    scripted_server,
    signing_in,
)
from tui_licenses import paths
from tui_licenses.api import access_token
from tui_licenses.api.access_token import (
    AccessToken,
    SharedAccessToken,
    forget_access_token,
)
from tui_licenses.api.clock import boot_seconds
from tui_licenses.api.session import Session
from tui_licenses.api.transport import Request, Transport
from tui_licenses.credentials import Credentials
from tui_licenses.errors import SignInError
from tui_licenses.secret import Secret

_READ = Request("GET", "/api/v3/users/me")


def shared(owner: str = "acme") -> SharedAccessToken:
    async def tell() -> str:
        return owner

    return SharedAccessToken(paths.access_token_file("acme"), tell)


async def credentials() -> Credentials:
    return Credentials("subject", Secret("tlr_1"))


async def ask(server: ScriptedServer, token: SharedAccessToken, request: Request = _READ) -> int:
    """Ask once, as a program of its own does."""
    transport = Transport(server.url)
    try:
        return (await Session(transport, credentials, token).send(request)).status
    finally:
        await transport.aclose()


def exchanges(server: ScriptedServer) -> int:
    return [request.path for request in server.received].count(TOKEN_PATH)


async def test_a_second_program_does_not_exchange_again() -> None:
    async with scripted_server(signing_in(lambda _: http(200, {}))) as server:
        assert [await ask(server, shared()) for _ in range(3)] == [200] * 3
        assert exchanges(server) == 1
    file = paths.access_token_file("acme")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


async def test_another_sign_in_does_not_get_the_token() -> None:
    async with scripted_server(signing_in(lambda _: http(200, {}))) as server:
        await ask(server, shared())
        await ask(server, shared("somebody else"))
        assert exchanges(server) == 2


async def test_a_token_exchanged_while_somebody_else_signs_in_stays_that_of_the_old_sign_in() -> (
    None
):
    signed_in = ["acme"]

    async def owner() -> str:
        return signed_in[-1]

    def respond(request: Received) -> bytes:
        if request.path == TOKEN_PATH:
            signed_in.append("somebody else")
        return signing(request)

    signing = signing_in(lambda _: http(200, {}))
    token = SharedAccessToken(paths.access_token_file("acme"), owner)
    async with scripted_server(respond) as server:
        assert await ask(server, token) == 200
        assert await token.read() is None
        assert await shared("acme").read() is not None


@pytest.mark.parametrize("harm", ["bytes", "mode", "link", "boot"])
async def test_a_token_that_cannot_be_trusted_is_renewed(harm: str) -> None:
    file = paths.access_token_file("acme")
    async with scripted_server(signing_in(lambda _: http(200, {}))) as server:
        await ask(server, shared())
        if harm == "bytes":
            file.write_bytes(b'{"owner": "acme\xff"}')
        elif harm == "mode":
            file.chmod(0o644)
        elif harm == "link":
            file.rename(file.with_name("other"))
            file.symlink_to("other")
        else:
            data = file.read_bytes()
            file.write_bytes(data.replace(access_token._boot().encode(), b"another"))
        assert await ask(server, shared()) == 200
        assert exchanges(server) == 2
        assert not file.is_symlink()
        assert file.stat().st_mode & 0o777 == 0o600


async def test_a_refused_token_is_renewed_once_and_the_request_sent_again_with_its_key() -> None:
    def respond(request: Received) -> bytes:
        is_new = request.headers["authorization"] == "Bearer token-2"
        return http(200, {}) if is_new else problem("token-expired", 401)

    change = Request("POST", "/api/v3/x", headers={"Idempotency-Key": "one"}, body=b"{}")
    async with scripted_server(signing_in(respond)) as server:
        assert await ask(server, shared(), change) == 200
        sent = [request for request in server.received if request.path != TOKEN_PATH]
        assert [request.headers["idempotency-key"] for request in sent] == ["one", "one"]
        assert exchanges(server) == 2


async def test_many_refused_at_once_share_one_renewal() -> None:
    def respond(request: Received) -> bytes:
        is_new = request.headers["authorization"] == "Bearer token-2"
        return http(200, {}) if is_new else problem("token-expired", 401)

    async with scripted_server(signing_in(respond)) as server:
        transport = Transport(server.url)
        session = Session(transport, credentials, shared())
        answers = await asyncio.gather(*(session.send(_READ) for _ in range(20)))
        await transport.aclose()
        assert {answer.status for answer in answers} == {200}
        assert exchanges(server) == 2


async def test_what_is_refused_again_is_told_and_not_tried_for_ever() -> None:
    async with scripted_server(signing_in(lambda _: problem("token-invalid", 401))) as server:
        assert await ask(server, shared()) == 401
        assert exchanges(server) == 2


async def test_a_lock_that_is_never_given_back_holds_nobody_up_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(access_token, "_WAIT_SECONDS_MAXIMUM", 0.1)
    responder = signing_in(lambda _: http(200, {}))
    async with scripted_server(responder) as server, shared().locked():
        assert await ask(server, shared()) == 200


async def test_without_a_place_for_it_every_program_has_its_own(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "file"))
    async with scripted_server(signing_in(lambda _: http(200, {}))) as server:
        assert [await ask(server, shared()) for _ in range(2)] == [200] * 2
        assert exchanges(server) == 2


async def test_a_refused_sign_in_leaves_no_token() -> None:
    async with scripted_server(lambda _: problem("invalid-refresh-token", 401)) as server:
        with pytest.raises(SignInError):
            await ask(server, shared())
    assert not paths.access_token_file("acme").exists()


async def test_a_token_lies_in_memory_where_that_is_private_and_is_forgotten_everywhere(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = boot_seconds()
    token = AccessToken(Secret("tla_1"), now, now + 60)
    kept = paths.access_token_file("acme")
    shared().keep(token, "acme")
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert paths.access_token_file("acme") == runtime / "tui-licenses" / "acme.json"
    paths.private_folder(runtime / "tui-licenses")
    shared().keep(token, "acme")
    assert await shared().read() == token
    runtime.chmod(0o755)
    assert paths.access_token_file("acme") == kept
    runtime.chmod(0o700)
    forget_access_token("acme")
    assert not kept.exists()
    assert list((runtime / "tui-licenses").iterdir()) == []
