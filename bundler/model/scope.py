"""Variables of a manifest: `${name}` in any string, `$$` for a dollar, `${os} ${arch} …` per platform."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.model.source_text import Problems
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bundler.model.platform import Platform
    from bundler.model.source_text import Scalar

PLATFORM_VARIABLES = ("os", "arch", "variant")
# came later, so a manifest may have declared it for something else: its own one wins
MACHINE_VARIABLE = "machine"
# variables that use variables could otherwise grow without bound
MAX_EXPANDED_CHARACTERS = 8192
# comparing words costs more than all other reading; beyond so many problems it is left out
MAX_HINTED_PROBLEMS = 100
_VARIABLE = re.compile(r"\$(?:\$|\{([^{}]*)\}|)")


def uses_platform(text: str, declared: Collection[str] = ()) -> bool:
    """Tell whether a string differs from platform to platform.

    Arguments:
        declared: the manifest's own variables.
    """
    names = {*PLATFORM_VARIABLES, *({MACHINE_VARIABLE} - set(declared))}
    return any(match.group(1) in names for match in _VARIABLE.finditer(text))


@dataclass(frozen=True, slots=True)
class Scope:
    """What an entry is read against: the manifest's variables and platforms, and where problems go."""

    variables: Mapping[str, str]
    platforms: tuple[Platform, ...]
    problems: Problems = field(default_factory=Problems)

    def expand(self, scalar: Scalar, platform: Platform | None = None) -> str:
        """Return the scalar's string with its variables replaced.

        `${os}`, `${arch}`, `${variant}`, `${machine}` are defined only where a platform is given. An undefined variable
        or a lone dollar is reported at the scalar's position and left as it stands, as is a string that grows beyond
        `MAX_EXPANDED_CHARACTERS`.
        """
        known = dict(self.variables)
        if platform is not None:
            known = {MACHINE_VARIABLE: platform.machine} | known
            known |= {"os": platform.os, "arch": platform.arch, "variant": platform.variant}

        def replacement(match: re.Match[str]) -> str:
            name = match.group(1)
            if match.group() == "$$":
                return "$"
            if name is None:
                self.problems.error(
                    scalar.position, tr("a lone '$'; write '$$' for a dollar, '${name}' for a variable")
                )
            elif name in known:
                return known[name]
            else:
                self.problems.error(
                    scalar.position, tr("undefined variable {name!r}{hint}", name=name, hint=self.hint(name, known))
                )
            return match.group()

        expanded = _VARIABLE.sub(replacement, str(scalar.value))
        if len(expanded) > MAX_EXPANDED_CHARACTERS:
            self.problems.error(
                scalar.position,
                tr(
                    "expands to more than {max_expanded_characters} characters",
                    max_expanded_characters=MAX_EXPANDED_CHARACTERS,
                ),
            )
            return str(scalar.value)
        return expanded

    def hint(self, word: str, known: Mapping[str, object] | tuple[str, ...] | list[str]) -> str:
        """Return `did_you_mean` for one of the first problems, "" for the later ones of a hopeless manifest."""
        return did_you_mean(word, known) if len(self.problems.errors) < MAX_HINTED_PROBLEMS else ""


def did_you_mean(word: str, known: Mapping[str, object] | tuple[str, ...] | list[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest known word, or ""."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return tr("; did you mean {near!r}?", near=near[0]) if near else ""
