"""What all signed payloads share: typed fields, instants, and the strict way to read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec

from tui_licenses.documents.canonical import (
    INTEGER_MAXIMUM,
    TEXT_LENGTH_MAXIMUM,
    decode_strict,
    encode_canonical,
)
from tui_licenses.errors import DocumentError
from tui_licenses.text import clean, shorten

CLOCK_SKEW_SECONDS = 300

_REASON_CELLS = 160

Integer = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAXIMUM)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_LENGTH_MAXIMUM)]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Critical = Annotated[tuple[Text, ...], msgspec.Meta(max_length=TEXT_LENGTH_MAXIMUM)]


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Base of all signed payloads and their parts.

    Every member is required; instants are whole seconds since 1970 in UTC.
    """


P = TypeVar("P", bound=Payload)


def epoch_seconds(moment: datetime) -> int:
    """Return an aware datetime as whole seconds since 1970 in UTC, as signed documents hold it."""
    return int(moment.astimezone(UTC).timestamp() // 1)


def encode_payload(payload: Payload) -> bytes:
    """Return the canonical bytes of a payload, without checking it."""
    return encode_canonical(msgspec.to_builtins(payload))


def decode_payload(data: bytes) -> object:
    """Return the members of a payload; raises `DocumentError` (`bad-content`)."""
    return decode_strict(data, "bad-content")


def convert_payload(members: object, data: bytes, payload_class: type[P]) -> P:
    """Return the typed payload of decoded members.

    `data` are the bytes they were decoded from. Raises `DocumentError`: `not-canonical` where
    the bytes have another form, `bad-content` where the members are not those of the class.
    """
    if encode_canonical(members) != data:
        raise DocumentError(
            "not-canonical",
            "The content of this document is not in its canonical form.",
            "Get the document again from where it was issued.",
        )
    try:
        return msgspec.convert(members, payload_class)
    except msgspec.ValidationError as error:
        reason = shorten(clean(str(error)), _REASON_CELLS)
        raise bad_content(f"a member is missing, unknown or out of range ({reason})") from error


def check_critical(critical: Sequence[str]) -> None:
    """Raise `DocumentError` (`bad-content`) for anything a reader must know: version 1 has none."""
    if critical:
        raise bad_content("it demands something this version does not know")


def bad_content(reason: str) -> DocumentError:
    """Return the error for a well-formed document whose content breaks a rule."""
    return DocumentError(
        "bad-content",
        f"The content of this document is not valid: {reason}.",
        "Get the document again; if it stays, report this to whoever runs the license cloud.",
    )
