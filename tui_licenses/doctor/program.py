"""The program itself, and the terminal it would draw on."""

from __future__ import annotations

import platform
import sqlite3
import ssl
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from tui_licenses import __version__
from tui_licenses.doctor.finding import Finding, fine, skipped, warning
from tui_licenses.terminal import (
    COLUMNS_MINIMUM,
    ROWS_MINIMUM,
    TerminalSize,
    has_scroll_regions,
    terminal_size,
)

_LIBRARIES = (
    "textual",
    "rich",
    "httpx",
    "truststore",
    "cryptography",
    "lxml",
    "fpdf2",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "psycopg",
)
_PROGRAM = "Program"
_TERMINAL = "Terminal"


def examine_program() -> Finding:
    """Return the versions of the program and of what it stands on."""
    facts = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "openssl": ssl.OPENSSL_VERSION,
        "sqlite": sqlite3.sqlite_version,
        **{name: _version(name) for name in _LIBRARIES},
    }
    message = f"tui-licenses {__version__} on Python {facts['python']}, {facts['system']}."
    return fine(_PROGRAM, message, **facts)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def examine_terminal(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Say whether the dashboard can be shown here, and how well."""
    size = terminal_size()
    if size is None:
        yield skipped(
            _TERMINAL, "There is no terminal here; commands work, the dashboard does not."
        )
        return
    kind = environment.get("TERM", "")
    if not size.is_enough:
        yield warning(
            _TERMINAL,
            "terminal-too-small",
            f"The terminal has {size.columns}x{size.rows} cells; the dashboard needs "
            f"{COLUMNS_MINIMUM}x{ROWS_MINIMUM}.",
            "Enlarge it, or use commands such as `tui-licenses keys list`.",
        )
    if kind in {"", "dumb"}:
        yield warning(
            _TERMINAL,
            "terminal-unknown",
            f"The terminal says it is “{kind}”: it may show neither colours nor moves.",
            "Set TERM to what it is, such as `export TERM=xterm-256color`.",
        )
    elif not has_scroll_regions(environment):
        yield warning(
            _TERMINAL,
            "terminal-unknown",
            f"The terminal “{kind}” is not known: whole lines are sent instead of what differs.",
            "Nothing is wrong; if it is a kind of xterm, `export TERM=xterm-256color` is quicker.",
        )
    if (sys.stdout.encoding or "").lower().replace("-", "") != "utf8":
        yield warning(
            _TERMINAL,
            "terminal-without-utf-8",
            f"Text is written as {sys.stdout.encoding}: names in other scripts are not shown.",
            "Set a UTF-8 locale (`export LC_ALL=C.UTF-8`), or `ascii = true` in the settings.",
        )
    yield _facts(size, kind, environment)


def _facts(size: TerminalSize, kind: str, environment: Mapping[str, str]) -> Finding:
    return fine(
        _TERMINAL,
        f"{kind or 'unnamed'}, {size.columns}x{size.rows} cells, {sys.stdout.encoding}.",
        term=kind,
        size=f"{size.columns}x{size.rows}",
        encoding=sys.stdout.encoding,
        colorterm=environment.get("COLORTERM", ""),
        noColor="yes" if environment.get("NO_COLOR") else "no",
        tmux="yes" if environment.get("TMUX") else "no",
        ssh="yes" if environment.get("SSH_TTY") else "no",
    )
