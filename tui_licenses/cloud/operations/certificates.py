"""Certificates: what the cloud puts into the PDF of one key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from tui_licenses.cloud import tables
from tui_licenses.cloud.rows import AnyRow, read_key
from tui_licenses.domain.license_key import GROUP_LENGTH

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store
