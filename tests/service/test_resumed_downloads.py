"""A large download that was cut off goes on where it ended, and is what was promised or refused."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from tests.support.folders import names_in
from tests.support.scripted_server import Answer, Last, Received, http
from tests.support.scripted_services import scripted_services
from tests.support.values import make_instance
from tui_licenses.errors import FileError, UnavailableError
from tui_licenses.service import resuming
from tui_licenses.service.resuming import Promise, begin_part, find_part

INSTANCE = make_instance()
BODY = bytes(range(256)) * 40
ETAG = '"one"'


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "RESUMED_FROM_BYTES", 1000)


def whole(etag: str = ETAG) -> bytes:
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    return http(200, BODY, {"Repr-Digest": f"sha-256=:{digest}:", "ETag": etag})


def rest(offset: int) -> bytes:
    headers = {"ETag": ETAG, "Content-Range": f"bytes {offset}-{len(BODY) - 1}/{len(BODY)}"}
    return http(200, BODY[offset:], headers).replace(b" 200 ", b" 206 ", 1)


def promise() -> Promise:
    return Promise(len(BODY), hashlib.sha256(BODY).hexdigest(), ETAG)


async def test_only_the_rest_is_asked_for(tmp_path: Path) -> None:
    def responder(request: Received) -> Answer:
        if "range" not in request.headers:
            return Last(whole()[:-4000])
        assert request.headers["if-range"] == ETAG
        return rest(int(request.headers["range"].removeprefix("bytes=").removesuffix("-")))

    async with scripted_services(responder) as (services, server):
        with pytest.raises(UnavailableError):
            await services.downloads.profile(INSTANCE, tmp_path)
        (kept,) = names_in(tmp_path)
        assert kept.endswith(".resume")
        assert (tmp_path / kept).stat().st_mode & 0o777 == 0o600
        saved = await services.downloads.profile(INSTANCE, tmp_path)
    assert server.received[-1].headers["range"] == f"bytes={len(BODY) - 4000}-"
    assert saved.path.read_bytes() == BODY
    assert names_in(tmp_path) == [saved.path.name]


async def test_what_has_no_strong_etag_is_not_kept(tmp_path: Path) -> None:
    async with scripted_services(lambda _: Last(whole('W/"weak"')[:-10])) as (services, _):
        with pytest.raises(UnavailableError):
            await services.downloads.profile(INSTANCE, tmp_path)
    assert names_in(tmp_path) == []


def test_a_part_belongs_to_one_process(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    part = begin_part(file, "profile/1", promise())
    assert part is not None
    part.append(BODY[:10])
    assert find_part(file, "profile/1") is None
    part.close()
    again = find_part(file, "profile/1")
    assert again is not None
    assert (again.offset, again.whole()) == (10, BODY[:10])
    assert find_part(file, "profile/2") is None
    again.remove()
    assert names_in(tmp_path) == []


def test_a_part_that_is_a_hard_link_of_another_file_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    part = begin_part(file, "profile/1", promise())
    assert part is not None
    part.close()
    (kept,) = names_in(tmp_path)
    (tmp_path / kept).unlink()
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / kept).hardlink_to(tmp_path / "mine")
    assert begin_part(file, "profile/1", promise()) is None
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_what_never_fits_is_refused_before_it_comes(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        begin_part(tmp_path / "a.xml", "profile/1", Promise(2**60, "", ETAG))
    assert caught.value.code == "disk-full"
