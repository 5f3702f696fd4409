"""Basic credentials: what can be read, and what cannot."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror.http.auth import BasicCredentials, basic_credentials


def basic(text: bytes, scheme: str = "Basic") -> str:
    """Return the value of an Authorization field."""
    return f"{scheme} {base64.b64encode(text).decode()}"


@pytest.mark.parametrize(
    ("field", "name", "password"),
    [
        (basic(b"anna:s3cret"), "anna", b"s3cret"),
        (basic(b"anna:s3cret", "bAsIc"), "anna", b"s3cret"),
        (basic(b"anna:with:colons:"), "anna", b"with:colons:"),
        (basic(b":"), "", b""),
        (basic(b"anna:"), "anna", b""),
        (basic("änna:pässwörd".encode()), "änna", "pässwörd".encode()),
        # a password is bytes: what encoding it had is not for us to know
        (basic(b"anna:\xe4\0"), "anna", b"\xe4\0"),
        ("  " + basic(b"a:b").replace(" ", "   ") + "  ", "a", b"b"),
    ],
)
def test_credentials(field: str, name: str, password: bytes) -> None:
    assert basic_credentials(field) == BasicCredentials(name, password)


@pytest.mark.parametrize(
    "field",
    [
        *(None, "", "Basic", "Basic ", "Bearer abc", "Digest username=anna", "YW5uYTpzM2NyZXQ="),
        basic(b"no colon"),
        basic(b"\xff:password"),
        basic(b"a:b") + "!",
        basic(b"a:bc").rstrip("="),
        "Basic " + "YTpi" * 2000,
        "Basic ü",
    ],
)
def test_what_cannot_be_read_says_nothing(field: str | None) -> None:
    assert basic_credentials(field) is None


@given(st.text(max_size=80))
def test_no_text_stops_it(text: str) -> None:
    for field in (text, f"Basic {text}"):
        assert isinstance(basic_credentials(field), BasicCredentials | None)
