"""Who is signed in, and what their account's plan includes."""

from __future__ import annotations

from tui_licenses.api.client import Client
from tui_licenses.domain.account import User


class AccountService:
    """Tells who the calls of this context are made for."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def who_am_i(self) -> User:
        """Return the signed-in user with account, plan and role."""
        return await self._client.who_am_i()
