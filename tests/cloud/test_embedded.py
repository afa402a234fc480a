"""The embedded cloud: made once, found again, private."""

from __future__ import annotations

import multiprocessing
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tui_licenses.cloud.embedded import (
    EmbeddedCloud,
    credentials_path,
    embedded_credentials,
    ensure_embedded,
    open_embedded,
)
from tui_licenses.domain.account import Role
from tui_licenses.errors import FileError


def _open(database: Path) -> EmbeddedCloud:
    return open_embedded(database, instances=6, keys=24)


async def _sign_in(cloud: EmbeddedCloud, number: int) -> httpx.Response:
    entry = cloud.credentials[number]
    transport = httpx.ASGITransport(app=cloud.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://embedded") as client:
        return await client.post(
            "/api/v3/authorization/token",
            json={
                "subjectType": "Application",
                "subjectId": entry.subject_id,
                "grantType": "refreshToken",
                "refreshToken": entry.refresh_token,
            },
        )


async def test_the_first_use_makes_a_cloud_one_can_sign_in_to(tmp_path: Path) -> None:
    database = tmp_path / "lab" / "cloud.db"
    assert embedded_credentials(database) == ()
    cloud = _open(database)
    assert [entry.plan for entry in cloud.credentials[:4]] == [
        "Enterprise",
        "ProPlus",
        "Pro",
        "OmniD",
    ]
    assert cloud.credentials[0].role is Role.ADMINISTRATOR
    for number in range(len(cloud.credentials)):
        assert (await _sign_in(cloud, number)).status_code == 200
    cloud.close()
    assert stat.S_IMODE(credentials_path(database).stat().st_mode) == 0o600
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700


async def test_the_second_use_finds_the_same_cloud(tmp_path: Path) -> None:
    database = tmp_path / "cloud.db"
    first = _open(database)
    first.close()
    second = _open(database)
    assert second.credentials == first.credentials == embedded_credentials(database)
    assert second.root_public_keys == first.root_public_keys
    assert (await _sign_in(second, 0)).status_code == 200
    second.close()
    assert ensure_embedded(database) is False


def _ensure(database: Path) -> bool:
    return ensure_embedded(database, instances=6, keys=24)


def test_of_two_programs_that_start_at_once_one_seeds(tmp_path: Path) -> None:
    database = tmp_path / "cloud.db"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        made = pool.map(_ensure, [database] * 2)
        pool.close()
        pool.join()
    assert sorted(made) == [False, True]


def test_a_seed_that_was_interrupted_begins_anew(tmp_path: Path) -> None:
    database = tmp_path / "cloud.db"
    _open(database).close()
    credentials_path(database).unlink()
    assert _ensure(database) is True
    cloud = _open(database)
    assert cloud.credentials
    cloud.close()


def test_credentials_that_others_can_read_are_refused(tmp_path: Path) -> None:
    database = tmp_path / "cloud.db"
    _open(database).close()
    credentials_path(database).chmod(0o640)
    with pytest.raises(FileError) as refused:
        embedded_credentials(database)
    assert refused.value.code == "file-not-private"


def test_damaged_credentials_are_named(tmp_path: Path) -> None:
    database = tmp_path / "cloud.db"
    _open(database).close()
    credentials_path(database).write_bytes(b"{}")
    with pytest.raises(FileError) as refused:
        embedded_credentials(database)
    assert refused.value.code == "file-damaged"


_ONLY_IMPORTED = "from tui_licenses.cloud import administration, embedded, serve"
_ONLY_OPENED = """
from pathlib import Path
from tui_licenses.cloud.embedded import open_embedded
open_embedded(Path({database!r})).close()
"""


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        (
            _ONLY_IMPORTED,
            ("sqlalchemy", "starlette", "alembic", "uvicorn", "cryptography", "lxml", "fpdf"),
        ),
        (
            _ONLY_OPENED,
            ("alembic", "uvicorn", "lxml", "fpdf", "httpx", "tui_licenses.cloud.seeding.seed"),
        ),
    ],
)
def test_heavy_modules_are_not_imported_before_they_are_needed(
    tmp_path: Path, program: str, absent: tuple[str, ...]
) -> None:
    database = tmp_path / "cloud.db"
    _open(database).close()
    code = (
        f"{program.format(database=str(database))}\nimport sys\n"
        f"print([name for name in {absent!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path.cwd()
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
