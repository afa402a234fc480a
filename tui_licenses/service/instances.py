"""Instances: names, locations, server profiles and the hardware in them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tui_licenses.api.client import Client, RevisionConflictError
from tui_licenses.domain.hardware import HardwareRow
from tui_licenses.domain.instance import Instance, Location, check_name
from tui_licenses.files import read_regular

__all__ = ["InstanceService", "RevisionConflictError"]


class InstanceService:
    """Changes instances; every change names the revision it was decided on."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def rename(self, instance: Instance, name: str) -> Instance:
        """Give an instance another name.

        Raises `UseError` (`invalid-request`), `RevisionConflictError`.
        """
        return await self._client.change_instance(instance, name=check_name(name))

    async def relocate(self, instance: Instance, location: Location) -> Instance:
        """Give an instance another location; raises as `rename` does."""
        return await self._client.change_instance(instance, location=location)

    async def profile(self, instance_id: str) -> bytes:
        """Return the server profile byte for byte; raises `NotFoundError` (`profile-not-found`)."""
        return await self._client.profile(instance_id)

    async def hardware(self, instance_id: str) -> tuple[HardwareRow, ...]:
        """Return the hardware in the server profile, as the rows of a table."""
        data = await self._client.profile(instance_id)
        return await asyncio.to_thread(_hardware_rows, data)

    async def set_profile(self, instance: Instance, data: bytes) -> Instance:
        """Upload a server profile as a new revision; raises as `rename` does."""
        return await self._client.set_profile(instance, data)

    async def this_host_profile(self) -> bytes:
        """Return a server profile of the host this program runs on."""
        return await asyncio.to_thread(_host_profile)

    def read_profile(self, path: Path) -> bytes:
        """Return a server profile from a file, checked.

        Raises `FileError` (`file-not-found`, `file-unreadable`), `DocumentError`
        (`profile-invalid`, `profile-too-large`).
        """
        from tui_licenses.documents.profile import PROFILE_SIZE_MAXIMUM, parse_profile

        data = read_regular(path, PROFILE_SIZE_MAXIMUM)
        parse_profile(data)
        return data


def _hardware_rows(data: bytes) -> tuple[HardwareRow, ...]:
    from tui_licenses.documents.profile import hardware_rows

    return hardware_rows(data)


def _host_profile() -> bytes:
    from tui_licenses.documents.host_profile import collect_host_profile

    return collect_host_profile()
