"""T6: names that are hard to draw, in a terminal emulator of three sizes: borders stay in place.

Each name is shown in the list, between two rows with plain names, and in a dialog. The columns of
its row must begin where those of its neighbours do, and the frame of the dialog must be closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from rich.color import ColorSystem
from textual._compositor import LayoutUpdate
from textual.app import App, ComposeResult
from textual.widgets import Static

from tests.support.emulator import Emulator
from tests.support.values import NOW, make_instance, make_key, make_user
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.hostile_text import WIDE_NAMES
from tests.trust.views import make_app
from tui_licenses.domain.instance import Location
from tui_licenses.domain.inventory import Inventory
from tui_licenses.state.events import InventoryLoaded
from tui_licenses.text import clean
from tui_licenses.tui.screen_diff import FramePicture

_SIZES = ((60, 15), (80, 24), (140, 40))
# What stands in the columns behind the name.
_BEHIND = "Licensed"
_PLAIN = ("Aachen", "Zwickau")
_LEFT, _RIGHT = frozenset("│┌└╭╰"), frozenset("│┐┘╮╯")

_Lines = list[list[str]]


def _drawn(app: App[Any]) -> _Lines:
    """Return what stands in each cell of a terminal that shows the screen."""
    frame = app.screen._compositor.render_update(full=True)
    assert isinstance(frame, LayoutUpdate)
    picture, emulator = FramePicture(), Emulator(app.size.width, app.size.height)
    picture.take(frame, ColorSystem.TRUECOLOR)
    emulator.feed(picture.changes(None))
    return [[cell.data for cell in line] for line in emulator.cells()]


def _inventory(name: str) -> Inventory:
    names = (_PLAIN[0], name, _PLAIN[1])
    instances = [
        make_instance(
            id=f"{number}1111111-1111-4111-8111-111111111111",
            name=one,
            location=Location("DE", "Rack"),
        )
        for number, one in enumerate(names)
    ]
    keys = [make_key(instance_id=instances[0].id, instance_name=_PLAIN[0])]
    return Inventory.of(make_user(), instances, keys, NOW, "cursor")


def _look_at_list(run: Run, lines: _Lines, name: str, size: tuple[int, int]) -> None:
    """Look whether what stands behind the name begins in one column in every row."""
    columns = {
        x
        for line in lines
        for x in range(len(line) - len(_BEHIND) + 1)
        if "".join(line[x : x + len(_BEHIND)]) == _BEHIND
    }
    rows = sum(_BEHIND in "".join(line) for line in lines)
    run.expect(rows == 3, Broken.CORRUPT, f"{name!a} at {size}: {rows} rows")
    run.expect(len(columns) == 1, Broken.CORRUPT, f"{name!a} at {size}: columns {columns}")
    begins = clean(name)[:3]
    run.expect(
        any(begins in "".join(line) for line in lines),
        Broken.CORRUPT,
        f"{name!a} at {size} is not shown",
    )


def _look_at_frame(run: Run, lines: _Lines, name: str, size: tuple[int, int]) -> None:
    """Look whether each line of the dialog has both of its borders, all at the same places."""
    framed = [line for line in lines if any(sign in _LEFT for sign in line)]
    left = {next(x for x, sign in enumerate(line) if sign in _LEFT) for line in framed}
    right = {
        max(x for x, sign in enumerate(line) if sign in _RIGHT)
        for line in framed
        if any(sign in _RIGHT for sign in line)
    }
    is_closed = len(left) == len(right) == 1 and left != right and len(framed) > 2
    run.expect(is_closed, Broken.CORRUPT, f"{name!a} at {size}: frame at {left}, {right}")


async def _show(run: Run, size: tuple[int, int], names: list[str]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        for name in names:
            app.store.dispatch(InventoryLoaded(_inventory(name)))
            await pilot.pause()
            _look_at_list(run, _drawn(app), name, size)
            app.show_text(name, f"{name}\n{name} {name}")
            await pilot.pause()
            _look_at_frame(run, _drawn(app), name, size)
            app.pop_screen()
            run.disturb()
        await pilot.pause()


def _run(run: Run) -> None:
    names = list(run.choose(WIDE_NAMES, fast=8))
    for size in _SIZES:
        asyncio.run(_show(run, size, names))


class _Naive(App[None]):
    """A row of columns that counts characters where it should count cells."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._names = (_PLAIN[0], name, _PLAIN[1])

    def compose(self) -> ComposeResult:
        for name in self._names:
            yield Static(f"{name:<30.30}{_BEHIND}", markup=False)


async def _show_naively(run: Run, look: Callable[..., None], name: str) -> None:
    async with _Naive(name).run_test(size=_SIZES[1]) as pilot:
        await pilot.pause()
        look(run, _drawn(pilot.app), name, _SIZES[1])


def _control(run: Run) -> None:
    for name in WIDE_NAMES:
        run.disturb()
        asyncio.run(_show_naively(run, _look_at_list, name))


CLASS = TrustClass("T6", "names in every script, borders in place", 120, _run, _control)
