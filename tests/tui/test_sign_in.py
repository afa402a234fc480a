"""The sign-in, as a user sees and uses it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.widgets import Input

from tests.conftest import ServedCloud
from tests.tui.conftest import Dashboard, OpenDashboard
from tests.tui.test_dialogs import dialog_text
from tui_licenses.config import EMBEDDED_CONTEXT, Context, load_configuration
from tui_licenses.credentials import Credentials
from tui_licenses.domain.account import Role
from tui_licenses.errors import SignInError
from tui_licenses.secret import Secret
from tui_licenses.service.sign_in import load_credentials
from tui_licenses.state.store import Store
from tui_licenses.tui.screens.sign_in import SignInScreen

CheckFrame = Callable[[str, str], None]


async def _open(dashboard: Dashboard, context: Context = EMBEDDED_CONTEXT) -> list[bool | None]:
    answers: list[bool | None] = []
    dashboard.app.push_screen(SignInScreen(context), answers.append)
    await dashboard.wait_for("Sign in to the license cloud")
    return answers


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_sign_in_looks_as_on_record(
    size: tuple[int, int],
    loaded_store: Store,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
) -> None:
    async with open_dashboard(loaded_store, size=size) as dashboard:
        await _open(dashboard, Context("acme", "https://cloud.example.com"))
        await dashboard.type("subject")
        await dashboard.press("enter")
        await dashboard.type("secret")
        assert "secret" not in dashboard.text
        check_frame(f"sign-in-{size[0]}x{size[1]}", dialog_text(dashboard))


async def test_a_good_sign_in_is_kept_and_its_context_becomes_the_current_one(
    loaded_store: Store, open_dashboard: OpenDashboard, served_cloud: ServedCloud
) -> None:
    subject_id, refresh_token = served_cloud.sign_ins[Role.ADMINISTRATOR]
    async with open_dashboard(loaded_store) as dashboard:
        answers = await _open(dashboard)
        for text in (served_cloud.url, subject_id):
            await dashboard.type(text)
            await dashboard.press("enter")
        dashboard.app.screen.query_one("#refresh-token", Input).value = refresh_token
        await dashboard.press("enter", "enter")
        await dashboard.wait_until(lambda: bool(answers), "the sign-in")
    assert answers == [True]
    configuration = load_configuration()
    assert configuration.current == "main"
    kept = load_credentials(Context("main", served_cloud.url))
    assert kept == Credentials(subject_id, Secret(refresh_token))


async def test_a_sign_in_with_a_passphrase_is_sealed(
    loaded_store: Store, open_dashboard: OpenDashboard, served_cloud: ServedCloud
) -> None:
    subject_id, refresh_token = served_cloud.sign_ins[Role.READER]
    context = Context("acme", served_cloud.url)
    async with open_dashboard(loaded_store) as dashboard:
        answers = await _open(dashboard, context)
        screen = dashboard.app.screen
        screen.query_one("#subject-id", Input).value = subject_id
        screen.query_one("#refresh-token", Input).value = refresh_token
        screen.query_one("#passphrase", Input).focus()
        await dashboard.type("short")
        await dashboard.press("enter")
        await dashboard.wait_for("A passphrase has 8 characters or more.")
        await dashboard.type("er was too short")
        assert "too short" not in dashboard.text
        await dashboard.press("enter")
        await dashboard.wait_until(lambda: bool(answers), "the sign-in")
    assert load_credentials(context, Secret("shorter was too short")).subject_id == subject_id
    with pytest.raises(SignInError):
        load_credentials(context)


async def test_a_wrong_token_is_told_here_and_nothing_typed_is_lost(
    loaded_store: Store, open_dashboard: OpenDashboard, served_cloud: ServedCloud
) -> None:
    subject_id, _ = served_cloud.sign_ins[Role.ADMINISTRATOR]
    async with open_dashboard(loaded_store) as dashboard:
        answers = await _open(dashboard, Context("acme", served_cloud.url))
        screen = dashboard.app.screen
        screen.query_one("#subject-id", Input).value = subject_id
        screen.query_one("#refresh-token", Input).value = "wrong"
        await dashboard.click("Sign in  ")
        await dashboard.wait_for("Check the subject id and the refresh token", gone="Signing in…")
        assert screen.query_one("#refresh-token", Input).value == "wrong"
        assert not answers
    assert load_configuration().current is None


async def test_an_address_without_protection_is_refused(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, Context("acme", "http://cloud.example.com"))
        dashboard.app.screen.query_one("#passphrase", Input).focus()
        await dashboard.press("enter")
        await dashboard.wait_for("would send the sign-in unprotected", "Use an https address")


@pytest.mark.parametrize("how", ["escape", "button"])
async def test_the_sign_in_can_be_left(
    how: str, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        answers = await _open(dashboard)
        if how == "escape":
            await dashboard.press("escape")
        else:
            await dashboard.click("Cancel")
        await dashboard.wait_until(lambda: bool(answers), "the answer")
        assert answers == [False]
