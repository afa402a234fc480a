"""The first line: whose account this is, on which plan, signed in as whom, where."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.text import Text
from textual import events
from textual.widgets import Static

from tui_licenses.domain.account import User, plan_name
from tui_licenses.state.app_state import AppState
from tui_licenses.state.store import Store
from tui_licenses.text import clean, shorten, width_cells

if TYPE_CHECKING:
    from tui_licenses.wiring import Services

_LAB_LABEL = " LAB "
_NARROWEST = 8


class AccountHeader(Static):
    """Follows the signed-in user; the endpoint stays in sight when names are long."""

    def __init__(self, services: Services, store: Store) -> None:
        super().__init__("", markup=False, id="account-header")
        self._services = services
        self._store = store
        self._unsubscribe: Callable[[], None] | None = None

    def on_mount(self) -> None:
        """Begin to follow the state."""
        self._unsubscribe = self._store.subscribe(self._follow)
        self._draw(self._store.state.user)

    def on_unmount(self) -> None:
        """Stop following the state."""
        if self._unsubscribe is not None:
            self._unsubscribe()

    def on_resize(self, _event: events.Resize) -> None:
        """Draw for the new width."""
        self._draw(self._store.state.user)

    def _follow(self, before: AppState, after: AppState) -> None:
        if before.user != after.user:
            self._draw(after.user)

    def _draw(self, user: User | None) -> None:
        label = _LAB_LABEL if self._services.is_lab else ""
        endpoint = clean(self._services.endpoint)
        spare = self.content_size.width - width_cells(endpoint) - len(label) - 1
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(shorten(_account_text(user), max(_NARROWEST, spare)), style="bold")
        line.append(" " * max(1, spare - width_cells(line.plain) + 1))
        line.append(endpoint)
        line.append(label, style="reverse bold")
        self.update(line, layout=False)


def _account_text(user: User | None) -> str:
    if user is None:
        return "Not signed in yet"
    account = user.account
    return (
        f"{clean(account.name)} · {clean(plan_name(account.plan))} · "
        f"{clean(user.display_name)} ({user.role})"
    )
