"""WWW-Authenticate, RFC 9110 section 11.6.1."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.net.registry.challenge import MAX_HEADER_CHARACTERS, Challenge, parse_challenges

TOKENS = st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=30)
SPACES = st.sampled_from(["", " ", "\t", "  "])
COMMAS = st.sampled_from([",", ", ", " ,", ",,", " , ,\t"])


@st.composite
def parameter_texts(draw: st.DrawFn) -> tuple[str, str, str]:
    """A name, a value, and one of the ways to write them."""
    name, value = draw(TOKENS), draw(VALUES)
    bare = bool(re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", value)) and draw(st.booleans())
    written = value if bare else '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    return name, value, f"{name}{draw(SPACES)}={draw(SPACES)}{written}"


@st.composite
def challenge_texts(draw: st.DrawFn) -> tuple[Challenge, str]:
    """A challenge and one of the ways to write it."""
    scheme = draw(TOKENS)
    if draw(st.booleans()) and (token68 := draw(st.from_regex(r"[A-Za-z0-9._~+/-]{1,20}={0,2}", fullmatch=True))):
        return Challenge(scheme.lower(), {}, token68), f"{scheme} {token68}"
    parameters = draw(st.lists(parameter_texts(), max_size=4, unique_by=lambda item: item[0].lower()))
    written = ""
    for number, (_, _, text) in enumerate(parameters):
        written += (draw(COMMAS) if number else " ") + text
    return Challenge(scheme.lower(), {name.lower(): value for name, value, _ in parameters}), scheme + written


@given(st.lists(challenge_texts(), max_size=4), COMMAS)
def test_whatever_was_written_is_read_back(challenges: list[tuple[Challenge, str]], comma: str) -> None:
    assert parse_challenges(comma.join(text for _, text in challenges)) == tuple(made for made, _ in challenges)


@given(st.text(max_size=200) | st.text(st.sampled_from(' ,="\\Bearer\t'), max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert all(challenge.scheme for challenge in parse_challenges(text))


def test_docker_hub() -> None:
    header = 'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"'
    assert parse_challenges(header) == (
        Challenge(
            "bearer",
            {
                "realm": "https://auth.example/token",
                "service": "registry.example",
                "scope": "repository:a/b:pull,push",
            },
        ),
    )


def test_several_schemes_in_one_field() -> None:
    header = 'Negotiate, Basic realm="a \\"quoted\\", comma", charset="UTF-8", NTLM TlRMTVNTUA==, Bearer realm=x'
    assert [(found.scheme, dict(found.parameters), found.token68) for found in parse_challenges(header)] == [
        ("negotiate", {}, ""),
        ("basic", {"realm": 'a "quoted", comma', "charset": "UTF-8"}, ""),
        ("ntlm", {}, "TlRMTVNTUA=="),
        ("bearer", {"realm": "x"}, ""),
    ]


def test_forgotten_quotes() -> None:
    (found,) = parse_challenges("Bearer realm=https://auth.example/token?a=b,service=s")
    assert found.parameters == {"realm": "https://auth.example/token?a=b", "service": "s"}


def test_the_first_of_a_repeated_parameter_counts() -> None:
    assert parse_challenges('Basic realm="a", REALM="b"')[0].parameters == {"realm": "a"}


@pytest.mark.parametrize("header", ["", " , ,\t"])
def test_nothing_is_no_challenge(header: str) -> None:
    assert parse_challenges(header) == ()


@pytest.mark.parametrize(
    "header", ['Bearer realm="unclosed', '="x"', '"Basic"', "x" * (MAX_HEADER_CHARACTERS + 1), "Bearer (x)"]
)
def test_something_else_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match="character"):
        parse_challenges(header)
