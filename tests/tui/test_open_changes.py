"""A change that a killed dashboard left behind is settled by the next one, which tells it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from tests.tui.conftest import OpenDashboard
from tui_licenses import paths
from tui_licenses.api.transport import Request
from tui_licenses.cloud.embedded import embedded_credentials
from tui_licenses.domain.inventory import Inventory
from tui_licenses.service.journal_entries import Entry, JournalFolder


def _leave(request: Request) -> None:
    subject = embedded_credentials(paths.embedded_database_file())[0].subject_id
    entry = Entry.of(request, f"embedded\n{subject}", datetime.now(UTC))
    JournalFolder(paths.journal_folder("embedded")).add(entry).let_go()


async def test_what_became_of_a_change_is_told_at_the_next_start(
    inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = inventory.instances[0]
    headers = {
        "Content-Type": "application/json",
        "If-Match": f'"{instance.revision}"',
        "Idempotency-Key": str(uuid4()),
    }
    path = f"/api/v3/licensing/instances/{instance.id}"
    body = b'{"name":"Left Behind"}'
    _leave(Request("PATCH", path, headers=headers, body=body, what="the new name of a depot"))
    async with open_dashboard() as dashboard:
        await dashboard.wait_for("Changes that were under way", "the new name of a depot")
        await dashboard.press("escape")
        await dashboard.settle()
        await dashboard.wait_for("Left Behind")
    assert list(paths.journal_folder("embedded").iterdir()) == []
