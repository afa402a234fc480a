"""Activations: from typed keys to keys assigned to an instance, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

from tui_licenses.api.client import Client
from tui_licenses.domain.activation import (
    Activation,
    ActivationPreview,
    ActivationRequest,
    KeyLookup,
)
from tui_licenses.domain.license_key import GROUP_LENGTH, LicenseKey, normalise_key
from tui_licenses.errors import Detail, KeyFormatError
from tui_licenses.text import clean


@dataclass(frozen=True, slots=True)
class Submission:
    """A request to activate, with the key that keeps the cloud from doing it twice."""

    request: ActivationRequest
    idempotency_key: str


class ActivationService:
    """Checks, previews and submits activations, and releases keys."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def check_format(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return typed keys in canonical form, each once, in their order.

        Raises `KeyFormatError` with one detail for each that is no key; at most its
        last four characters are told.
        """
        canonical: dict[str, None] = {}
        details: list[Detail] = []
        for index, text in enumerate(texts):
            try:
                canonical[normalise_key(text)] = None
            except KeyFormatError as error:
                ending = clean(text.strip()[-GROUP_LENGTH:])
                message = f"The key that ends in “{ending}”: {error.message}"
                details.append(Detail(f"/keys/{index}", error.code, message))
        if details:
            raise KeyFormatError(
                "key-format",
                " ".join(detail.message for detail in details),
                "Check the keys against the order confirmation and type them again.",
                details=tuple(details),
            )
        return tuple(canonical)

    async def validate(self, key: str) -> KeyLookup:
        """Return what the cloud tells about one typed key; changes nothing."""
        return await self._client.lookup(normalise_key(key))

    async def preview(self, request: ActivationRequest) -> ActivationPreview:
        """Return what an activation would do, with every problem; changes nothing."""
        return await self._client.preview(request)

    def prepare(self, request: ActivationRequest) -> Submission:
        """Return a submission; sending the same one again never activates twice."""
        return Submission(request, str(uuid4()))

    async def submit(self, submission: Submission) -> Activation:
        """Activate all keys or none.

        Errors carry one detail for each key that is refused (pointer `/keys/0`).
        """
        return await self._client.activate(submission.request, submission.idempotency_key)

    async def release(self, key: LicenseKey, reason: str, cascade: bool = False) -> LicenseKey:
        """Take a key off its instance; a master with add-ons only with `cascade`."""
        return await self._client.release(key.id, reason, cascade)
