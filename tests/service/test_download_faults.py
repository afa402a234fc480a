"""A download that fails on the way leaves nothing behind and says what went wrong."""

from __future__ import annotations

import asyncio
import base64
import errno
import gzip
import hashlib
import os
from pathlib import Path

import pytest

from tests.support.folders import names_in
from tests.support.scripted_server import Answer, Behaviour, Received, http, problem
from tests.support.scripted_services import scripted_services
from tests.support.values import make_instance
from tui_licenses.errors import DocumentError, FileError, TuiLicensesError, UnavailableError
from tui_licenses.service import bulk as module
from tui_licenses.service.downloads import DocumentKind, DownloadOutcome, Subject

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


async def test_an_encoding_that_nobody_asked_for_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(BODY)
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    answer = http(200, packed, {"Repr-Digest": f"sha-256=:{digest}:", "Content-Encoding": "gzip"})
    assert (await failed(answer, tmp_path)).code == "unexpected-answer"


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
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert names_in(tmp_path) == []


def many(count: int) -> list[Subject]:
    return [make_instance(id=f"{number:08}-x") for number in range(count)]


async def test_an_interrupted_bulk_download_leaves_nothing(tmp_path: Path) -> None:
    async with scripted_services(lambda _: Behaviour.HANG) as (services, server):
        bulk = services.downloads.bulk(DocumentKind.PROFILE, many(30), tmp_path)
        task = asyncio.create_task(bulk.run())
        await server.asked(module.IN_FLIGHT_MAXIMUM)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(server.paths()) == module.IN_FLIGHT_MAXIMUM
    assert names_in(tmp_path) == []


async def test_what_is_saved_when_a_bulk_download_is_stopped_stays_and_the_rest_is_told(
    tmp_path: Path,
) -> None:
    asked = 0

    def responder(_: Received) -> Answer:
        nonlocal asked
        asked += 1
        return document() if asked <= 20 else Behaviour.HANG

    told: list[DownloadOutcome] = []
    are_told = asyncio.Event()

    def tell(outcome: DownloadOutcome) -> None:
        told.append(outcome)
        if len(told) == 20:
            are_told.set()

    async with scripted_services(responder) as (services, server):
        bulk = services.downloads.bulk(DocumentKind.PROFILE, many(40), tmp_path, on_outcome=tell)
        task = asyncio.create_task(bulk.run())
        await server.asked(20 + module.IN_FLIGHT_MAXIMUM)
        await are_told.wait()
        bulk.stop()
        result = await task
    saved = [outcome.file for outcome in result.outcomes if outcome.file]
    assert len(saved) == 20
    assert {each.error.code for each in result.outcomes if each.error} == {"not-fetched"}
    assert sum(not outcome.is_fetched for outcome in result.outcomes) == 20
    assert sorted(names_in(tmp_path)) == sorted(["SHA256SUMS", *(file.path.name for file in saved)])


async def test_a_download_that_was_stopped_before_it_began_asks_for_nothing(
    tmp_path: Path,
) -> None:
    async with scripted_services(lambda _: document()) as (services, server):
        bulk = services.downloads.bulk(DocumentKind.PROFILE, many(3), tmp_path)
        bulk.stop()
        result = await bulk.run()
        assert server.paths() == []
    assert not any(outcome.is_fetched for outcome in result.outcomes)


async def test_no_more_than_eight_are_asked_for_at_once(tmp_path: Path) -> None:
    async with scripted_services(lambda _: document()) as (services, _):
        result = await services.downloads.bulk(DocumentKind.PROFILE, many(40), tmp_path).run()
    assert all(outcome.file for outcome in result.outcomes)
    assert len(names_in(tmp_path)) == 41


async def test_where_nothing_answers_the_rest_is_not_tried(tmp_path: Path) -> None:
    async with scripted_services(lambda _: problem("internal", 500)) as (services, server):
        result = await services.downloads.bulk(DocumentKind.PROFILE, many(500), tmp_path).run()
        assert len(server.paths()) < 50
    codes = [outcome.error.code for outcome in result.outcomes if outcome.error]
    assert len(codes) == 500
    assert set(codes) == {"internal", "not-fetched"}


async def test_after_a_folder_took_a_file_no_more_the_rest_is_not_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "fsync", fail)
    async with scripted_services(lambda _: document()) as (services, server):
        result = await services.downloads.bulk(DocumentKind.PROFILE, many(500), tmp_path).run()
        assert len(server.paths()) < 50
    codes = [outcome.error.code for outcome in result.outcomes if outcome.error]
    assert len(codes) == 500
    assert set(codes) == {"folder-not-writable", "not-fetched"}
    assert names_in(tmp_path) == []


async def test_a_folder_that_anybody_may_change_is_refused_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o777)
    async with scripted_services(lambda _: document()) as (services, server):
        with pytest.raises(FileError) as caught:
            await services.downloads.profile(INSTANCE, tmp_path)
        assert server.paths() == []
    assert caught.value.code == "folder-unsafe"


@pytest.mark.parametrize(
    "answer",
    [
        http(200, {"items": []}),
        http(200, {"items": [{"instanceId": "another", "licenseFile": "{}", "manifest": "{}"}]}),
        http(200, {"items": [{"instanceId": INSTANCE.id, "licenseFile": None, "manifest": None}]}),
        http(200, {"items": "none"}),
        http(200, b"<html>"),
    ],
)
async def test_license_files_of_a_cloud_that_answers_something_else_are_not_saved(
    answer: bytes, tmp_path: Path
) -> None:
    async with scripted_services(lambda _: answer) as (services, _):
        with pytest.raises(UnavailableError) as caught:
            await services.downloads.license_file(INSTANCE, tmp_path)
    assert caught.value.code == "unexpected-answer"
    assert names_in(tmp_path) == []


async def test_nothing_has_changed_is_no_answer_for_what_is_not_here(tmp_path: Path) -> None:
    assert (await failed(http(304), tmp_path)).code == "unexpected-answer"


async def test_a_license_file_of_a_cloud_nobody_trusts_is_not_saved(tmp_path: Path) -> None:
    def responder(request: Received) -> Answer:
        item = {"instanceId": INSTANCE.id, "licenseFile": '{"no":"license"}', "manifest": "\ud800"}
        return http(200, {"items": [item]})

    async with scripted_services(responder) as (services, _):
        with pytest.raises(TuiLicensesError):
            await services.downloads.license_file(INSTANCE, tmp_path)
    assert names_in(tmp_path) == []
