"""The cluster as kubectl shows it: objects read as JSON, a patch sent. Owns its command lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.host.changes import failed_command
from bundler.host.failure import ChangeFailedError
from bundler.model.json_value import load_foreign

if TYPE_CHECKING:
    from bundler.host.interface import CommandResult, Host

WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Kubectl:
    """The cluster of one kubeconfig."""

    kubeconfig: str

    def command(self, *words: str) -> tuple[str, ...]:
        """Return a whole command line."""
        return ("kubectl", f"--kubeconfig={self.kubeconfig}", *words)

    def run(self, host: Host, *words: str, stdin: bytes = b"") -> CommandResult:
        """Run kubectl, for as long as a request may take."""
        return host.run(self.command(*words), stdin=stdin, within_s=WITHIN_S)

    def read(self, host: Host, *words: str) -> Any:
        """Return what `kubectl get … --output=json` answers. Raises ChangeFailedError."""
        command = self.command("get", *words, "--output=json")
        done = host.run(command, within_s=WITHIN_S)
        if done.code != 0:
            raise ChangeFailedError(failed_command(command, done))
        try:
            return load_foreign(done.stdout)
        except ValueError as error:
            raise ChangeFailedError(failed_command(command, done._replace(code=1, stderr=str(error)))) from error
