"""Help and the built-in activation guide, as a user sees and uses them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.conftest import OpenDashboard
from tui_licenses.config import Settings
from tui_licenses.domain.status import KeyStatus
from tui_licenses.state.store import Store
from tui_licenses.tui.app import TuiLicensesApp
from tui_licenses.tui.commands import commands_of
from tui_licenses.tui.guide import STATUS_MEANINGS, TOPICS, chapter, chapters
from tui_licenses.tui.screens.activation import ActivationScreen
from tui_licenses.tui.screens.base import DomainScreen
from tui_licenses.tui.screens.hardware import HardwareScreen
from tui_licenses.tui.screens.help import HelpScreen, key_facts
from tui_licenses.tui.screens.instance_details import InstanceDetailsScreen
from tui_licenses.tui.screens.key_details import KeyDetailsScreen
from tui_licenses.tui.screens.plain import PlainScreen
from tui_licenses.tui.screens.plan_gate import PlanGateScreen
from tui_licenses.tui.screens.saved_files import SavedFilesScreen

CheckFrame = Callable[[str, str], None]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_help_looks_as_on_record(
    size: tuple[int, int],
    loaded_store: Store,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
) -> None:
    async with open_dashboard(loaded_store, size=size) as dashboard:
        await dashboard.press("question_mark")
        check_frame(f"help-{size[0]}x{size[1]}", dashboard.text)


async def test_help_opens_at_the_keys_of_the_screen_below(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("v", "question_mark")
        await dashboard.wait_for("Keys of saved files", "Copy the SHA-256 checksum")
        await dashboard.press("escape", "escape", "f1")
        await dashboard.wait_for("Keys of the list of licenses")


async def test_from_activation_the_guide_opens_at_automated_activation(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store, size=(80, 24)) as dashboard:
        await dashboard.press("a", "f1")
        await dashboard.wait_until(
            lambda: dashboard.text.splitlines()[1].startswith("Automated activation"), "the chapter"
        )


@pytest.mark.parametrize("topic", TOPICS)
async def test_each_chapter_opens_by_its_topic_and_is_read_with_the_arrow_keys(
    topic: str, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store, size=(80, 24)) as dashboard:
        dashboard.app.open_help(topic)
        await dashboard.wait_for(chapter(topic).title)
        await dashboard.press("end")
        await dashboard.wait_for("○ Unassigned", "not activated on an instance yet")
        await dashboard.press("home")
        await dashboard.wait_for("Keys of the list of licenses")


async def test_help_does_not_open_upon_itself_without_end(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("question_mark", "question_mark", "f1")
        helps = [s for s in dashboard.app.screen_stack if isinstance(s, HelpScreen)]
        assert len(helps) == 1


async def test_help_is_readable_in_ascii(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    settings = Settings(ascii=True, refresh_seconds=0)
    async with open_dashboard(loaded_store, settings=settings) as dashboard:
        await dashboard.press("question_mark", "end")
        await dashboard.wait_for("* Active")
        assert dashboard.text.isascii()


def test_every_command_of_a_screen_is_in_its_help() -> None:
    told = {text for _, text in key_facts("instance")}
    assert {command.help for command in commands_of("instance")} <= told


def test_the_guide_has_the_three_ways_to_activate_and_every_status() -> None:
    assert [shown.topic for shown in chapters()][:3] == ["automated", "manual", "add-on"]
    assert set(STATUS_MEANINGS) == set(KeyStatus)
    for shown in chapters():
        assert shown.title
        assert all(len(line) <= 100 for line in shown.lines)


@pytest.mark.parametrize(
    "screen",
    [
        ActivationScreen,
        HardwareScreen,
        HelpScreen,
        InstanceDetailsScreen,
        KeyDetailsScreen,
        PlanGateScreen,
        SavedFilesScreen,
    ],
)
def test_every_command_that_help_lists_does_something(
    screen: type[DomainScreen | PlainScreen],
) -> None:
    for command in commands_of(screen.NAME):
        is_of_app = command.action.startswith("app.")
        owner = TuiLicensesApp if is_of_app else screen
        assert hasattr(owner, f"action_{command.action.removeprefix('app.')}"), command.id
