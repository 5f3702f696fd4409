"""Variables in strings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.model.platform import Platform
from bundler.model.scope import MAX_EXPANDED_CHARACTERS, Scope, did_you_mean, uses_platform
from bundler.model.source_text import Position, Scalar

HERE = Position("m", 3, 7)
ARM = Platform("linux", "arm", "v7")


def expand(text: str, platform: Platform | None = None, **variables: str) -> tuple[str, list[str]]:
    scope = Scope(variables, (ARM,))
    return scope.expand(Scalar(text, text, HERE), platform), [str(problem) for problem in scope.problems.errors]


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("v${kubeedge}-x", "v1.11.1-x"),
        ("${kubeedge}${kubeedge}", "1.11.11.11.1"),
        ("$${kubeedge}", "${kubeedge}"),
        ("$$$$", "$$"),
        ("$${$$}", "${$}"),
        ("${os}/${arch}/${variant}", "linux/arm/v7"),
        ("${machine}", "armv7l"),
        ("${dollar}", "${kubeedge}"),
        ("plain", "plain"),
    ],
)
def test_expansion(text: str, expanded: str) -> None:
    assert expand(text, ARM, kubeedge="1.11.1", dollar="${kubeedge}") == (expanded, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("${kubedge}", "undefined variable 'kubedge'; did you mean 'kubeedge'?"),
        ("${}", "undefined variable ''"),
        ("${arch}", "undefined variable 'arch'"),
        ("$5", "a lone '$'; write '$$' for a dollar, '${name}' for a variable"),
        ("${open", "a lone '$'; write '$$' for a dollar, '${name}' for a variable"),
    ],
)
def test_what_cannot_be_expanded_is_reported_and_left(text: str, problem: str) -> None:
    assert expand(text, kubeedge="1") == (text, [f"m:3:7: {problem}"])


@given(st.text("$ab", max_size=20))
def test_doubled_dollars_stand_for_themselves(text: str) -> None:
    assert expand(text.replace("$", "$$")) == (text, [])


def test_an_expansion_has_a_limit() -> None:
    long = "x" * MAX_EXPANDED_CHARACTERS
    assert expand("${long}", long=long) == (long, [])
    assert expand("${long}y", long=long) == (
        "${long}y",
        [f"m:3:7: expands to more than {MAX_EXPANDED_CHARACTERS} characters"],
    )


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("${arch}", True),
        ("a${os}b", True),
        ("${variant}", True),
        ("x-${machine}", True),
        ("$${arch}", False),
        ("${archive}", False),
        ("arch", False),
    ],
)
def test_strings_that_differ_by_platform(text: str, uses: bool) -> None:
    assert uses_platform(text) is uses


def test_a_manifest_that_had_a_variable_called_machine_keeps_it() -> None:
    assert expand("${machine}", ARM, machine="press") == ("press", [])
    assert not uses_platform("${machine}", {"machine"})


@pytest.mark.parametrize(
    ("word", "hint"),
    [("plaforms", "; did you mean 'platforms'?"), ("nmae", "; did you mean 'name'?"), ("telemetry", ""), ("", "")],
)
def test_did_you_mean(word: str, hint: str) -> None:
    assert did_you_mean(word, ("name", "platforms", "release")) == hint
    assert did_you_mean(word, {"name": 1, "platforms": 2}) == hint
