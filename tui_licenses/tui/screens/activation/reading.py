"""What the user gives to an activation, read and checked before anything is sent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tui_licenses.errors import DocumentError, UseError
from tui_licenses.tui.screens.activation.draft import ProfileChoice, split_typed_keys

if TYPE_CHECKING:
    from tui_licenses.wiring import Services

_THIS_HOST = "this host"


class FormatCheck(Protocol):
    """Brings typed keys into canonical form, or raises `UseError` (`key-format`)."""

    def check_format(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the keys in canonical form."""


@dataclass(frozen=True, slots=True)
class TypedKeys:
    """What of a typed text are keys, and what remains in the field with the problem it has."""

    keys: tuple[str, ...]
    remaining: str
    problem: UseError | None


def check_typed_keys(service: FormatCheck, text: str) -> TypedKeys:
    """Part a typed or pasted text into keys and what is none."""
    keys: list[str] = []
    refused: list[str] = []
    problems: list[UseError] = []
    for part in split_typed_keys(text):
        try:
            keys += service.check_format((part,))
        except UseError as error:
            refused.append(part)
            problems.append(error)
    return TypedKeys(tuple(keys), "; ".join(refused), _joined(problems))


def _joined(problems: list[UseError]) -> UseError | None:
    if len(problems) < 2:
        return problems[0] if problems else None
    return UseError(
        problems[0].code,
        f"{len(problems)} of these are no license keys.",
        problems[0].next_step,
        details=tuple(detail for problem in problems for detail in problem.details),
    )


async def read_profile(services: Services, path: str | None) -> ProfileChoice:
    """Return the server profile in a file, or without a path that of this very host.

    Raises `FileError`, and `DocumentError` for a profile that cannot be activated.
    """
    if path is None:
        data = await services.instances.this_host_profile()
        fingerprint = await services.verification.fingerprint_of_this_host()
    else:
        data, fingerprint = await asyncio.to_thread(_read_file, services, path)
    try:
        xml = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(
            "profile-invalid",
            "This server profile is not UTF-8 text.",
            "Make a new profile on the server with `tui-licenses profile`.",
        ) from error
    return ProfileChoice(path or _THIS_HOST, xml, len(data), fingerprint)


def _read_file(services: Services, path: str) -> tuple[bytes, str]:
    file = Path(path)
    with contextlib.suppress(RuntimeError):
        # `~name` of a user who does not exist is a name like any other.
        file = file.expanduser()
    data = services.instances.read_profile(file)
    return data, services.verification.fingerprint_of_profile(file)
