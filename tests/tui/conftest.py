"""Drivers for the screens: a seeded embedded cloud, the app on it, and frames to compare."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
from textual.pilot import Pilot

from tui_licenses import paths
from tui_licenses.config import Configuration, Settings
from tui_licenses.domain.inventory import Inventory
from tui_licenses.state.app_state import AppState, View
from tui_licenses.state.store import Store
from tui_licenses.tui.app import TuiLicensesApp
from tui_licenses.tui.place import Place
from tui_licenses.wiring import Services, open_services

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
FRAMES = Path(__file__).parent / "frames"
# Set this to write the frames anew; read the difference before it is committed.
# Read at once: the environment of a test is empty.
IS_UPDATING = bool(os.environ.get("TUI_LICENSES_UPDATE_FRAMES"))
_WAIT_SECONDS = 20.0


class Dashboard:
    """One app in a terminal of a given size, and what a user can see and do there."""

    def __init__(self, app: TuiLicensesApp, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def text(self) -> str:
        """Return what stands on the terminal, one line for each row."""
        lines = []
        for strip in self.app.screen._compositor.render_strips():
            segments = list(strip)
            for line_filter in self.app.get_line_filters():
                segments = line_filter.apply(segments, self.app.screen.background_colors[1])
            lines.append("".join(segment.text for segment in segments).rstrip())
        return "\n".join(lines)

    async def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Let the app work until a condition holds."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited for {what}; the screen shows:\n{self.text}")
            await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def wait_for(self, *texts: str, gone: str | None = None) -> None:
        """Wait until all texts stand on the terminal and `gone` does not."""
        await self.wait_until(
            lambda: (
                all(text in self.text for text in texts) and (gone is None or gone not in self.text)
            ),
            f"{texts} (and not {gone!r})",
        )

    async def press(self, *keys: str) -> None:
        """Press keys by Textual's names."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.press(*("space" if character == " " else character for character in text))

    async def click(self, text: str, times: int = 1) -> None:
        """Click where a text stands on the terminal."""
        for y, line in enumerate(self.text.splitlines()):
            if text in line:
                await self.pilot.click(offset=(line.index(text), y), times=times)
                await self.pilot.pause()
                return
        raise AssertionError(f"{text!r} is not on the screen:\n{self.text}")

    async def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        await self.pilot.resize_terminal(columns, rows)
        await self.pilot.pause()

    @property
    def is_settled(self) -> bool:
        """Say whether nothing is being loaded."""
        state = self.app.store.state
        return not state.is_loading and (state.inventory or state.problem) is not None

    async def settle(self) -> None:
        """Wait until the first load has ended."""
        await self.wait_until(lambda: self.is_settled, "the end of the load")


class OpenDashboard(Protocol):
    """Opens the app; without a store it loads from the embedded cloud."""

    def __call__(
        self,
        store: Store | None = None,
        *,
        size: tuple[int, int] = (120, 40),
        settings: Settings = ...,
        place: Place | None = None,
        services: Services | None = None,
    ) -> AbstractAsyncContextManager[Dashboard]: ...


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the local time of a test that of Greenwich."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="session")
def seeded_cloud(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seed one embedded cloud for the day of `NOW`; tests get copies of it."""
    from tui_licenses.cloud.embedded import ensure_embedded

    folder = tmp_path_factory.mktemp("cloud")
    ensure_embedded(folder / "cloud.sqlite3", now=NOW)
    return folder


@pytest.fixture
def cloud(seeded_cloud: Path, home: Path) -> Path:
    """Put a seeded embedded cloud where the program looks for it."""
    folder = paths.embedded_cloud_folder()
    shutil.copytree(seeded_cloud, folder)
    return folder


@pytest.fixture
async def inventory(cloud: Path) -> Inventory:
    """Load the inventory of the embedded cloud, fetched at `NOW`."""
    services = open_services(Configuration())
    try:
        return replace(await services.inventory.load(), fetched_at=NOW)
    finally:
        await services.aclose()


@pytest.fixture
def loaded_store(inventory: Inventory) -> Store:
    """Return a store that holds the inventory already."""
    return Store(AppState(user=inventory.user, inventory=inventory, view=View()))


@pytest.fixture
def open_dashboard(cloud: Path) -> OpenDashboard:
    """Open the dashboard on the embedded cloud, at `NOW`."""

    @asynccontextmanager
    async def opened(
        store: Store | None = None,
        *,
        size: tuple[int, int] = (120, 40),
        settings: Settings = Settings(refresh_seconds=0),  # noqa: B008 - a frozen value
        place: Place | None = None,
        services: Services | None = None,
    ) -> AsyncIterator[Dashboard]:
        configuration = Configuration(settings)
        app = TuiLicensesApp(
            services or open_services(configuration),
            configuration,
            store,
            place,
            clock=lambda: NOW,
        )
        async with app.run_test(size=size) as pilot:
            dashboard = Dashboard(app, pilot)
            await dashboard.settle()
            yield dashboard

    return opened


@pytest.fixture
def check_frame() -> Callable[[str, str], None]:
    """Compare a screen with the one on record, character by character."""

    def check(name: str, text: str) -> None:
        path = FRAMES / f"{name}.txt"
        if IS_UPDATING:
            FRAMES.mkdir(exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")
        assert text + "\n" == path.read_text(encoding="utf-8")

    return check
