"""An environment variable is read by every command of its program, so it means one thing in all of them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import click

from bundler.output_options import OutputOption
from tests.contract.command_line import commands

if TYPE_CHECKING:
    from collections.abc import Iterator

# the meaning that variables have in commands that say it in words of their own
REWORDED = {
    "BUNDLER_CA_FILE": "whom to trust beside the system's authorities, whatever is fetched or pushed",
    "BUNDLER_DRY_RUN": "whether to change nothing at a registry, and say what would be",
    "BUNDLER_JOBS": "how many transfers run at once",
    "BUNDLER_ROOT": "the directory that holds the bundle, or several side by side",
}
# commands whose --root is no choice among others; all the rest have one default
NO_DEFAULT_ROOT = {
    ("bundler", "unpack"): "wants -C or --root, and guesses neither",
    ("bundler", "site", "join"): "is what site.yaml says",
    ("mirror", "verify"): "is one of three things to compare with",
}


class Meaning(NamedTuple):
    """What a value of a variable becomes."""

    name: str
    kind: str
    shape: str | None
    repeatable: bool
    converter: str


def _options() -> Iterator[tuple[tuple[str, ...], click.Option]]:
    for words, command in commands().items():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield words, parameter


def _meaning(option: click.Option) -> Meaning:
    converter = "" if option.callback is None else f"{option.callback.__module__}.{option.callback.__qualname__}"
    kind = str(sorted(option.type.to_info_dict().items()))
    return Meaning(_long(option), kind, option.metavar, option.multiple, converter)


def _long(option: click.Option) -> str:
    return next(name for name in option.opts if name.startswith("--"))


def _has_none(words: tuple[str, ...], option: click.Option) -> bool:
    """Tell whether an option needs no variable: --version, and for a command what its program has one for."""
    return _long(option) == "--version" or (isinstance(option, OutputOption) and len(words) > 1)


def test_every_variable_becomes_the_same_value_in_every_command() -> None:
    found: dict[str, dict[Meaning, list[str]]] = defaultdict(lambda: defaultdict(list))
    for words, option in _options():
        if isinstance(option.envvar, str):
            found[option.envvar][_meaning(option)].append(" ".join(words))
    assert len(found) > 100
    assert {variable: dict(meanings) for variable, meanings in found.items() if len(meanings) > 1} == {}


def test_every_variable_is_explained_in_the_same_words() -> None:
    texts: dict[str, set[str]] = defaultdict(set)
    for _, option in _options():
        if isinstance(option.envvar, str):
            texts[option.envvar].add(option.help or "")
    assert {variable for variable, said in texts.items() if len(said) > 1} == set(REWORDED)


def test_the_programs_share_no_variable_and_every_option_has_one_of_its_own_program() -> None:
    strange = [
        f"{' '.join(words)} {_long(option)}: {option.envvar}"
        for words, option in _options()
        if not _has_none(words, option) and not str(option.envvar).startswith(f"{words[0].upper()}_")
    ]
    assert strange == []


def test_every_root_is_the_same_by_default() -> None:
    defaults = {words: option.default for words, option in _options() if _long(option) == "--root"}
    assert {str(default) for words, default in defaults.items() if words not in NO_DEFAULT_ROOT} == {"/opt"}
    assert set(NO_DEFAULT_ROOT) < set(defaults)
