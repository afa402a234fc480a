"""Every view of the dashboard in which somebody else's text is drawn, place by place.

A view is opened with one text for each of its places, on the real app; `walk` leads through all
of them. The program `walk_in_terminal` does so in a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from textual.app import ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from tests.support.values import NOW, make_instance, make_key, make_user
from tui_licenses.config import Configuration, Context, Settings
from tui_licenses.domain.account import LicensesTab
from tui_licenses.domain.activation import Activation, ActivationPreview, ActivationRequest
from tui_licenses.domain.hardware import HardwareRow
from tui_licenses.domain.instance import Instance, Location
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import Feature, LicenseKey
from tui_licenses.errors import Detail, NotAllowedError, TuiLicensesError
from tui_licenses.service.outcomes import BulkResult, DocumentKind, DownloadOutcome, SavedFile
from tui_licenses.state.app_state import AppState
from tui_licenses.state.bulk_progress import BulkProgress
from tui_licenses.state.events import FilterChanged, InventoryLoaded
from tui_licenses.state.store import Store
from tui_licenses.tui.app import TuiLicensesApp
from tui_licenses.tui.screens.activation.draft import Draft
from tui_licenses.tui.screens.activation.result_step import ResultStep
from tui_licenses.tui.screens.activation.review_step import ReviewStep
from tui_licenses.tui.screens.bulk_download import BulkDownloadScreen
from tui_licenses.tui.screens.confirm import ConfirmScreen
from tui_licenses.tui.screens.conflict import ConflictScreen
from tui_licenses.tui.screens.download import DownloadScreen
from tui_licenses.tui.screens.hardware import HardwareScreen
from tui_licenses.tui.screens.instance_details import InstanceDetailsScreen
from tui_licenses.tui.screens.key_details import KeyDetailsScreen
from tui_licenses.tui.screens.plan_gate import PlanGateScreen
from tui_licenses.tui.screens.saved_files import SavedFilesScreen
from tui_licenses.tui.screens.sign_in import SignInScreen
from tui_licenses.tui.widgets.fact_table import FactTable
from tui_licenses.tui.widgets.inline_problem import InlineProblem
from tui_licenses.tui.widgets.row_table import RowTable, TableColumn
from tui_licenses.tui.widgets.tick import Tick
from tui_licenses.tui.widgets.type_ahead import TypeAhead
from tui_licenses.wiring import open_services

Open = Callable[[TuiLicensesApp, Sequence[str]], object]


@dataclass(frozen=True)
class View:
    """One view: `open` shows it with as many texts as it has places."""

    name: str
    places: int
    open: Open


@dataclass(frozen=True)
class Seen:
    """What a view was opened with, and what then stood on the terminal."""

    view: View
    texts: Sequence[str]
    lines: Sequence[str]


def make_app(*, screen_diff: bool = True) -> TuiLicensesApp:
    """Return the dashboard with an inventory, which asks no cloud for anything."""
    settings = Settings(refresh_seconds=0, screen_diff=screen_diff, local_copy=False)
    configuration = Configuration(settings)
    inventory = _inventory(make_instance(), make_key())
    store = Store(AppState(user=inventory.user, inventory=inventory))
    return TuiLicensesApp(open_services(configuration), configuration, store, clock=lambda: NOW)


async def walk(
    pilot: Pilot[Any],
    texts: Sequence[str],
    offsets: Sequence[int],
    on_shown: Callable[[], None] = lambda: None,
) -> list[Seen]:
    """Open every view once for each offset; its places get neighbouring texts from there on."""
    app = cast(TuiLicensesApp, pilot.app)
    seen: list[Seen] = []
    for view in VIEWS:
        for offset in offsets:
            given = [texts[(offset + place) % len(texts)] for place in range(view.places)]
            opened = view.open(app, given)
            if isinstance(opened, Coroutine):
                await opened
            await pilot.pause()
            on_shown()
            seen.append(Seen(view, given, list(shown_lines(app))))
            while len(app.screen_stack) > 1:
                app.pop_screen()
    await pilot.pause()
    return seen


def shown_lines(app: TuiLicensesApp) -> Iterator[str]:
    """Give what stands on the terminal, line by line."""
    for strip in app.screen._compositor.render_strips():
        yield strip.text.rstrip()


# What is shown


def _inventory(instance: Instance, *keys: LicenseKey, user: Any = None) -> Inventory:  # noqa: ANN401
    return Inventory.of(user or make_user(), (instance,), keys, NOW, "cursor")


def _instance(name: str = "Berlin", label: str = "Rack", **more: str) -> Instance:
    return make_instance(name=name, location=Location("DE", label), **more)


def _error(*texts: str) -> TuiLicensesError:
    message, detail, step, request = texts
    return TuiLicensesError(
        "refused", message, step, details=(Detail("/keys/0", "why", detail),), request_id=request
    )


def _list(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    name, version, feature, account, plan, person = texts
    instance = _instance(name, core_version=version)
    key = make_key(features=(Feature("f", feature, None),), instance_name=name)
    user = make_user(display_name=person)
    user = replace(user, account=replace(user.account, name=account, plan=plan))
    app.store.dispatch(InventoryLoaded(_inventory(instance, key, user=user)))


def _filter(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    app.store.dispatch(FilterChanged(texts[0]))


async def _details(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    name, label, hostname, version, product = texts
    instance = _instance(name, label, hostname=hostname, core_version=version)
    app.store.dispatch(FilterChanged(""))
    app.store.dispatch(InventoryLoaded(_inventory(instance, make_key(product_name=product))))
    await app.push_screen(InstanceDetailsScreen(app.services, app.store, instance.id))


async def _name_editor(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    await _details(app, (texts[0], "", "", "", ""))
    cast(InstanceDetailsScreen, app.screen).action_rename()


async def _location_editor(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    await _details(app, ("Berlin", texts[0], "", "", ""))
    cast(InstanceDetailsScreen, app.screen).action_relocate()


def _key(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    product, code, feature, order, name = texts
    key = make_key(
        product_name=product,
        product_code=code,
        features=(Feature("f", feature, 3),),
        order_reference=order,
        instance_name=name,
    )
    app.store.dispatch(InventoryLoaded(_inventory(_instance(name), key)))
    app.push_screen(KeyDetailsScreen(app.services, app.store, key.id))


class _Profiles:
    """What a cloud would tell of the hardware of an instance."""

    def __init__(self, *rows: HardwareRow) -> None:
        self._rows = rows

    async def hardware(self, instance_id: str) -> Sequence[HardwareRow]:
        return self._rows


async def _hardware(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    name, *row = texts
    app.services.__dict__["instances"] = _Profiles(HardwareRow(*row))
    instance = _instance(name)
    app.store.dispatch(InventoryLoaded(_inventory(instance, make_key())))
    await app.push_screen(HardwareScreen(app.services, app.store, instance.id))
    await app.workers.wait_for_complete()


class _Part(Screen[None]):
    """One widget by itself."""

    def __init__(self, widget: Widget, fill: Callable[[], object]) -> None:
        super().__init__()
        self._widget = widget
        self._fill = fill

    def compose(self) -> ComposeResult:
        yield self._widget

    def on_mount(self) -> None:
        self._widget.styles.height = "1fr"
        self._fill()


def _review(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    name, label, problem = texts
    step, instance = ReviewStep(str), _instance(name, label)
    draft = Draft(instance=instance)
    preview = ActivationPreview(instance, (), (make_key(),), (Detail("/keys/0", "why", problem),))

    def fill() -> None:
        step.show_waiting(draft)
        step.show_preview(draft, ActivationRequest(("K",), instance.id), preview)

    app.push_screen(_Part(step, fill))


def _result(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    name, product, feature = texts
    key = make_key(product_name=product, features=(Feature("f", feature, None),))
    step, activation = ResultStep(str), Activation("a", _instance(name), (key,), None, NOW)
    app.push_screen(_Part(step, lambda: step.show(activation)))


def _inline(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    widget = InlineProblem(id="part")
    app.push_screen(_Part(widget, lambda: widget.show(_error(*texts, "request"))))


def _facts(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    widget = FactTable(id="part")
    app.push_screen(_Part(widget, lambda: widget.show((("Name", texts[0]),))))


def _tick(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    app.push_screen(_Part(Tick(texts[0], id="part"), lambda: None))


def _type_ahead(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    def found(_: str) -> list[tuple[str, str]]:
        return [("id", texts[0])]

    widget = TypeAhead(found, placeholder="type", id="part")
    app.push_screen(_Part(widget, widget.focus_text))


def _message(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    column: TableColumn[str] = TableColumn("a", "A", 10, 5, str)
    table = RowTable[str]((column,), str, id="part")
    app.push_screen(_Part(table, lambda: table.show_rows((), message=(texts[0],))))


def _saved(subject: str, name: str, contents: str) -> SavedFile:
    path = Path("/srv") / (name.replace("/", "|")[:200] or "x")
    kind = DocumentKind.LICENSE
    return SavedFile(path, kind, 1234, "ab" * 32, True, subject, NOW, contents)


def _saved_files(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    files = (_saved(*texts),)
    store = Store(replace(app.store.state, saved_files=files))
    app.push_screen(SavedFilesScreen(store))


async def _bulk(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    title, name, message, step = texts
    progress = BulkProgress(1)
    screen = BulkDownloadScreen(app.services, app.store, title, cast(Any, None), progress)
    await app.push_screen(screen)
    screen.end()
    error = TuiLicensesError("refused", message, step)
    screen.show_result([name], BulkResult((DownloadOutcome("id", None, error),), None))


def _plan_gate(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    account, plan, person, reason, contact = texts
    user = make_user(display_name=person)
    tab = LicensesTab(False, reason, contact)
    user = replace(user, account=replace(user.account, name=account, plan=plan, licenses_tab=tab))
    app.push_screen(PlanGateScreen(user, NotAllowedError("plan", "No.", "Ask.")))


def _sign_in(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    app.push_screen(SignInScreen(Context(texts[0], texts[1])))


def _download(app: TuiLicensesApp, texts: Sequence[str]) -> None:
    note, folder, name = texts
    kind = DocumentKind.LICENSE
    app.push_screen(DownloadScreen(kind, [name[:200]], Path("/srv") / folder[:200], note))


VIEWS = (
    View("list", 6, _list),
    View("filter", 1, _filter),
    View("status line", 1, lambda app, texts: app.tell(texts[0])),
    View("details", 5, _details),
    View("name editor", 1, _name_editor),
    View("location editor", 1, _location_editor),
    View("key", 5, _key),
    View("hardware", 4, _hardware),
    View("review", 3, _review),
    View("result", 3, _result),
    View("inline problem", 3, _inline),
    View("facts", 1, _facts),
    View("tick", 1, _tick),
    View("type-ahead", 1, _type_ahead),
    View("empty table", 1, _message),
    View("problem", 4, lambda app, texts: app.show_problem(_error(*texts))),
    View("notice", 2, lambda app, texts: app.show_text(*texts)),
    View("question", 1, lambda app, texts: app.push_screen(ConfirmScreen(texts[0], "a", "b"))),
    View("conflict", 2, lambda app, texts: app.push_screen(ConflictScreen("name", *texts))),
    View("download", 3, _download),
    View("bulk download", 4, _bulk),
    View("saved files", 3, _saved_files),
    View("plan gate", 5, _plan_gate),
    View("sign-in", 2, _sign_in),
)
