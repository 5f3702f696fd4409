"""The cluster as kubectl shows it: objects read as JSON, a patch sent.

Owns its command lines, and how its answers are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.host.changes import failed_command
from bundler.host.failure import ChangeFailedError
from bundler.model.json_value import load_foreign, objects
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.host.interface import CommandResult, Host

WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Kubectl:
    """The cluster of one kubeconfig.

    Arguments:
        request_s: how long the API server may take for a request, in seconds; 0 for kubectl's own patience.
        within_s: how long kubectl may run, in seconds.
    """

    kubeconfig: str
    request_s: int = 0
    within_s: float = WITHIN_S

    def command(self, *words: str) -> tuple[str, ...]:
        """Return a whole command line."""
        patience = (f"--request-timeout={self.request_s}s",) if self.request_s else ()
        return ("kubectl", f"--kubeconfig={self.kubeconfig}", *patience, *words)

    def run(self, host: Host, *words: str, stdin: bytes = b"") -> CommandResult:
        """Run kubectl, for as long as a request may take."""
        return host.run(self.command(*words), stdin=stdin, within_s=self.within_s)

    def read(self, host: Host, *words: str) -> Any:
        """Return what `kubectl get … --output=json` answers. Raises ChangeFailedError."""
        command = self.command("get", *words, "--output=json")
        done = host.run(command, within_s=self.within_s)
        if done.code != 0:
            raise ChangeFailedError(failed_command(command, done))
        try:
            return load_foreign(done.stdout)
        except ValueError as error:
            raise ChangeFailedError(failed_command(command, done._replace(code=1, stderr=str(error)))) from error


def listed(text: str) -> list[Mapping[str, Any]]:
    """Return the objects of a list that kubectl printed as JSON; what is none is left out, and no list has none."""
    try:
        return [*objects(mapping(load_foreign(text)).get("items"))]
    except ValueError:
        return []


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a part of an answer that is to be a mapping; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def last_line(done: CommandResult) -> str:
    """Return the last line that a command printed, or its status."""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else tr("exit {code}", code=done.code)
