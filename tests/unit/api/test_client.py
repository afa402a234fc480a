"""Answers become domain values or errors, whatever a cloud, a portal or an attacker sends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.support.scripted_server import (
    TOKEN_PATH,
    Answer,
    Received,
    Responder,
    ScriptedServer,
    http,
    problem,
    scripted_server,
    signing_in,
)
from tests.support.values import make_instance
from tui_licenses.api.client import Change, ChangesPage, Client, RevisionConflictError
from tui_licenses.api.session import Session
from tui_licenses.api.transport import Transport
from tui_licenses.config import Credentials
from tui_licenses.errors import (
    NotAllowedError,
    NotFoundError,
    SignInError,
    StateError,
    TuiLicensesError,
    UnavailableError,
    UnexpectedError,
)

Call = Callable[[Client], Awaitable[object]]


async def credentials() -> Credentials:
    return Credentials("subject", "refresh")


async def called(
    responder: Responder, call: Call, clock: Callable[[], float] | None = None
) -> tuple[object, ScriptedServer]:
    async with scripted_server(responder) as server:
        transport = Transport(server.url)
        session = Session(transport, credentials, **({"clock": clock} if clock else {}))
        try:
            return await call(Client(session)), server
        finally:
            await transport.aclose()


async def error_of(answer: Answer, call: Call | None = None) -> TuiLicensesError:
    with pytest.raises(TuiLicensesError) as caught:
        await called(signing_in(lambda _: answer), call or (lambda client: client.trust()))
    return caught.value


TRUST = http(200, {"document": "{}", "roots": [], "lab": True})


async def test_one_token_serves_many_calls_at_once() -> None:
    async def many(client: Client) -> None:
        await asyncio.gather(*(client.trust() for _ in range(10)))

    _, server = await called(signing_in(lambda _: TRUST), many)
    assert [request.path for request in server.received].count(TOKEN_PATH) == 1
    bearers = {
        request.headers["authorization"]
        for request in server.received
        if request.path != TOKEN_PATH
    }
    assert bearers == {"Bearer token-1"}


async def test_a_token_is_renewed_a_minute_before_it_ends() -> None:
    now = [0.0]

    async def twice(client: Client) -> None:
        for now[0] in (0.0, 3539.0, 3540.0):
            await client.trust()

    _, server = await called(signing_in(lambda _: TRUST), twice, lambda: now[0])
    used = [r.headers["authorization"] for r in server.received if r.path != TOKEN_PATH]
    assert used == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


async def test_a_token_that_ends_soon_is_still_used() -> None:
    async def twice(client: Client) -> None:
        await client.trust()
        await client.trust()

    _, server = await called(signing_in(lambda _: TRUST, expires_in=30), twice, lambda: 0.0)
    assert [request.path for request in server.received].count(TOKEN_PATH) == 1


async def test_a_token_that_was_revoked_is_exchanged_once_more() -> None:
    def responder(request: Received) -> Answer:
        is_first = request.headers["authorization"] == "Bearer token-1"
        return problem("token-expired", 401) if is_first else TRUST

    _, server = await called(signing_in(responder), lambda client: client.trust())
    assert [request.path for request in server.received].count(TOKEN_PATH) == 2


async def test_a_token_that_is_refused_twice_ends_in_signing_in_again() -> None:
    error = await error_of(problem("token-invalid", 401))
    assert isinstance(error, SignInError)
    assert "login" in error.next_step


async def test_a_refused_refresh_token_is_a_sign_in_error() -> None:
    with pytest.raises(SignInError) as caught:
        await called(lambda _: problem("invalid-refresh-token", 401), lambda client: client.trust())
    assert caught.value.code == "invalid-refresh-token"


@pytest.mark.parametrize(
    "token",
    [{"accessToken": 1}, {"accessToken": "a\r\nb", "expiresIn": 1, "tokenType": "x"}],
)
async def test_a_token_that_is_none_is_no_answer_of_a_cloud(token: dict[str, object]) -> None:
    with pytest.raises(UnavailableError) as caught:
        await called(lambda _: http(200, token), lambda client: client.trust())
    assert caught.value.code == "unexpected-answer"


def test_secrets_are_not_in_a_representation() -> None:
    assert "refresh" not in repr(Credentials("subject", "refresh"))


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"\xff", b"[]", b'{"document": 1, "roots": [], "lab": true}'],
)
async def test_what_is_not_the_contract_is_an_unexpected_answer(body: bytes) -> None:
    error = await error_of(http(200, body))
    assert isinstance(error, UnavailableError)
    assert error.code == "unexpected-answer"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, "unexpected-answer"),
        (400, "unexpected-answer"),
        (403, "unexpected-answer"),
        (404, "unexpected-answer"),
        (407, "proxy-refused"),
        (429, "rate-limited"),
        (500, "internal"),
        (502, "unavailable"),
        (503, "unavailable"),
    ],
)
async def test_a_portal_or_proxy_never_looks_like_a_refusal_of_the_cloud(
    status: int, code: str
) -> None:
    error = await error_of(
        http(status, b"<html>", {"Content-Type": "text/html", "Retry-After": "61"})
    )
    assert isinstance(error, UnavailableError)
    assert error.code == code
    assert error.next_step


async def test_a_problem_without_its_members_is_no_problem_document() -> None:
    error = await error_of(http(404, {"title": "x"}, {"Content-Type": "application/problem+json"}))
    assert error.code == "unexpected-answer"


async def test_a_problem_becomes_its_error_with_all_details_cleaned() -> None:
    answer = problem(
        "key-expired",
        422,
        detail="Old\x1b[31m",
        requestId="r\x1b1",
        errors=[{"pointer": "/keys/0", "code": "key-expired", "detail": "Past\u202e"}],
    )
    error = await error_of(answer)
    assert isinstance(error, StateError)
    assert error.message == "Old‹U+001B›[31m"
    assert error.request_id == "r‹U+001B›1"
    assert [(part.pointer, part.message) for part in error.details] == [("/keys/0", "Past‹U+202E›")]


async def test_a_refused_plan_names_plan_and_contact() -> None:
    error = await error_of(
        problem("plan-not-eligible", 403, plan="OmniD", supportContact="help@example.com")
    )
    assert isinstance(error, NotAllowedError)
    assert (error.plan, error.support_contact) == ("OmniD", "help@example.com")


async def test_a_pause_that_is_asked_for_is_told() -> None:
    error = await error_of(problem("rate-limited", 429, {"Retry-After": "90"}))
    assert isinstance(error, UnavailableError)
    assert error.retry_after_seconds == 90


async def test_a_code_nobody_knows_is_unexpected() -> None:
    error = await error_of(problem("brand-new", 418))
    assert isinstance(error, UnexpectedError)
    assert error.message == "About brand-new."


async def test_a_conflict_without_the_present_value_is_no_answer_of_a_cloud() -> None:
    async def rename(client: Client) -> object:
        return await client.change_instance(make_instance(), name="x")

    error = await error_of(problem("revision-mismatch", 412), rename)
    assert not isinstance(error, RevisionConflictError)
    assert error.code == "unexpected-answer"


async def test_pages_that_never_end_are_given_up() -> None:
    page = http(
        200,
        {
            "items": [],
            "size": 0,
            "totalCount": 0,
            "start": 0,
            "limit": 1,
            "nextCursor": "again",
        },
    )

    async def read(client: Client) -> object:
        return [entry async for entry in client.key_pages(1)]

    error = await error_of(page, read)
    assert error.code == "unexpected-answer"


async def test_an_id_from_outside_cannot_change_the_path() -> None:
    with pytest.raises(NotFoundError):
        await called(
            signing_in(lambda _: problem("instance-not-found", 404)),
            lambda client: client.show_instance("../../users/me?x=1#y"),
        )

    async def show(client: Client) -> object:
        try:
            return await client.show_instance("../me?x")
        except NotFoundError:
            return None

    _, server = await called(signing_in(lambda _: problem("instance-not-found", 404)), show)
    assert server.paths() == ["/api/v3/licensing/instances/..%2Fme%3Fx"]


async def test_every_change_carries_an_idempotency_key_of_its_own() -> None:
    async def twice(client: Client) -> None:
        for _ in range(2):
            with pytest.raises(NotFoundError):
                await client.release("key", "reason", False)

    _, server = await called(signing_in(lambda _: problem("key-not-found", 404)), twice)
    keys = [r.headers["idempotency-key"] for r in server.received if r.path != TOKEN_PATH]
    assert len(set(keys)) == 2


async def test_a_change_tells_what_an_object_is_now_or_that_it_is_gone() -> None:
    gone = {"sequence": 1, "kind": "key", "id": "k", "object": None, "deleted": True}
    page = http(200, {"items": [gone], "nextCursor": "next", "hasMore": False})

    async def follow(client: Client) -> object:
        return await client.changes("cursor", 10)

    found, server = await called(signing_in(lambda _: page), follow)
    assert found == ChangesPage((Change("key", "k", None, None),), "next", False)
    assert server.paths() == ["/api/v3/licensing/changes?cursor=cursor&limit=10"]


async def test_a_change_without_its_object_is_no_answer_of_a_cloud() -> None:
    empty = {"sequence": 1, "kind": "instance", "id": "i"}
    page = http(200, {"items": [empty], "nextCursor": "next", "hasMore": False})
    error = await error_of(page, lambda client: client.changes("cursor", 10))
    assert error.code == "unexpected-answer"
