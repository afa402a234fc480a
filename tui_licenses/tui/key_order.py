"""One key after the other: what is typed ahead is done in the order in which it was typed.

Textual gives a key to the widget with the focus, and looks for its binding only when the key has
come back through all parents of that widget. What comes in the same packet would overtake it: the
letter after a Backspace would be deleted by it, and a name typed after the key that opens its
field would be taken for commands. So a key waits until the one before it is done.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump

Typed = events.Key | events.Paste
Give = Callable[[Typed], Awaitable[None]]

# What follows a key is lost with a widget that was closed meanwhile; nobody is to wait for it.
_PATIENCE_SECONDS = 0.5


class KeyIsDone(Message):
    """Goes the way of a key, behind it."""


class KeyOrder:
    """Keeps what is typed until its turn; `give` hands it to the app."""

    def __init__(self, app: App[int], give: Give) -> None:
        self._app = app
        self._give = give
        self._waiting: deque[Typed] = deque()
        self._under_way: Typed | None = None
        self._target: MessagePump = app
        self._screen: MessagePump = app
        self._behind: KeyIsDone | None = None
        self._patience: asyncio.TimerHandle | None = None

    async def take(self, event: Typed) -> None:
        """Hand a key on, or keep it until the one before it is done."""
        if event is self._under_way:
            await self._come_back(event)
        elif event.is_forwarded:
            await self._give(event)
        elif self._under_way is None:
            await self._hand_on(event)
        else:
            self._waiting.append(event)
            if self._behind is None:
                self._follow(self._target)

    async def note(self, done: KeyIsDone) -> None:
        """Hand on what waited for the key that is done."""
        if done is not self._behind or self._patience is None:
            return
        self._patience.cancel()
        if self._app.screen is not self._screen:
            # What comes behind a key that opened a screen is meant for that screen.
            self._follow_to_screen()
            return
        self._under_way = self._behind = None
        while self._waiting and self._under_way is None:
            await self._hand_on(self._waiting.popleft())
        if self._waiting:
            self._follow(self._target)

    async def _hand_on(self, event: Typed) -> None:
        self._screen = self._app.screen
        self._target = self._app.focused or self._screen
        self._under_way = event
        await self._give(event)
        if not event.is_forwarded:
            self._under_way = None

    async def _come_back(self, event: Typed) -> None:
        if isinstance(event, events.Key) and self._app.screen is not self._screen:
            # The key before it has opened another screen meanwhile, which this one is meant for.
            self._waiting.appendleft(events.Key(event.key, event.character))
            if self._behind is None:
                self._follow_to_screen()
            return
        await self._give(event)
        if self._behind is None:
            self._under_way = None

    def _follow_to_screen(self) -> None:
        """Wait until the screen on top is there: it takes nothing before that."""
        self._screen = self._app.screen
        self._follow(self._screen)

    def _follow(self, target: MessagePump) -> None:
        """Send something after the key, and wait until it has come to the app, too."""
        self._behind = KeyIsDone()
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(_PATIENCE_SECONDS, self._app.post_message, self._behind)
        if not target.post_message(self._behind):
            self._app.post_message(self._behind)
