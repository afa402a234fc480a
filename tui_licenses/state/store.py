"""The holder of the current state: dispatch an event, and every subscriber sees the next state."""

from __future__ import annotations

from collections.abc import Callable

from tui_licenses.state.app_state import AppState
from tui_licenses.state.events import Event
from tui_licenses.state.reduce import reduce

Subscriber = Callable[[AppState, AppState], None]


class Store:
    """Holds one `AppState`; subscribers are called with (before, after) when it changed."""

    def __init__(self, state: AppState | None = None) -> None:
        self.state = state or AppState()
        self._subscribers: list[Subscriber] = []

    def dispatch(self, event: Event) -> None:
        """Reduce the state with an event and tell every subscriber if it changed."""
        before = self.state
        self.state = reduce(before, event)
        if self.state is before:
            return
        for subscriber in tuple(self._subscribers):
            subscriber(before, self.state)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` on each change from now on; returns a function that stops it."""
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

        return unsubscribe
