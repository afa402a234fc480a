"""The database of the embedded license cloud, and the secrets beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses import paths
from tui_licenses.doctor.finding import Finding, Severity, fault, fine, skipped
from tui_licenses.errors import TuiLicensesError

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store

_DATABASE = "Lab database"

_SETTINGS = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "busy_timeout")
# A check reads everything: half a second for a lab, a minute for a million keys.
_CHECKED_BYTES_MAXIMUM = 32 * 1024 * 1024
_SHOWN_MAXIMUM = 5


def is_usable(findings: Iterable[Finding]) -> bool:
    """Say whether there is a database that a sign-in would open as it is."""
    is_made = paths.embedded_database_file().exists()
    return is_made and all(finding.severity is not Severity.FAULT for finding in findings)


def examine_database() -> Iterator[Finding]:
    """Open the database, where there is one, without migrating it; check all that it says."""
    from tui_licenses.cloud.store import open_unchanged

    file = paths.embedded_database_file()
    if not file.exists():
        yield skipped(_DATABASE, "It is made at the first start.")
        return
    try:
        store = open_unchanged(file)
    except TuiLicensesError as error:
        yield fault(_DATABASE, error)
        return
    try:
        yield fine(_DATABASE, f"{file}, schema {store.schema_version()}.", **_settings(store))
        yield from _check(store, file)
    finally:
        store.close()


def _settings(store: Store) -> dict[str, str]:
    with store.read() as connection:
        return {
            name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in _SETTINGS
        }


def _check(store: Store, file: Path) -> Iterator[Finding]:
    from tui_licenses.cloud.check import check_store

    size = file.stat().st_size
    if size > _CHECKED_BYTES_MAXIMUM:
        message = f"{size // 1024**2} MiB were not read; `tui-licenses cloud check` does it."
        yield skipped(_DATABASE, message)
        return
    for found in check_store(store)[:_SHOWN_MAXIMUM]:
        yield Finding(
            _DATABASE,
            Severity.FAULT,
            f"{found.target}: {found.message}",
            "Run `tui-licenses cloud check` for all faults, and restore a backup.",
            found.code,
        )
