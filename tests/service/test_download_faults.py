"""A download that fails on the way leaves nothing behind and says what went wrong."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
from pathlib import Path

import pytest

from tests.support.folders import names_in
from tests.support.scripted_server import Answer, Behaviour, Received, http, problem
from tests.support.scripted_services import scripted_services
from tests.support.values import make_instance
from tui_licenses.errors import DocumentError, TuiLicensesError, UnavailableError
from tui_licenses.service import downloads as module
from tui_licenses.service.downloads import DocumentKind

INSTANCE = make_instance()
BODY = b"<node/>" * 1000


def document(body: bytes = BODY, /, **headers: str) -> bytes:
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    own = {name.replace("_", "-"): value for name, value in headers.items()}
    return http(200, body, {"Repr-Digest": f"sha-256=:{digest}:"} | own)


async def failed(answer: Answer, folder: Path) -> TuiLicensesError:
    async with scripted_services(lambda _: answer) as (services, _):
        with pytest.raises(TuiLicensesError) as caught:
            await services.downloads.profile(INSTANCE, folder)
    assert names_in(folder) == []
    assert caught.value.next_step
    return caught.value


async def test_a_document_that_arrives_whole_is_saved(tmp_path: Path) -> None:
    async with scripted_services(lambda _: document()) as (services, server):
        saved = await services.downloads.profile(INSTANCE, tmp_path)
    assert saved.path.read_bytes() == BODY
    assert server.received[-1].headers["accept-encoding"] == "identity"


async def test_several_digests_may_be_given(tmp_path: Path) -> None:
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    answer = document(Repr_Digest=f"sha-512=:AAAA:, sha-256=:{digest}:")
    async with scripted_services(lambda _: answer) as (services, _):
        assert (await services.downloads.profile(INSTANCE, tmp_path)).is_new


async def test_changed_bytes_are_a_digest_mismatch(tmp_path: Path) -> None:
    error = await failed(document(BODY[:-1] + b"!"), tmp_path)
    assert isinstance(error, DocumentError)
    assert error.code == "digest-mismatch"


@pytest.mark.parametrize(
    "headers",
    [
        {"Repr_Digest": ""},
        {"Repr_Digest": "sha-256=:not base64!:"},
        {"Repr_Digest": "sha-256=:AAAA:, sha-256=:AAAA:"},
        {"Repr_Digest": "md5=:AAAA:"},
    ],
)
async def test_a_document_without_a_readable_digest_is_refused(
    headers: dict[str, str], tmp_path: Path
) -> None:
    error = await failed(document(**headers), tmp_path)
    assert isinstance(error, UnavailableError)
    assert error.code == "unexpected-answer"


async def test_a_document_without_a_size_is_refused(tmp_path: Path) -> None:
    whole = document().replace(b"Content-Length: 7000\r\n", b"Connection: close\r\n")
    assert (await failed(whole, tmp_path)).code == "unexpected-answer"


async def test_a_document_too_large_to_be_one_is_refused(tmp_path: Path) -> None:
    answer = document(Content_Length="99999999999", Connection="close")
    assert (await failed(answer, tmp_path)).code == "unexpected-answer"


async def test_more_than_was_promised_is_not_kept(tmp_path: Path) -> None:
    packed = gzip.compress(BODY * 2)
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    answer = http(200, packed, {"Repr-Digest": f"sha-256=:{digest}:", "Content-Encoding": "gzip"})
    assert (await failed(answer, tmp_path)).code == "digest-mismatch"


async def test_a_connection_cut_in_the_middle_is_a_fault_of_the_network(tmp_path: Path) -> None:
    error = await failed(document(BODY[:100], Content_Length="7000", Connection="close"), tmp_path)
    assert (error.code, error.exit_status) == ("unavailable", 7)


async def test_a_partial_answer_nobody_asked_for_is_refused(tmp_path: Path) -> None:
    answer = document().replace(b"HTTP/1.1 200", b"HTTP/1.1 206")
    assert (await failed(answer, tmp_path)).code == "unexpected-answer"


async def test_a_problem_instead_of_a_document_is_told(tmp_path: Path) -> None:
    assert (await failed(problem("profile-not-found", 404), tmp_path)).code == "profile-not-found"


async def test_an_interrupted_download_leaves_nothing(tmp_path: Path) -> None:
    async with scripted_services(lambda _: Behaviour.HANG) as (services, server):
        task = asyncio.create_task(services.downloads.profile(INSTANCE, tmp_path))
        await server.asked(1)
        assert len(names_in(tmp_path)) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert names_in(tmp_path) == []


async def test_an_interrupted_bulk_download_leaves_nothing(tmp_path: Path) -> None:
    instances = [make_instance(id=f"{number:08}-x") for number in range(30)]
    async with scripted_services(lambda _: Behaviour.HANG) as (services, server):
        task = asyncio.create_task(
            services.downloads.many(DocumentKind.PROFILE, instances, tmp_path)
        )
        await server.asked(module.IN_FLIGHT_MAXIMUM)
        assert len(names_in(tmp_path)) == module.IN_FLIGHT_MAXIMUM
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert names_in(tmp_path) == []


async def test_no_more_than_eight_are_asked_for_at_once(tmp_path: Path) -> None:
    instances = [make_instance(id=f"{number:08}-x") for number in range(40)]
    async with scripted_services(lambda _: document()) as (services, _):
        outcomes = await services.downloads.many(DocumentKind.PROFILE, instances, tmp_path)
    assert all(outcome.file for outcome in outcomes)
    assert len(names_in(tmp_path)) == 40


async def test_a_license_file_of_a_cloud_nobody_trusts_is_not_saved(tmp_path: Path) -> None:
    def responder(request: Received) -> Answer:
        return document(b'{"no":"license"}')

    async with scripted_services(responder) as (services, _):
        with pytest.raises(TuiLicensesError):
            await services.downloads.license_file(INSTANCE, tmp_path)
    assert names_in(tmp_path) == []
