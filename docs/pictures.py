"""Pictures of each screen for the documents: `python docs/pictures.py` writes docs/screens/*.svg.

The screens are those of the embedded cloud with its usual seed, at 80x24 and 120x40.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.pilot import Pilot

SCREENS = Path(__file__).parent / "screens"
SIZES = ((80, 24), (120, 40))
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WAIT_SECONDS = 30.0

Walk = Callable[["Walker"], Awaitable[None]]


class Walker:
    """Presses keys and waits until a text stands on the screen."""

    def __init__(self, pilot: Pilot[Any]) -> None:
        self._pilot = pilot

    async def press(self, *keys: str) -> None:
        """Press keys by Textual's names."""
        await self._pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.press(*("space" if character == " " else character for character in text))

    async def wait_for(self, text: str) -> None:
        """Wait until a text stands on the screen."""
        deadline = time.monotonic() + WAIT_SECONDS
        while text not in self._text():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} does not stand on the screen:\n{self._text()}")
            await self._pilot.pause(0.02)
        await self._pilot.pause()

    def unassigned_master(self) -> str:
        """Return a master key that waits to be activated."""
        inventory = self._pilot.app.store.state.inventory
        return next(
            str(key.key)
            for key in inventory.keys
            if key.is_master and key.instance_id is None and key.state == "unassigned"
        )

    def _text(self) -> str:
        strips = self._pilot.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def licenses(walker: Walker) -> None:
    """The list, with the cursor on an instance."""
    await walker.wait_for("as of")
    await walker.press("down", "down")


async def add_ons(walker: Walker) -> None:
    """The list with add-on keys."""
    await licenses(walker)
    await walker.press("plus")
    await walker.wait_for("[x] Show add-on keys")


async def filtered(walker: Walker) -> None:
    """The list while a filter is typed."""
    await licenses(walker)
    await walker.press("slash")
    await walker.type("berlin")
    await walker.wait_for("berlin")


async def instance(walker: Walker) -> None:
    """Instance details."""
    await licenses(walker)
    await walker.press("enter")
    await walker.wait_for("contains 1 master")


async def hardware(walker: Walker) -> None:
    """The server profile as a table."""
    await instance(walker)
    await walker.press("t")
    await walker.wait_for("system / core")


async def key(walker: Walker) -> None:
    """Key details."""
    await licenses(walker)
    await walker.press("down", "enter")
    await walker.wait_for("contains 1 master")


async def download(walker: Walker) -> None:
    """The question before a license file is saved."""
    await key(walker)
    await walker.press("d")
    await walker.wait_for("Saved as")


async def activation(walker: Walker) -> None:
    """Activation: keys are queued."""
    await licenses(walker)
    await walker.press("a")
    await walker.wait_for("No key is queued")
    await walker.type("ABCD-EFGH-IJKL-MNOP")
    await walker.press("enter")
    await walker.wait_for("There is no such")


async def activation_instance(walker: Walker) -> None:
    """Activation: a new instance with the profile of this host."""
    await licenses(walker)
    await walker.press("a")
    await walker.wait_for("No key is queued")
    await walker.type(walker.unassigned_master())
    await walker.press("enter")
    await walker.wait_for("yes")
    await walker.press("enter")
    await walker.wait_for("( ) A new instance")
    await walker.press("shift+tab", "space")
    await walker.wait_for("(*) A new instance")
    await walker.press("tab")
    await walker.type("Lobby Berlin")
    await walker.press("enter")
    await walker.type("germ")
    await walker.wait_for("Germany")
    await walker.press("enter", "tab", "tab", "tab", "enter")
    await walker.wait_for("fingerprint")


async def activation_review(walker: Walker) -> None:
    """Activation: what would change."""
    await activation_instance(walker)
    await walker.press("f8")
    await walker.wait_for("is activated")


async def activation_result(walker: Walker) -> None:
    """Activation: the result of each key."""
    await activation_review(walker)
    await walker.press("f8")
    await walker.wait_for("activated on")


async def palette(walker: Walker) -> None:
    """The command palette."""
    await licenses(walker)
    await walker.press("colon")
    await walker.type("down")
    await walker.wait_for("certificate")


async def saved_files(walker: Walker) -> None:
    """What was saved, with paths and checksums."""
    await download(walker)
    await walker.press("enter")
    await walker.wait_for("License file saved")
    await walker.press("escape", "v")
    await walker.wait_for("-license.bin")


async def guide(walker: Walker) -> None:
    """Help with the activation guide."""
    await licenses(walker)
    await walker.press("question_mark")
    await walker.wait_for("Keys")


WALKS: dict[str, Walk] = {
    "licenses": licenses,
    "add-ons": add_ons,
    "filter": filtered,
    "instance": instance,
    "hardware": hardware,
    "key": key,
    "download": download,
    "activation-keys": activation,
    "activation-instance": activation_instance,
    "activation-review": activation_review,
    "palette": palette,
    "saved-files": saved_files,
    "help": guide,
    # Last: it changes the estate that the others show.
    "activation-result": activation_result,
}


async def picture(name: str, walk: Walk, columns: int, rows: int, *, has_tab: bool = True) -> None:
    """Walk to a screen of the embedded cloud and write its picture."""
    from tui_licenses import paths
    from tui_licenses.cloud.embedded import embedded_credentials
    from tui_licenses.config import Configuration
    from tui_licenses.tui.app import TuiLicensesApp
    from tui_licenses.wiring import open_services

    environment: dict[str, str] = {}
    if not has_tab:
        credentials = embedded_credentials(paths.embedded_database_file())
        chosen = next(entry for entry in credentials if entry.plan == "OmniD")
        environment["TUI_LICENSES_SUBJECT_ID"] = chosen.subject_id
        environment["TUI_LICENSES_REFRESH_TOKEN"] = chosen.refresh_token
    services = open_services(Configuration(), None, environment)
    app = TuiLicensesApp(services, Configuration(), clock=lambda: NOW)
    async with app.run_test(size=(columns, rows)) as pilot:
        await walk(Walker(pilot))
        svg = app.export_screenshot(title="tui-licenses")
        (SCREENS / f"{name}-{columns}x{rows}.svg").write_text(svg, encoding="utf-8")
    await services.aclose()


async def plan_gate(walker: Walker) -> None:
    """The answer to an account whose plan has no Licenses tab."""
    await walker.wait_for("Omni")


async def sign_in(walker: Walker) -> None:
    """Signing in to another account."""
    await plan_gate(walker)
    await walker.press("l")
    await walker.wait_for("Refresh token")


async def main() -> None:
    """Write every picture; saved files go into a temporary folder."""
    from tui_licenses import paths
    from tui_licenses.cloud.embedded import ensure_embedded

    ensure_embedded(paths.private_folder(paths.embedded_cloud_folder()) / "cloud.sqlite3", now=NOW)
    SCREENS.mkdir(exist_ok=True)
    for columns, rows in SIZES:
        for name, walk in WALKS.items():
            await picture(name, walk, columns, rows)
        await picture("plan-gate", plan_gate, columns, rows, has_tab=False)
        await picture("sign-in", sign_in, columns, rows, has_tab=False)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    with tempfile.TemporaryDirectory() as home:
        os.environ.update({"HOME": home, "TZ": "UTC", "NO_PROXY": "*"})
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            os.environ.pop(variable, None)
        os.chdir(home)
        asyncio.run(main())
