"""Countries of ISO 3166-1, by code and by name."""

from __future__ import annotations

from collections.abc import Mapping

from tui_licenses.domain.iso_3166 import COUNTRY_NAMES
from tui_licenses.errors import UseError
from tui_licenses.text import searchable


def country_names() -> Mapping[str, str]:
    """Return every alpha-2 code with its common English name, sorted by name."""
    return COUNTRY_NAMES


def country_name(code: str) -> str:
    """Return the name of a country, or its code where ISO 3166-1 knows none."""
    return country_names().get(code, code)


def check_country(code: str) -> str:
    """Return the upper-case alpha-2 code; raises `UseError` (`invalid-request`) if unknown."""
    upper = code.strip().upper()
    if upper not in country_names():
        raise UseError(
            "invalid-request",
            "This is no ISO 3166 country code.",
            "Give two letters, such as DE for Germany or JP for Japan.",
        )
    return upper


def search_countries(text: str) -> tuple[tuple[str, str], ...]:
    """Return (code, name) of the countries that match a typed text, best match first."""
    wanted = text.strip().lower()
    if not wanted:
        return tuple(country_names().items())
    ranked: list[tuple[int, str, str]] = []
    for code, name in country_names().items():
        forms = searchable(name)
        if code.lower() == wanted:
            ranked.append((0, name, code))
        elif any(form.startswith(wanted) for form in forms.split("\n")):
            ranked.append((1, name, code))
        elif any(word.startswith(wanted) for word in forms.split()):
            ranked.append((2, name, code))
        elif wanted in forms:
            ranked.append((3, name, code))
    return tuple((code, name) for _, name, code in sorted(ranked))
