"""The audit trail: one event for each change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One audited change; `before` and `after` hold the members that changed, keys masked."""

    sequence: int
    at: datetime
    actor: str
    action: str
    target_kind: str
    target_id: str
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
    request_id: str | None
