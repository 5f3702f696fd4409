"""An unknown command names the one that was meant, in groups and subgroups of both programs."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from bundler.cli import bundler
from mirror.cli import mirror

PROGRAMS = {"bundler": bundler, "mirror": mirror}


def said(line: str) -> str:
    name, *words = line.split()
    done = CliRunner().invoke(PROGRAMS[name], words, prog_name=name)
    assert done.exit_code == 2
    return done.output


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("bundler buidl m.yaml", "`bundler build`"),
        ("bundler push --registry master", "`bundler push-images`"),
        ("bundler apply cloud", "`bundler site apply`"),
        ("bundler site verify", "`bundler verify`"),
        ("bundler store prnue", "`bundler store prune`"),
        ("bundler site chck", "`bundler site check`"),
        ("bundler site undoo", "`bundler site undo`"),
        ("bundler robot mk", ""),
        ("mirror sevre", "`mirror serve`"),
        ("mirror service instal", "`mirror service install`"),
        ("mirror install", "`mirror service install`"),
        ("mirror xyzzy", ""),
    ],
)
def test_an_unknown_command_names_the_one_that_was_meant(typed: str, meant: str) -> None:
    text = said(typed)
    assert "No such command" in text
    assert ("Did you mean" in text) is bool(meant)
    # the nearest comes first
    assert f"Did you mean {meant}" in text or not meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("bundler build m.yaml --lockd", "--locked"),
        ("bundler store info --jsno", "--json"),
        ("bundler site apply cloud --forse", "--force"),
        ("mirror serve --grce 1", "--grace"),
        ("mirror --verbos clients", "--verbose"),
        ("mirror clients --verbos", "--verbose"),
    ],
)
def test_an_unknown_option_does_so_too(typed: str, meant: str) -> None:
    text = said(typed)
    assert "No such option" in text
    assert meant in text.partition("No such option")[2]
