"""An address is taken only where every reader finds the same host in it, and it is protected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_licenses.addresses import check_url
from tui_licenses.errors import UseError


@pytest.mark.parametrize(
    "url",
    [
        "https://cloud.example.com",
        "https://cloud.example.com:8443/licenses",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://127.8.9.10",
        "https://localhost",
        "https://10.0.0.1:8443",
        "https://xn--bcher-kva.example",
    ],
)
def test_https_and_literal_loopback_addresses_are_accepted(url: str) -> None:
    assert check_url(f" {url}/ ") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8080",
        "http://10.0.0.1",
        "ftp://a.example",
        "http://127.0.0.1.nip.io",
        "http://[::ffff:127.0.0.1]",
        "http://0.0.0.0",
    ],
)
def test_an_address_that_is_not_protected_is_refused(url: str) -> None:
    with pytest.raises(UseError) as caught:
        check_url(url)
    assert caught.value.code == "insecure-url"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cloud.example.com",
        "https://",
        "https://user:secret@a.example",
        "https://a.example/?x=1",
        "https://a.example/#x",
        "https://a.example:99999",
        "https://a.example:0",
        "https://[::1",
        "http://127.0.0.1@evil.example",
        "https://cloud.example\\@evil.example",
        "https://cloud.example%2eevil.example",
        "https://cloud.example.",
        "https://cloud..example",
        "https://bücher.example",
        "https://１２７.0.0.1",
        "https://127。0。0。1",
        "http://[fe80::1%eth0]",
        "http://[::1%25lo]",
        "http://127.1",
        "http://2130706433",
        "http://0x7f.0.0.1",
        "http://0177.0.0.1",
        "http://127.0.0.1:٨٠",
        "https://a.example:+80",
        "https://a.example/../x",
        "https://a.example//x",
        "https://a.exam\tple",
        "https://a.example\nHost: evil",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UseError) as caught:
        check_url(url)
    assert caught.value.code == "url-invalid"


@given(st.text())
def test_any_text_as_address_is_accepted_or_refused_in_plain_words(text: str) -> None:
    try:
        check_url(text)
    except UseError as error:
        assert "\x1b" not in error.message  # noqa: PT017


def test_a_scheme_has_no_case() -> None:
    assert check_url("HTTPS://cloud.example") == "https://cloud.example"
