"""Who may ask for what: one row for each route, written down apart from the program.

A route that is served and has no row fails the class that reads this, and so does a row without a
route.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tui_licenses.domain.account import Role

PROFILE = (
    '<node id="new01" class="system"><configuration>'
    '<setting id="machine-id" value="aaaabbbbccccddddeeeeffff00001111"/></configuration></node>'
)


@dataclass(frozen=True)
class Row:
    """One route: `is_open` needs no sign-in, `is_gated` a plan with the Licenses tab.

    `names` is what an id in its path or, as `{id}`, in its query or JSON body is of: `instance` or
    `key`. `unknown` is the code of an id that is not the caller's; empty where the answer is a list
    that holds nothing then.
    """

    method: str
    path: str
    is_open: bool = False
    is_gated: bool = True
    role: Role = Role.READER
    names: str = ""
    unknown: str = ""
    query: str = ""
    body: Mapping[str, Any] | None = None
    content: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


_INSTANCE: dict[str, Any] = {"names": "instance", "unknown": "instance-not-found"}
_KEY: dict[str, Any] = {"names": "key", "unknown": "key-not-found"}
_CHANGED: Mapping[str, str] = {"If-Match": "*"}
_ACTIVATION = {"keys": ["AAAABBBBCCCCDDDD"], "instanceId": "{id}"}
_WANTED = {"instances": [{"instanceId": "{id}"}]}

ROWS = (
    Row("POST", "/authorization/token", is_open=True, body={}),
    Row("GET", "/health", is_open=True),
    Row("GET", "/users/me", is_gated=False),
    Row("GET", "/licensing/openapi", is_gated=False),
    Row("GET", "/licensing/trust", is_gated=False),
    Row("GET", "/licensing/instances"),
    Row("GET", "/licensing/instances/{id}", **_INSTANCE),
    Row(
        "PATCH",
        "/licensing/instances/{id}",
        role=Role.OPERATOR,
        body={"coreVersion": "9.9"},
        headers=_CHANGED,
        **_INSTANCE,
    ),
    Row("GET", "/licensing/instances/{id}/profile", **_INSTANCE),
    Row(
        "PUT",
        "/licensing/instances/{id}/profile",
        role=Role.OPERATOR,
        content=PROFILE,
        headers=_CHANGED,
        **_INSTANCE,
    ),
    Row("GET", "/licensing/instances/{id}/license-file", **_INSTANCE),
    Row("GET", "/licensing/instances/{id}/manifest", **_INSTANCE),
    Row("GET", "/licensing/keys", query="instanceId={id}", names="instance"),
    Row("GET", "/licensing/keys/{id}", **_KEY),
    Row("GET", "/licensing/keys/{id}/license-file", **_KEY),
    Row("GET", "/licensing/keys/{id}/certificate", **_KEY),
    Row("POST", "/licensing/keys/lookup", body={"key": "AAAABBBBCCCCDDDD"}),
    Row(
        "POST",
        "/licensing/keys/{id}/release",
        role=Role.ADMINISTRATOR,
        body={"reason": "moved", "cascade": True},
        **_KEY,
    ),
    Row("POST", "/licensing/license-files", names="instance", body=_WANTED),
    Row("POST", "/licensing/activations/preview", body=_ACTIVATION, **_INSTANCE),
    Row(
        "POST",
        "/licensing/activations",
        role=Role.OPERATOR,
        body=_ACTIVATION,
        **_INSTANCE,
    ),
    Row("GET", "/licensing/changes"),
    Row("GET", "/licensing/events", query="targetId={id}", names="instance"),
)
