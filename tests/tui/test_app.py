"""What outlives a screen: loading, downloads, the palette, sizes, failures."""

from __future__ import annotations

import base64
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from textual.worker import WorkerFailed

from tests.tui.conftest import OpenDashboard
from tui_licenses import paths
from tui_licenses.config import Configuration, Context, Settings
from tui_licenses.domain.inventory import Inventory
from tui_licenses.errors import StateError, UnavailableError
from tui_licenses.state.store import Store
from tui_licenses.tui.following import Following
from tui_licenses.tui.place import Place
from tui_licenses.tui.screens.licenses import LicensesScreen
from tui_licenses.tui.screens.problem import ProblemScreen
from tui_licenses.wiring import Services, open_services


async def test_the_palette_finds_and_runs_a_command(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("colon")
        await dashboard.wait_for("type a part of a command", "license file", "sort")
        await dashboard.press("down", "up")
        await dashboard.type("add-on")
        await dashboard.wait_for("Show or hide the add-on keys.", gone="Quit")
        await dashboard.press("enter")
        await dashboard.wait_for("[x] Show add-on keys")
        await dashboard.press("ctrl+p")
        await dashboard.type("nothing like it")
        await dashboard.press("down", "enter", "escape")
        assert isinstance(dashboard.app.screen, LicensesScreen)


async def test_a_footer_key_can_be_clicked(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.click("/ filter  d")
        assert dashboard.app.screen.focused is not None
        assert dashboard.app.screen.focused.id == "filter"
        await dashboard.pilot.click("#command-footer", offset=(100, 0))


async def test_a_terminal_that_is_too_small_says_so_and_recovers(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store, size=(80, 24)) as dashboard:
        await dashboard.resize(40, 10)
        await dashboard.wait_for("terminal too small: needs 60x15")
        await dashboard.resize(20, 5)
        await dashboard.wait_for("20x5")
        await dashboard.resize(100, 30)
        await dashboard.wait_for("24 instances")
        assert len(dashboard.app.screen_stack) == 1


async def test_a_terminal_too_small_from_the_start_says_so(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store, size=(30, 8)) as dashboard:
        await dashboard.wait_for("too small")


@pytest.mark.parametrize(("key", "status"), [("ctrl+c", 130), ("q", 0)])
async def test_leaving_gives_an_exit_status(
    key: str, status: int, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press(key)
        assert dashboard.app.return_value == status


@pytest.mark.parametrize("kind", ["instance", "key"])
async def test_a_place_opens_at_once(
    kind: str, inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    identifier = (inventory.instances if kind == "instance" else inventory.keys)[0].id
    place = Place.parse(f"{kind}/{identifier}")
    async with open_dashboard(loaded_store, place=place) as dashboard:
        await dashboard.wait_until(lambda: len(dashboard.app.screen_stack) == 2, "the place")
        await dashboard.press("escape")
        await dashboard.wait_for("24 instances")


async def test_the_cloud_is_asked_again_by_key_and_by_the_clock(
    open_dashboard: OpenDashboard,
) -> None:
    async with open_dashboard(settings=Settings(refresh_seconds=1)) as dashboard:
        for press in (False, True):
            inventory = dashboard.app.store.state.inventory
            assert inventory is not None
            if press:
                await dashboard.press("r")
            await dashboard.wait_until(
                lambda known=inventory: dashboard.app.store.state.inventory is not known,  # type: ignore[misc]
                "a refresh",
            )


async def test_screens_of_every_kind_open(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        app = dashboard.app
        profiled = next(each for each in inventory.instances if each.has_profile)
        for opened in (
            partial(app.open_hardware, profiled.id),
            app.open_activation,
            app.action_saved_files,
            app.action_help,
        ):
            opened()
            await dashboard.wait_until(lambda: len(app.screen_stack) == 2, "a screen")
            app.pop_screen()
        await dashboard.press("a")
        await dashboard.wait_until(lambda: len(app.screen_stack) == 2, "the activation")


async def test_a_long_text_is_shown_instead_of_copied(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        dashboard.app.copy("line one\nline two")
        await dashboard.wait_for("here it is as text", "line two")
        await dashboard.press("escape")
        dashboard.app.copy("x" * 100_000)
        await dashboard.wait_for("Too long for the clipboard")
        await dashboard.press("q")
        await dashboard.wait_for("24 instances", gone="Too long")


async def test_a_problem_tells_sentence_parts_next_step_and_code(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    error = StateError("no-master", "No [master] here.", "Activate one.", request_id="r-1")
    async with open_dashboard(loaded_store) as dashboard:
        dashboard.app.show_problem(error)
        dashboard.app.show_problem(UnavailableError("timeout", "Another one.", ""))
        await dashboard.wait_for("No [master] here.", "Activate one.", "code no-master", "r-1")
        await dashboard.press("escape")
        await dashboard.wait_for("24 instances", gone="No [master]")


async def test_a_failed_worker_is_recorded_and_shown_and_the_app_goes_on(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async def fail() -> None:
        secret = "TOPSECRET0000000"  # noqa: F841 - must not reach the log
        raise RuntimeError("TOPSECRET0000000")

    async def use() -> None:
        async with open_dashboard(loaded_store) as dashboard:
            worker = dashboard.app.run_worker(fail(), group="test", exclusive=True)
            with suppress(WorkerFailed):
                await worker.wait()
            assert isinstance(dashboard.app.screen, ProblemScreen)
            assert str(paths.log_file()) in str(dashboard.app.failure)
            assert dashboard.app.is_running

    with pytest.raises(RuntimeError, match="TOPSECRET"):
        await use()
    log = paths.log_file().read_text()
    assert "RuntimeError" in log
    assert "TOPSECRET" not in log


async def test_a_failed_handler_closes_the_app_and_is_recorded(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    async def use() -> None:
        async with open_dashboard(loaded_store) as dashboard:
            dashboard.app.screen.call_later(fail)
            await dashboard.wait_until(lambda: dashboard.app.failure is not None, "the failure")

    with pytest.raises(ZeroDivisionError):
        await use()
    assert "ZeroDivisionError" in paths.log_file().read_text()


async def _open_as(cloud: Path, plan: str) -> Services:
    from tui_licenses.cloud.embedded import embedded_credentials

    found = next(
        each for each in embedded_credentials(cloud / "cloud.sqlite3") if each.plan == plan
    )
    environment = {
        "TUI_LICENSES_SUBJECT_ID": found.subject_id,
        "TUI_LICENSES_REFRESH_TOKEN": found.refresh_token,
    }
    return open_services(Configuration(), environment=environment)


async def test_an_account_without_the_tab_is_told_its_plan_and_whom_to_ask(
    cloud: Path, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(services=await _open_as(cloud, "OmniD")) as dashboard:
        await dashboard.wait_for("Omni-D")


async def test_who_is_not_signed_in_is_asked_to(open_dashboard: OpenDashboard) -> None:
    configuration = Configuration(
        Settings(refresh_seconds=0), (Context("far", "https://cloud.example"),), "far"
    )
    services = open_services(configuration, environment={})
    async with open_dashboard(services=services) as dashboard:
        await dashboard.wait_for("Sign in to the license cloud")
        await dashboard.press("escape")
        await dashboard.wait_for("Press r to try again.")
        Following(dashboard.app)._sign_in_ended(True)
        assert dashboard.app.wants_restart


async def test_a_choice_that_cannot_be_kept_is_told(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    file = paths.configuration_file()
    file.parent.mkdir(parents=True)
    file.write_text("not = [toml")
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.press("plus")
        await dashboard.wait_for("This choice is not remembered:", "[x] Show add-on keys")


async def test_a_choice_for_an_address_of_the_environment_is_not_kept(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    services = open_services(
        Configuration(), environment={"TUI_LICENSES_URL": "http://127.0.0.1:9"}
    )
    async with open_dashboard(loaded_store, services=services) as dashboard:
        await dashboard.press("plus")
        await dashboard.wait_for("[x] Show add-on keys")
        await dashboard.app.workers.wait_for_complete()
        assert not paths.configuration_file().exists()


async def test_words_without_a_status_line_are_dropped(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await dashboard.app.screen.query_one("#status-line").remove()
        dashboard.app.tell("nobody hears this")
        assert "nobody" not in dashboard.text


async def test_copying_writes_the_sequence_to_the_terminal(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    written: list[str] = []
    async with open_dashboard(loaded_store) as dashboard:
        driver = dashboard.app._driver
        assert driver is not None
        write = driver.write
        driver.write = lambda data: (written.append(data), write(data))[1]  # type: ignore[method-assign,func-returns-value]
        await dashboard.press("down", "y")
        row = dashboard.app.screen.situation().key  # type: ignore[attr-defined]
        assert any(base64.b64encode(row.key.encode()).decode() in data for data in written)
