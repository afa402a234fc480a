"""One method for each operation of docs/protocol.md: domain values in, domain values out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeVar
from urllib.parse import quote
from uuid import uuid4

import msgspec

from tui_licenses.api.answers import RevisionConflictError, check, decode
from tui_licenses.api.faults import unexpected_answer
from tui_licenses.api.license_sets import (
    WireLicenseSet,
    WireLicenseSets,
    WireLicenseSetsRequest,
)
from tui_licenses.api.pages import WirePage, to_change
from tui_licenses.api.parts import (
    ChangesPage,
    Item_co,
    LicenseSet,
    Page,
    Rest,
    WantedLicense,
)
from tui_licenses.api.problems import error_for
from tui_licenses.api.schemas import (
    BASE_PATH,
    ChangeList,
    EventList,
    InstanceList,
    KeyList,
    WireActivation,
    WireActivationPreview,
    WireActivationRequest,
    WireInstance,
    WireInstancePatch,
    WireKeyLookup,
    WireKeyLookupRequest,
    WireLicenseKey,
    WireLocation,
    WireReleaseRequest,
    WireUser,
)
from tui_licenses.api.session import Session
from tui_licenses.api.transport import (
    IDEMPOTENCY_KEY,
    OBJECT_BYTES_MAXIMUM,
    Request,
    Sends,
    StreamedAnswer,
)
from tui_licenses.api.trust_schemas import WireTrust
from tui_licenses.domain.account import User
from tui_licenses.domain.activation import (
    Activation,
    ActivationPreview,
    ActivationRequest,
    KeyLookup,
)
from tui_licenses.domain.event import AuditEvent
from tui_licenses.domain.instance import Instance, Location
from tui_licenses.domain.license_key import GROUP_LENGTH, LicenseKey
from tui_licenses.errors import TuiLicensesError
from tui_licenses.text import clean

__all__ = ["Client", "RevisionConflictError"]

_LICENSING = f"{BASE_PATH}/licensing"
_JSON = {"Content-Type": "application/json"}
_CHANGES_CURSOR_HEADER = "x-changes-cursor"
_PROFILE_BYTES_MAXIMUM = 2 * 1024 * 1024
# A page holds up to 1,000 objects, and none of them comes near 32 KiB.
_LIST_BYTES_MAXIMUM = 32 * 1024 * 1024
# License files of up to 256 KiB, with their manifests, as text in JSON.
_LICENSE_SETS_BYTES_MAXIMUM = 64 * 1024 * 1024

Download = AbstractAsyncContextManager[StreamedAnswer]


Wanted = TypeVar("Wanted")


class Client:
    """Speaks the contract; raises the errors of `api.problems` and `UnavailableError`."""

    def __init__(self, session: Session, changes: Sends | None = None) -> None:
        """Ask through a session; `changes` sends what changes something, if anything else does."""
        self._session = session
        self._changes = changes or session

    async def who_am_i(self) -> User:
        """Return the signed-in user."""
        return (await self._read(f"{BASE_PATH}/users/me", WireUser)).to_domain()

    def instance_pages(self, limit: int) -> AsyncIterator[Page[Instance]]:
        """Give all instances in the default order, a page at a time."""
        return self._pages("/instances", InstanceList, {"limit": limit})

    def key_pages(
        self, limit: int, *, instance_id: str | None = None
    ) -> AsyncIterator[Page[LicenseKey]]:
        """Give all keys, add-ons too, or those of one instance, a page at a time."""
        query: dict[str, str | int] = {"limit": limit, "includeAddOns": "true"}
        if instance_id is not None:
            query["instanceId"] = instance_id
        return self._pages("/keys", KeyList, query)

    def event_pages(self, limit: int) -> AsyncIterator[Page[AuditEvent]]:
        """Give the audit trail, newest first, a page at a time."""
        return self._pages("/events", EventList, {"limit": limit})

    async def show_instance(self, instance_id: str) -> Instance:
        """Return one instance."""
        return (await self._read(_instance_path(instance_id), WireInstance)).to_domain()

    async def show_key(self, key_id: str) -> LicenseKey:
        """Return one key."""
        return (await self._read(_key_path(key_id), WireLicenseKey)).to_domain()

    async def change_instance(
        self, instance: Instance, *, name: str | None = None, location: Location | None = None
    ) -> Instance:
        """Change what is given; raises `RevisionConflictError` where it changed meanwhile."""
        patch = WireInstancePatch()
        if name is not None:
            patch.name = name
        if location is not None:
            patch.location = WireLocation(country_code=location.country_code, label=location.label)
        changed = await self._change(
            "PATCH",
            _instance_path(instance.id),
            msgspec.json.encode(patch),
            WireInstance,
            {**_JSON, "If-Match": _revision_tag(instance)},
            # No name but the one that was typed here: others' names could tell anything.
            f"the new {'location' if name is None else f'name “{name}”'} of instance "
            f"{instance.id[:8]}",
        )
        return changed.to_domain()

    async def profile(self, instance_id: str) -> bytes:
        """Return a server profile byte for byte."""
        request = Request(
            "GET",
            f"{_instance_path(instance_id)}/profile",
            headers={"Accept": "application/xml", "Accept-Encoding": "identity"},
        )
        async with self._session.stream(request) as streamed:
            return check(await streamed.whole(_PROFILE_BYTES_MAXIMUM)).body

    async def set_profile(self, instance: Instance, data: bytes) -> Instance:
        """Upload a server profile; raises as `change_instance` does."""
        condition = (
            {"If-Match": _revision_tag(instance)}
            if instance.has_profile
            else {"If-None-Match": "*"}
        )
        changed = await self._change(
            "PUT",
            f"{_instance_path(instance.id)}/profile",
            data,
            WireInstance,
            {"Content-Type": "application/xml", **condition},
            f"the new server profile of instance {instance.id[:8]}",
        )
        return changed.to_domain()

    async def lookup(self, key: str) -> KeyLookup:
        """Return what may be told about a canonical key."""
        body = msgspec.json.encode(WireKeyLookupRequest(key=key))
        return (await self._post("/keys/lookup", body, WireKeyLookup)).to_domain()

    async def preview(self, request: ActivationRequest) -> ActivationPreview:
        """Return what an activation would do."""
        body = msgspec.json.encode(WireActivationRequest.from_domain(request))
        return (await self._post("/activations/preview", body, WireActivationPreview)).to_domain()

    async def activate(self, request: ActivationRequest, idempotency_key: str) -> Activation:
        """Activate; the same idempotency key again answers the same and does nothing more."""
        activation = await self._change(
            "POST",
            f"{_LICENSING}/activations",
            msgspec.json.encode(WireActivationRequest.from_domain(request)),
            WireActivation,
            {**_JSON, IDEMPOTENCY_KEY: idempotency_key},
            f"the activation of {', '.join(f'…{key[-GROUP_LENGTH:]}' for key in request.keys)}",
        )
        return activation.to_domain()

    async def release(self, key_id: str, reason: str, cascade: bool) -> LicenseKey:
        """Take a key off its instance."""
        released = await self._change(
            "POST",
            f"{_key_path(key_id)}/release",
            msgspec.json.encode(WireReleaseRequest(reason=reason, cascade=cascade)),
            WireLicenseKey,
            _JSON,
            f"the release of key {key_id}",
        )
        return released.to_domain()

    async def changes(self, cursor: str, limit: int) -> ChangesPage:
        """Return what changed since a cursor; raises `UseError` (`invalid-cursor`)."""
        query: dict[str, str | int] = {"cursor": cursor, "limit": limit}
        page = await self._read(f"{_LICENSING}/changes", ChangeList, query)
        return ChangesPage(
            tuple(to_change(item) for item in page.items), page.next_cursor, page.has_more
        )

    async def trust(self) -> WireTrust:
        """Return the signed trust document of the cloud."""
        return await self._read(f"{_LICENSING}/trust", WireTrust)

    async def license_sets(
        self, wanted: Sequence[WantedLicense]
    ) -> list[LicenseSet | TuiLicensesError]:
        """Return license files with their manifests, or why there is none, in the order asked.

        At most `LICENSE_SETS_MAXIMUM` instances at a time; nothing that comes is proven.
        """
        request = WireLicenseSetsRequest(
            instances=[
                WireLicenseSetsRequest.Wanted(
                    instance_id=entry.instance_id,
                    license_sha256=entry.license_sha256,
                    manifest_sha256=entry.manifest_sha256,
                )
                for entry in wanted
            ]
        )
        body = msgspec.json.encode(request)
        most = _LICENSE_SETS_BYTES_MAXIMUM
        answer = await self._post("/license-files", body, WireLicenseSets, most)
        if [item.instance_id for item in answer.items] != [entry.instance_id for entry in wanted]:
            raise unexpected_answer("The license cloud answered for other instances than asked.")
        return [_to_license_set(item) for item in answer.items]

    def certificate(
        self, key_id: str, known_sha256: str | None = None, rest: Rest | None = None
    ) -> Download:
        """Start the download of a certificate; its answer may be a problem.

        As with every download, an answer with status 304 says that it is the one with the SHA-256
        (hex) that is known, one with 206 that it is the rest that was asked for.
        """
        return self._download(f"{_key_path(key_id)}/certificate", known_sha256, rest)

    def profile_file(
        self, instance_id: str, known_sha256: str | None = None, rest: Rest | None = None
    ) -> Download:
        """Start the download of a server profile; its answer may be a problem."""
        return self._download(f"{_instance_path(instance_id)}/profile", known_sha256, rest)

    def profile_manifest(
        self, instance_id: str, known_sha256: str | None = None, rest: Rest | None = None
    ) -> Download:
        """Start the download of the signed manifest that lists a server profile alone."""
        path = f"{_instance_path(instance_id)}/manifest"
        return self._download(path, known_sha256, rest, {"kinds": "profile"})

    def _download(
        self,
        path: str,
        known_sha256: str | None,
        rest: Rest | None,
        query: Mapping[str, str | int] | None = None,
    ) -> Download:
        # The digest is of the document itself, so it must arrive as it is.
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if known_sha256 is not None:
            headers["If-None-Match"] = f'"{known_sha256}"'
        if rest is not None:
            headers |= {"Range": f"bytes={rest.offset}-", "If-Range": rest.etag}
        return self._session.stream(
            Request("GET", path, query or {}, headers=headers, is_download=True)
        )

    async def _read(
        self, path: str, wanted: type[Wanted], query: Mapping[str, str | int] | None = None
    ) -> Wanted:
        request = Request("GET", path, query or {}, answer_bytes_maximum=_LIST_BYTES_MAXIMUM)
        return decode(await self._session.send(request), wanted)

    async def _post(
        self, path: str, body: bytes, wanted: type[Wanted], most: int = OBJECT_BYTES_MAXIMUM
    ) -> Wanted:
        """Ask something whose question is too secret or too long for a URL; changes nothing.

        The Idempotency-Key says that it may be asked again.
        """
        request = Request(
            "POST",
            f"{_LICENSING}{path}",
            headers={**_JSON, IDEMPOTENCY_KEY: str(uuid4())},
            body=body,
            answer_bytes_maximum=most,
        )
        return decode(await self._session.send(request), wanted)

    async def _change(
        self,
        method: str,
        path: str,
        body: bytes,
        wanted: type[Wanted],
        headers: Mapping[str, str],
        what: str,
    ) -> Wanted:
        keyed = {IDEMPOTENCY_KEY: str(uuid4()), **headers}
        request = Request(method, path, headers=keyed, body=body, what=what)
        return decode(await self._changes.send(request), wanted)

    async def _pages(
        self, path: str, wanted: type[WirePage[Item_co]], query: Mapping[str, str | int]
    ) -> AsyncIterator[Page[Item_co]]:
        asked = dict(query)
        seen: set[str] = set()
        while True:
            request = Request(
                "GET", f"{_LICENSING}{path}", asked, answer_bytes_maximum=_LIST_BYTES_MAXIMUM
            )
            answer = await self._session.send(request)
            page = decode(answer, wanted)
            yield Page(
                tuple(item.to_domain() for item in page.items),
                page.total_count,
                answer.headers.get(_CHANGES_CURSOR_HEADER),
            )
            cursor = page.next_cursor
            if cursor is None:
                return
            if cursor in seen:
                raise unexpected_answer("The license cloud gives the same page without end.")
            seen.add(cursor)
            asked["cursor"] = cursor


def _to_license_set(item: WireLicenseSet) -> LicenseSet | TuiLicensesError:
    if item.refusal is not None:
        return error_for(item.refusal.code, clean(item.refusal.detail))
    return LicenseSet(_bytes_of(item.license_file), _bytes_of(item.manifest))


def _bytes_of(document: str | None) -> bytes | None:
    # A lone surrogate is valid in JSON but no text: what it becomes fits no signature.
    return None if document is None else document.encode(errors="replace")


def _instance_path(instance_id: str) -> str:
    return f"{_LICENSING}/instances/{quote(instance_id, safe='')}"


def _key_path(key_id: str) -> str:
    return f"{_LICENSING}/keys/{quote(key_id, safe='')}"


def _revision_tag(instance: Instance) -> str:
    return f'"{instance.revision}"'
