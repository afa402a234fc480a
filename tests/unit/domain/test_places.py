"""Instances have checked names and real countries; accounts have plans; files have safe names."""

from __future__ import annotations

from pathlib import PurePosixPath

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.values import make_instance, make_key
from tui_licenses.domain import file_names
from tui_licenses.domain.account import has_licenses_tab, plan_name
from tui_licenses.domain.countries import (
    check_country,
    country_name,
    country_names,
    search_countries,
)
from tui_licenses.domain.instance import check_name
from tui_licenses.errors import UseError


@pytest.mark.parametrize("name", ["Berlin", "  Berlin ", "名前", "a" * 120, "host[/prod]"])
def test_a_printable_name_is_accepted_and_trimmed(name: str) -> None:
    assert check_name(name) == name.strip()


def test_the_countries_are_those_of_pycountry_sorted_by_name() -> None:
    names = {
        country.alpha_2: getattr(country, "common_name", country.name)
        for country in pycountry.countries
    }
    assert list(country_names().items()) == sorted(names.items(), key=lambda item: item[1])


@pytest.mark.parametrize("name", ["", "   ", "a" * 121, "a\x1bb", "a\u202eb", "a\nb"])
def test_an_empty_long_or_hidden_name_is_refused(name: str) -> None:
    with pytest.raises(UseError) as caught:
        check_name(name)
    assert caught.value.code == "invalid-request"
    assert "\x1b" not in str(caught.value)


def test_an_instance_has_a_profile_from_its_first_revision_on() -> None:
    assert make_instance(profile_revision=1).has_profile
    assert not make_instance(profile_revision=0).has_profile


@pytest.mark.parametrize(
    ("plan", "has_tab"), [("Pro", True), ("ProPlus", True), ("Enterprise", True), ("OmniD", False)]
)
def test_only_legacy_plans_have_the_licenses_tab(plan: str, has_tab: bool) -> None:
    assert has_licenses_tab(plan) is has_tab


def test_plans_are_shown_as_people_write_them() -> None:
    assert [plan_name(plan) for plan in ("ProPlus", "OmniD", "Pro")] == ["Pro+", "Omni-D", "Pro"]


def test_a_country_code_is_known_or_refused() -> None:
    assert check_country(" de ") == "DE"
    for unknown in ("ZZ", "DEU", ""):
        with pytest.raises(UseError, match="ISO 3166"):
            check_country(unknown)


def test_a_country_has_its_common_name_and_an_unknown_one_keeps_its_code() -> None:
    assert (country_name("DE"), country_name("TW"), country_name("ZZ")) == (
        "Germany",
        "Taiwan",
        "ZZ",
    )


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("de", "DE"),
        ("japan", "JP"),
        ("kingdom", "GB"),
        ("ermany", "DE"),
        ("cote", "CI"),
        ("", "AF"),
    ],
)
def test_the_best_match_comes_first(text: str, first: str) -> None:
    assert search_countries(text)[0][0] == first


def test_what_matches_no_country_finds_none() -> None:
    assert search_countries("qqqq") == ()


def test_downloads_are_named_after_instance_and_key() -> None:
    instance, key = make_instance(name="Berlin Mitte"), make_key()
    assert file_names.license_file_name(instance) == "berlin-mitte-11111111-license.bin"
    assert file_names.manifest_name(instance) == "berlin-mitte-11111111-manifest.json"
    assert file_names.profile_name(instance) == "berlin-mitte-11111111-profile.xml"
    assert file_names.certificate_name(key) == "berlin-5678-22222222-certificate.pdf"
    idle = make_key(instance_name=None)
    assert file_names.certificate_name(idle) == "core-5678-22222222-certificate.pdf"


@given(st.text(), st.text(), st.text())
def test_no_answer_can_lead_out_of_a_folder(name: str, identifier: str, key: str) -> None:
    instance = make_instance(id=identifier, name=name)
    owned = make_key(id=identifier, key=key, instance_name=name)
    for made in (
        file_names.license_file_name(instance),
        file_names.manifest_name(instance),
        file_names.profile_name(instance),
        file_names.certificate_name(owned),
    ):
        assert PurePosixPath(made).name == made
        assert made.isascii()
        assert not made.startswith((".", "-"))
        assert len(made) < 100
