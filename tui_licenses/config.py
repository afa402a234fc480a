"""Settings and contexts: one TOML file, read strictly and written whole.

A context is a named cloud account. Its credentials are kept elsewhere (`paths.credentials_file`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from tui_licenses import paths
from tui_licenses.addresses import check_url
from tui_licenses.errors import UseError
from tui_licenses.files import write_private
from tui_licenses.text import clean

EMBEDDED_NAME = "embedded"
ENVIRONMENT_NAME = "environment"
SUBJECT_VARIABLE = "TUI_LICENSES_SUBJECT_ID"
THEMES = ("dark", "light", "ansi")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LINE_IN_MESSAGE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")
# What may stand in each table of the file, and of which type.
_TOP: dict[str, type] = {"current": str, "settings": dict, "contexts": dict}
_SETTINGS: dict[str, type] = {
    "mask_keys": bool,
    "expiring_days": int,
    "refresh_seconds": int,
    "download_folder": str,
    "theme": str,
    "ascii": bool,
    "mouse": bool,
    "local_copy": bool,
    "screen_diff": bool,
}
_CONTEXT: dict[str, type] = {"url": str, "ca_file": str, "show_add_ons": bool}
# Settings that are counted, with their least and greatest values.
_RANGES = {"expiring_days": (0, 3650), "refresh_seconds": (0, 86_400)}


@dataclass(frozen=True, slots=True)
class Context:
    """A named cloud account; without a `url` it is the embedded lab cloud."""

    name: str
    url: str | None
    ca_file: Path | None = None
    show_add_ons: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a context in to its license cloud."""

    subject_id: str
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user may choose, in the units the names say; `refresh_seconds` 0 turns it off.

    Without `local_copy` nothing of the inventory is kept on this host.
    """

    mask_keys: bool = False
    expiring_days: int = 30
    refresh_seconds: int = 60
    download_folder: Path | None = None
    theme: str = "dark"
    ascii: bool = False
    mouse: bool = True
    local_copy: bool = True
    screen_diff: bool = True


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole configuration; `current` names the context used when none is given."""

    settings: Settings = Settings()
    contexts: tuple[Context, ...] = ()
    current: str | None = None

    def with_context(self, context: Context) -> Configuration:
        """Return the configuration with a context added or replaced by name."""
        others = tuple(known for known in self.contexts if known.name != context.name)
        return replace(self, contexts=(*others, context))

    def without_context(self, name: str) -> Configuration:
        """Return the configuration without a context; `current` no longer names it."""
        return replace(
            self,
            contexts=tuple(known for known in self.contexts if known.name != name),
            current=None if self.current == name else self.current,
        )


EMBEDDED_CONTEXT = Context(EMBEDDED_NAME, None)


def load_configuration() -> Configuration:
    """Return the configuration of this user, or the defaults where there is no file.

    Raises `UseError` (`configuration-invalid`) with the line that is wrong.
    """
    file = paths.configuration_file()
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Configuration()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UseError(
            "configuration-invalid",
            f"The configuration {file} cannot be read: {reason}.",
            "Correct the file or its permissions, or move it away to start with the defaults.",
        ) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _LINE_IN_MESSAGE.search(str(error))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        reason = _LINE_IN_MESSAGE.sub("", str(error)).strip()
        raise _invalid(file, line, f"this is not TOML ({clean(reason)})") from error
    return _Reader(file, text).configuration(document)


def save_configuration(configuration: Configuration) -> None:
    """Write the configuration, all or nothing, readable by its owner only."""
    import tomli_w

    document: dict[str, Any] = {}
    if configuration.current is not None:
        document["current"] = configuration.current
    defaults = Settings()
    chosen = {
        field.name: _to_toml(getattr(configuration.settings, field.name))
        for field in fields(Settings)
        if getattr(configuration.settings, field.name) != getattr(defaults, field.name)
    }
    if chosen:
        document["settings"] = chosen
    document["contexts"] = {
        context.name: {
            name: _to_toml(value)
            for name, value in (
                ("url", context.url),
                ("ca_file", context.ca_file),
                ("show_add_ons", context.show_add_ons),
            )
            if value is not None
        }
        for context in configuration.contexts
    }
    file = paths.configuration_file()
    paths.private_folder(file.parent)
    write_private(file, tomli_w.dumps(document).encode())


def choose_context(
    configuration: Configuration, name: str | None, environment: Mapping[str, str]
) -> Context:
    """Return the context to work in (docs/cli.md, Environment).

    In this order: `name`, TUI_LICENSES_URL, TUI_LICENSES_CONTEXT, the current one, the embedded
    lab cloud. TUI_LICENSES_CA_FILE replaces the `ca_file` of whichever it is.
    Raises `UseError` (`context-unknown`, `insecure-url`, `url-invalid`).
    """
    context = _named_context(configuration, name, environment)
    ca_file = environment.get("TUI_LICENSES_CA_FILE")
    if ca_file and context.url is not None:
        context = replace(context, ca_file=Path(ca_file))
    return context


def credentials_from_environment(environment: Mapping[str, str]) -> Credentials | None:
    """Return the sign-in that the environment gives, or None.

    Raises `UseError` (`invalid-request`) where it gives only half of one.
    """
    subject_id = environment.get(SUBJECT_VARIABLE, "")
    refresh_token = environment.get("TUI_LICENSES_REFRESH_TOKEN", "")
    if not subject_id and not refresh_token:
        return None
    if not subject_id or not refresh_token:
        raise UseError(
            "invalid-request",
            "The environment gives only half of a sign-in.",
            "Set both TUI_LICENSES_SUBJECT_ID and TUI_LICENSES_REFRESH_TOKEN, or neither.",
        )
    return Credentials(subject_id, refresh_token)


def copy_owner(context: Context, environment: Mapping[str, str]) -> str:
    """Return whose inventory a local copy is: another cloud or another subject has another one."""
    if context.url is not None:
        # Whoever signs in to a context has its copy removed; the environment may name anybody.
        return f"{context.url}\n{environment.get(SUBJECT_VARIABLE, '')}"
    try:
        # An embedded cloud that was made anew is another file.
        return f"embedded\n{paths.embedded_database_file().stat().st_ino}"
    except OSError:
        return ""


def check_context_name(name: str) -> str:
    """Return a name that a new context may have; raises `UseError` (`context-name-invalid`).

    The name becomes a file name, and two names are taken.
    """
    if not _NAME.fullmatch(name) or name in {EMBEDDED_NAME, ENVIRONMENT_NAME}:
        raise UseError(
            "context-name-invalid",
            f"“{clean(name)}” cannot be the name of a context.",
            "Use up to 64 letters, digits, hyphens and underscores; "
            f"{EMBEDDED_NAME} and {ENVIRONMENT_NAME} are taken.",
        )
    return name


def _named_context(
    configuration: Configuration, name: str | None, environment: Mapping[str, str]
) -> Context:
    if name is None and environment.get("TUI_LICENSES_URL"):
        return Context(ENVIRONMENT_NAME, check_url(environment["TUI_LICENSES_URL"]))
    chosen = name or environment.get("TUI_LICENSES_CONTEXT") or configuration.current
    known = {context.name: context for context in configuration.contexts}
    known.setdefault(EMBEDDED_NAME, EMBEDDED_CONTEXT)
    if chosen is None:
        return known[EMBEDDED_NAME]
    if chosen not in known:
        raise UseError(
            "context-unknown",
            f"There is no context “{clean(chosen)}”.",
            "List the contexts with `tui-licenses context list`, "
            "or add one with `tui-licenses login --url URL`.",
        )
    return known[chosen]


def _to_toml(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def _invalid(file: Path, line: int, reason: str) -> UseError:
    return UseError(
        "configuration-invalid",
        f"Line {line} of {file}: {reason}.",
        "Correct that line, or move the file away to start with the defaults.",
    )


class _Reader:
    """Reads one parsed file strictly, and finds the line of what it refuses."""

    def __init__(self, file: Path, text: str) -> None:
        self._file = file
        self._lines = text.splitlines()

    def configuration(self, document: dict[str, Any]) -> Configuration:
        self._check(document, _TOP, "")
        contexts = tuple(
            self._context(name, table) for name, table in document.get("contexts", {}).items()
        )
        current = document.get("current")
        if current is not None and current not in {*(c.name for c in contexts), EMBEDDED_NAME}:
            raise self._error("current", f"there is no context “{clean(current)}”")
        return Configuration(self._settings(document.get("settings", {})), contexts, current)

    def _settings(self, table: dict[str, Any]) -> Settings:
        self._check(table, _SETTINGS, "settings")
        for name, (least, greatest) in _RANGES.items():
            if name in table and not least <= table[name] <= greatest:
                raise self._error(name, f"{name} lies between {least} and {greatest}")
        if table.get("theme", "dark") not in THEMES:
            raise self._error("theme", f"theme is one of {', '.join(THEMES)}")
        values = dict(table)
        if "download_folder" in values:
            values["download_folder"] = Path(values["download_folder"]).expanduser()
        return Settings(**values)

    def _context(self, name: str, table: object) -> Context:
        if not isinstance(table, dict) or not _NAME.fullmatch(name) or name == ENVIRONMENT_NAME:
            raise self._error(name, f"“{clean(name)}” is not a context")
        self._check(table, _CONTEXT, f"contexts.{name}")
        url: str | None = table.get("url")
        if (url is None) is not (name == EMBEDDED_NAME):
            raise self._error(name, f"every context but {EMBEDDED_NAME} has a url, and only those")
        if url is not None:
            try:
                url = check_url(url)
            except UseError as error:
                raise self._error(url, error.message.rstrip(".")) from error
        ca_file = table.get("ca_file")
        return Context(
            name,
            url,
            None if ca_file is None else Path(ca_file).expanduser(),
            table.get("show_add_ons", False),
        )

    def _check(self, table: dict[str, Any], names: Mapping[str, type], where: str) -> None:
        for name, value in table.items():
            place = f" in [{where}]" if where else ""
            if name not in names:
                raise self._error(name, f"“{clean(name)}”{place} is not a setting")
            # bool is an int in Python, not in TOML.
            if type(value) is not names[name]:
                words = {bool: "true or false", int: "a whole number", str: "text in quotes"}
                wanted = words.get(names[name], "a table")
                raise self._error(name, f"“{name}”{place} takes {wanted}")

    def _error(self, wanted: str, reason: str) -> UseError:
        found = (index for index, line in enumerate(self._lines, 1) if wanted in line)
        return _invalid(self._file, next(found, 1), reason)
