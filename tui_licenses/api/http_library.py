"""The door to httpx, imported where it is first needed, without its own command line.

httpx imports a command line for itself wherever click and Rich are installed. Here they always
are, and loading it would take two thirds of the time of the import.
"""

from __future__ import annotations

import sys

_COMMAND_LINE = "httpx._main"


def load_httpx() -> None:
    """Import httpx, which then can be imported as usual."""
    if "httpx" not in sys.modules:
        # None stands for a module that cannot be imported, which httpx provides for.
        sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]
        try:
            import httpx  # noqa: F401 - for its effect
        finally:
            del sys.modules[_COMMAND_LINE]
