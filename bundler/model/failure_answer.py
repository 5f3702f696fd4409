"""A failed command's answer for a program: one JSON object, the same of every command. docs/errors.md, "For programs".

Owns its keys, the ids of failures that are no `BundlerError`, and when it is wanted. Prints nothing (`console` does).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.errors import BundlerError
    from bundler.model.json_value import Json

FLAG = "--json"
# what Click takes for a flag's true
_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a command failed.

    Arguments:
        id: of docs/errors.md; or `usage`, `interrupted`, `terminated`, `bug`.
        code: the exit code.
        what: one sentence.
        where: the file, URL or image that it concerns, or "".
        remedy: what to do next.
        problems: a line each for what else is wrong.
    """

    id: str
    code: int
    what: str
    where: str = ""
    remedy: str = "Run the same command again."
    problems: Sequence[str] = ()

    @classmethod
    def of(cls, error: BundlerError) -> Failure:
        """Return what an error says."""
        return cls(str(error.id), error.exit_code, error.sentence, error.where, error.remedy, error.problems)

    def value(self, program: str) -> dict[str, Json]:
        """Return the object; `program` is the one that failed."""
        return {
            "schema": f"{program}.error/1",
            "id": self.id,
            "code": self.code,
            "what": self.what,
            "where": self.where or None,
            "remedy": self.remedy,
            **({"problems": list(self.problems)} if self.problems else {}),
        }


def wants_json(program: str, arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Tell whether a command line asks for JSON, also where it is otherwise wrong.

    Arguments:
        program: `bundler` or `mirror`.
        arguments: those of the program; what stands behind `--` is no option.
        environment: every option has a variable.
    """
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return FLAG in options or environment.get(f"{program.upper()}_JSON", "").strip().lower() in _TRUE
