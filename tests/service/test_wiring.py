"""A context becomes services; credentials come from the environment, a private file or the lab."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import ServedCloud
from tests.support.folders import names_in
from tests.support.scripted_server import problem
from tests.support.scripted_services import scripted_services
from tui_licenses import paths
from tui_licenses.config import (
    Configuration,
    Context,
    load_configuration,
    save_configuration,
)
from tui_licenses.credentials import Credentials
from tui_licenses.domain.account import Role
from tui_licenses.errors import (
    DocumentError,
    FileError,
    NotAllowedError,
    SignInError,
    UnavailableError,
    UseError,
)
from tui_licenses.secret import Secret
from tui_licenses.service.sign_in import load_credentials, save_credentials
from tui_licenses.wiring import EMBEDDED_ENDPOINT, Services, open_services, sign_in, sign_out

WORK = Context("work", "https://cloud.example.com:8443/licenses")


def test_opening_services_opens_nothing(home: Path) -> None:
    services = open_services(Configuration(), None, {})
    assert (services.endpoint, services.is_lab) == (EMBEDDED_ENDPOINT, True)
    served = open_services(Configuration(contexts=(WORK,)), "work", {})
    assert (served.endpoint, served.is_lab) == ("cloud.example.com:8443", False)
    assert served.context == WORK
    assert list(home.iterdir()) == []


async def test_what_a_killed_run_left_is_swept_from_the_programs_own_folders(
    services: Services,
) -> None:
    old = time.time() - 2 * 60 * 60
    left = []
    for folder in paths.own_folders("embedded"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        left.append(folder / f".file.{'0' * 16}.part")
        left[-1].touch()
        os.utime(left[-1], (old, old))
        (folder / "kept.part").touch()
    services.sweep_leftovers()
    assert not any(file.exists() for file in left)
    assert all((file.parent / "kept.part").exists() for file in left)


async def test_services_that_were_never_used_close_quietly() -> None:
    await open_services(Configuration(), None, {}).aclose()


async def test_the_embedded_cloud_is_made_on_first_use_and_found_again() -> None:
    first = open_services(Configuration(), None, {})
    user = await first.account.who_am_i()
    await first.aclose()
    assert user.role is Role.ADMINISTRATOR
    assert paths.embedded_database_file().exists()
    again = open_services(Configuration(), None, {})
    assert await again.account.who_am_i() == user
    await again.aclose()
    await again.aclose()


@pytest.mark.parametrize(
    "environment", [{"TUI_LICENSES_SUBJECT_ID": "a"}, {"TUI_LICENSES_REFRESH_TOKEN": "a"}]
)
def test_half_a_sign_in_in_the_environment_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(UseError, match="half of a sign-in"):
        open_services(Configuration(), None, environment)


async def test_a_context_without_a_sign_in_says_how_to_get_one() -> None:
    services = open_services(Configuration(contexts=(WORK,)), "work", {})
    with pytest.raises(SignInError) as caught:
        await services.account.who_am_i()
    assert caught.value.code == "token-missing"
    assert "tui-licenses login" in caught.value.next_step
    await services.aclose()


async def test_a_sign_in_that_others_can_read_is_refused_with_the_command_that_helps() -> None:
    save_credentials(WORK, Credentials("subject", Secret("refresh")))
    file = paths.credentials_file("work")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o640)
    services = open_services(Configuration(contexts=(WORK,)), "work", {})
    with pytest.raises(FileError) as caught:
        await services.account.who_am_i()
    assert caught.value.code == "file-not-private"
    assert f"chmod 600 {file}" in caught.value.next_step
    await services.aclose()


def test_a_damaged_sign_in_is_told() -> None:
    save_credentials(WORK, Credentials("subject", Secret("refresh")))
    assert load_credentials(WORK) == Credentials("subject", Secret("refresh"))
    paths.credentials_file("work").write_bytes(b"{}")
    with pytest.raises(FileError) as caught:
        load_credentials(WORK)
    assert caught.value.code == "file-damaged"


async def test_a_good_sign_in_is_kept_and_becomes_the_current_context(
    served_cloud: ServedCloud,
) -> None:
    save_configuration(Configuration(contexts=(WORK,), current="work"))
    context = Context("lab", f"{served_cloud.url}/")
    subject_id, refresh_token = served_cloud.sign_ins[Role.OPERATOR]
    user = await sign_in(context, Credentials(subject_id, Secret(refresh_token)))
    assert user.role is Role.OPERATOR
    configuration = load_configuration()
    assert configuration.current == "lab"
    assert configuration.contexts == (WORK, replace(context, url=served_cloud.url))
    services = open_services(configuration, None, {})
    assert await services.account.who_am_i() == user
    assert len((await services.inventory.load()).keys) == 120
    await services.aclose()
    reader = open_services(configuration, "lab", served_cloud.environment(Role.READER))
    assert (await reader.account.who_am_i()).role is Role.READER
    await reader.aclose()
    sign_out("lab")
    assert load_configuration() == configuration
    with pytest.raises(SignInError):
        sign_out("lab")


async def test_a_refused_sign_in_leaves_everything_as_it_was(home: Path) -> None:
    async with scripted_services(lambda _: problem("internal", 500)) as (_, server):
        with pytest.raises(UnavailableError):
            await sign_in(Context("lab", server.url), Credentials("subject", Secret("refresh")))
    assert names_in(home) == []


@pytest.mark.parametrize(
    ("context", "code"),
    [
        (Context("embedded", None), "invalid-request"),
        (Context("embedded", "https://a.example"), "context-name-invalid"),
        (Context("../x", "https://a.example"), "context-name-invalid"),
        (Context("lab", "http://a.example"), "insecure-url"),
    ],
)
async def test_a_context_that_cannot_be_is_refused_before_anything_is_sent(
    context: Context, code: str
) -> None:
    with pytest.raises(UseError) as caught:
        await sign_in(context, Credentials("subject", Secret("refresh")))
    assert caught.value.code == code


def test_the_embedded_cloud_cannot_be_signed_out_of() -> None:
    with pytest.raises(UseError):
        sign_out("embedded")


def test_a_sign_in_that_cannot_be_removed_is_named() -> None:
    paths.credentials_file("work").mkdir(parents=True)
    with pytest.raises(FileError) as caught:
        sign_out("work")
    assert str(paths.credentials_file("work")) in caught.value.message


async def test_a_license_file_is_not_judged_by_a_clock_the_cloud_contradicts(
    tmp_path: Path,
) -> None:
    file = tmp_path / "license.bin"
    file.write_bytes(b"{}")
    wrong = problem("role-insufficient", 403, {"Date": "Wed, 01 Jan 2020 00:00:00 GMT"})
    async with scripted_services(lambda _: wrong) as (services, _):
        with pytest.raises(DocumentError) as caught:
            services.verification.verify(file)
        assert caught.value.code != "clock-wrong"
        with pytest.raises(NotAllowedError):
            await services.account.who_am_i()
        with pytest.raises(DocumentError) as caught:
            services.verification.verify(file)
    assert caught.value.code == "clock-wrong"
