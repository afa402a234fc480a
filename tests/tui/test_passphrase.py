"""The passphrase of a sealed sign-in, as a user meets it when the dashboard opens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.widgets import Input

from tests.conftest import ServedCloud
from tests.tui.conftest import OpenDashboard
from tests.tui.test_dialogs import dialog_text
from tui_licenses.config import Configuration, Context
from tui_licenses.credentials import Credentials
from tui_licenses.documents.passphrase import Cost
from tui_licenses.domain.account import Role
from tui_licenses.secret import Secret
from tui_licenses.service.sign_in import save_credentials
from tui_licenses.wiring import Services, open_services

CheckFrame = Callable[[str, str], None]
PASSPHRASE = "correct horse"
ASKED = "The sign-in to acme is sealed"


def _sealed_services(cloud: ServedCloud) -> Services:
    context = Context("acme", cloud.url)
    subject_id, token = cloud.sign_ins[Role.READER]
    credentials = Credentials(subject_id, Secret(token))
    save_credentials(context, credentials, Secret(PASSPHRASE), Cost(8, 1, 1))
    return open_services(Configuration(contexts=(context,), current="acme"), None, {})


async def test_the_dashboard_asks_once_and_then_loads(
    served_cloud: ServedCloud, open_dashboard: OpenDashboard, check_frame: CheckFrame
) -> None:
    async with open_dashboard(services=_sealed_services(served_cloud), size=(80, 24)) as dashboard:
        await dashboard.wait_for(ASKED)
        await dashboard.type("correct house")
        assert "house" not in dashboard.text
        check_frame("passphrase-80x24", dialog_text(dashboard))
        await dashboard.press("enter")
        await dashboard.wait_for("does not open the sign-in")
        assert dashboard.app.screen.query_one(Input).value == ""
        await dashboard.type(PASSPHRASE)
        await dashboard.click("Open")
        await dashboard.wait_for("24 instances", gone=ASKED)


@pytest.mark.parametrize("how", ["escape", "button"])
async def test_without_the_passphrase_the_dashboard_goes_on_and_asks_again_at_a_refresh(
    how: str, served_cloud: ServedCloud, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(services=_sealed_services(served_cloud)) as dashboard:
        await dashboard.wait_for(ASKED)
        if how == "escape":
            await dashboard.press("escape")
        else:
            await dashboard.click("Cancel")
        await dashboard.wait_for("is sealed with a passphrase", gone=ASKED)
        await dashboard.press("r")
        await dashboard.wait_for(ASKED)
