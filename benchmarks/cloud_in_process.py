"""A license cloud in this very process, asked through its ASGI application: no network at all."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx

from benchmarks.errors import BenchmarkError
from tui_licenses.api.schemas import BASE_PATH
from tui_licenses.cloud.administration import issue
from tui_licenses.cloud.app import create_app
from tui_licenses.cloud.embedded import embedded_credentials
from tui_licenses.cloud.store import open_store
from tui_licenses.domain.license_key import KeyKind

MILLISECONDS = 1000
_PRODUCT = "CAL-DEVICE-50"


class Asked(NamedTuple):
    """An answer, and what it took: wall clock and processor, in milliseconds."""

    milliseconds: float
    cpu_milliseconds: float
    answer: httpx.Response


class CloudInProcess:
    """Opens a database and signs in as the administrator of its first account."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._credentials = embedded_credentials(database)[0]
        self._store = open_store(database)
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=create_app(self._store)),
            base_url="http://cloud.example",
            headers={"Accept-Encoding": "identity"},
        )
        self._sign_in()

    def close(self) -> None:
        """Close the client and the database."""
        self._runner.run(self._client.aclose())
        self._runner.close()
        self._store.close()

    def get(self, path: str, **headers: str) -> Asked:
        """Ask for a resource; raises where the answer is not what was asked for."""
        return self._ask("GET", path, headers=headers)

    def items(self, path: str) -> list[dict[str, Any]]:
        """Return the items of a list."""
        return list(self.get(path).answer.json()["items"])

    def activate(self, key: str, instance_id: str) -> Asked:
        """Activate one key on an instance."""
        return self._ask(
            "POST",
            "/licensing/activations",
            headers={"Idempotency-Key": str(uuid4())},
            json={"keys": [key], "instanceId": instance_id},
        )

    def issue_add_ons(self, count: int) -> list[str]:
        """Issue keys that can be activated, and return them."""
        issued = issue(
            self._database,
            self._credentials.account_id,
            kind=KeyKind.ADD_ON,
            product_code=_PRODUCT,
            count=count,
        )
        return [key.key for key in issued]

    def licensed_instance_ids(self) -> list[str]:
        """Return instances whose master is active and belongs to the account."""
        masters = {
            key["id"]
            for key in self.items("/licensing/keys?kind=master&limit=1000")
            if key["state"] == "active"
        }
        found = self.items("/licensing/instances?limit=1000")
        return [entry["id"] for entry in found if entry["masterKeyId"] in masters]

    def _sign_in(self) -> None:
        asked = self._ask(
            "POST",
            "/authorization/token",
            json={
                "subjectType": "Application",
                "subjectId": self._credentials.subject_id,
                "grantType": "refreshToken",
                "refreshToken": self._credentials.refresh_token,
            },
        )
        token = asked.answer.json()["accessToken"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def _ask(self, method: str, path: str, **arguments: Any) -> Asked:  # noqa: ANN401 - httpx's own
        begun, begun_cpu = time.perf_counter(), time.process_time()
        answer = self._runner.run(self._client.request(method, BASE_PATH + path, **arguments))
        asked = Asked(
            (time.perf_counter() - begun) * MILLISECONDS,
            (time.process_time() - begun_cpu) * MILLISECONDS,
            answer,
        )
        if answer.is_error:
            raise BenchmarkError(f"{method} {path} answers {answer.status_code}: {answer.text}")
        return asked
