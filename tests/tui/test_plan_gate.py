"""What an account without the Licenses tab sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from tests.support.values import make_user
from tests.tui.conftest import Dashboard, OpenDashboard
from tui_licenses.cloud.embedded import embedded_credentials
from tui_licenses.config import Configuration
from tui_licenses.domain.account import LicensesTab, User, has_licenses_tab
from tui_licenses.errors import NotAllowedError
from tui_licenses.paths import embedded_database_file
from tui_licenses.state.store import Store
from tui_licenses.tui.screens.plan_gate import PlanGateScreen
from tui_licenses.tui.screens.saved_files import SavedFilesScreen
from tui_licenses.tui.screens.sign_in import SignInScreen
from tui_licenses.wiring import open_services

CheckFrame = Callable[[str, str], None]
CONTACT = "sales@example.com"


def _user() -> User:
    user = make_user()
    tab = LicensesTab(False, "Only Pro, Pro+ and Enterprise include it.", CONTACT)
    return replace(user, account=replace(user.account, plan="OmniD", licenses_tab=tab))


def _error() -> NotAllowedError:
    error = NotAllowedError("plan-not-eligible", "This plan has no Licenses tab.", "Ask.")
    error.plan = "OmniD"
    return error


async def _open(dashboard: Dashboard) -> None:
    dashboard.app.push_screen(PlanGateScreen(_user(), _error()))
    await dashboard.wait_for("The Licenses tab is not part of this plan")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_gate_looks_as_on_record(
    size: tuple[int, int],
    loaded_store: Store,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
) -> None:
    async with open_dashboard(loaded_store, size=size) as dashboard:
        await _open(dashboard)
        check_frame(f"plan-gate-{size[0]}x{size[1]}", dashboard.text)


async def test_plan_reason_and_whom_to_ask_are_told_and_copied(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard)
        await dashboard.wait_for("Omni-D", "Only Pro, Pro+ and Enterprise", CONTACT)
        await dashboard.press("y")
        await dashboard.wait_for(f"clipboard of the terminal: {CONTACT}")


async def test_saved_files_and_sign_in_still_work_from_here(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard)
        await dashboard.press("v")
        assert isinstance(dashboard.app.screen, SavedFilesScreen)
        await dashboard.press("escape", "l")
        assert isinstance(dashboard.app.screen, SignInScreen)
        await dashboard.press("escape")
        await dashboard.wait_for("What works all the same", gone="Refresh token")
        assert not dashboard.app.wants_restart
        await dashboard.press("l")
        sign_in = dashboard.app.screen
        assert isinstance(sign_in, SignInScreen)
        cast("SignInScreen", sign_in).dismiss(True)
        await dashboard.wait_until(lambda: dashboard.app.wants_restart, "the new start")


async def test_there_is_nothing_behind_the_gate(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard)
        await dashboard.press("escape")
        await dashboard.wait_for("q leaves", "What works all the same")
        await dashboard.press("colon", "escape", "question_mark")
        await dashboard.wait_for("Keys of the plan")


async def test_an_account_of_another_plan_gets_the_gate_instead_of_a_blank_list(
    open_dashboard: OpenDashboard,
) -> None:
    entry = next(
        entry
        for entry in embedded_credentials(embedded_database_file())
        if not has_licenses_tab(entry.plan)
    )
    environment = {
        "TUI_LICENSES_SUBJECT_ID": entry.subject_id,
        "TUI_LICENSES_REFRESH_TOKEN": entry.refresh_token,
    }
    services = open_services(Configuration(), None, environment)
    async with open_dashboard(services=services) as dashboard:
        await dashboard.wait_for("The Licenses tab is not part of this plan", "Whom to ask")
