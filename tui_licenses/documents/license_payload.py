"""The content of a license file, version 1 (docs/license-file.md, Payload v1)."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

import msgspec

from tui_licenses.documents.payload import (
    Critical,
    Integer,
    Payload,
    Sha256,
    Text,
    bad_content,
    check_critical,
)
from tui_licenses.domain.license_key import KeyKind

LICENSE_FORMAT: Literal["tui-licenses.license"] = "tui-licenses.license"
LICENSE_VERSION: Literal[1] = 1
KEYS_MAXIMUM = 1000
FEATURES_MAXIMUM = 256

KeyText = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z0-9]{16}\Z")]


class LicensedFeature(Payload, frozen=True):
    """A feature of a key; `quantity` counts licenses where the feature has any."""

    code: Text
    quantity: Integer | None


class LicensedKey(Payload, frozen=True):
    """A key of the instance: after `valid_to` it warns, after `terminates` it stops."""

    key: KeyText
    kind: KeyKind
    product: Text
    features: Annotated[tuple[LicensedFeature, ...], msgspec.Meta(max_length=FEATURES_MAXIMUM)]
    valid_from: Integer
    valid_to: Integer | None
    terminates: Integer | None


class LicensedInstance(Payload, frozen=True):
    """The server a license file is for; `fingerprint` is 64 hex digits."""

    id: Text
    fingerprint: Sha256


class LicensePayload(Payload, frozen=True):
    """Everything a license file says; instants are seconds since 1970 in UTC.

    `serial` rises per instance. The first key is the master, the add-ons follow in the order of
    their keys; features are in the order of their codes. `file_expires` is None in version 1.
    """

    issuer: Text
    serial: Integer
    issued: Integer
    not_before: Integer
    instance: LicensedInstance
    keys: Annotated[tuple[LicensedKey, ...], msgspec.Meta(min_length=1, max_length=KEYS_MAXIMUM)]
    file_expires: Integer | None
    critical: Critical
    format: Literal["tui-licenses.license"]
    version: Literal[1]


def license_payload(
    issuer: str,
    serial: int,
    issued: int,
    instance_id: str,
    fingerprint: str,
    keys: tuple[LicensedKey, ...],
    *,
    not_before: int | None = None,
    file_expires: int | None = None,
) -> LicensePayload:
    """Return the payload for the keys of an instance, keys and features put in order.

    `not_before` is `issued` where it is not given.
    """
    ordered = sorted(keys, key=lambda key: (key.kind is not KeyKind.MASTER, key.key))
    return LicensePayload(
        format=LICENSE_FORMAT,
        version=LICENSE_VERSION,
        issuer=issuer,
        serial=serial,
        issued=issued,
        not_before=issued if not_before is None else not_before,
        file_expires=file_expires,
        instance=LicensedInstance(id=instance_id, fingerprint=fingerprint),
        keys=tuple(
            msgspec.structs.replace(
                key, features=tuple(sorted(key.features, key=lambda feature: feature.code))
            )
            for key in ordered
        ),
        critical=(),
    )


def check_license_payload(payload: LicensePayload) -> None:
    """Raise `DocumentError` (`bad-content`) where a payload breaks a rule its types cannot say."""
    check_critical(payload.critical)
    master, *add_ons = payload.keys
    if master.kind is not KeyKind.MASTER or any(key.kind is KeyKind.MASTER for key in add_ons):
        raise bad_content("it does not have exactly one master key, first")
    if master.key in {key.key for key in add_ons} or not _is_rising([key.key for key in add_ons]):
        raise bad_content("its add-on keys are not unique and sorted")
    for key in payload.keys:
        if not _is_rising([feature.code for feature in key.features]):
            raise bad_content("the features of a key are not unique and sorted")


def _is_rising(texts: list[str]) -> bool:
    return all(one < next_one for one, next_one in pairwise(texts))
