"""A cluster in memory behind `kubectl`: DaemonSets that are read and patched (RFC 6902), each change a new version."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bundler.host.interface import COMMAND_WITHIN_S, NO_ENVIRONMENT, CommandResult
from tests.fakes.host import MemoryHost
from tests.stand_ins.daemon_sets import with_patch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

INVALID = CommandResult(
    1, "", "Error from server (Invalid): The request is invalid: the server rejected our request due to an error\n"
)


@dataclass(slots=True)
class HostWithKubectl(MemoryHost):
    """A host in memory, but for what it asks kubectl."""

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] = NO_ENVIRONMENT,
        within_s: float = COMMAND_WITHIN_S,
        stop_at: bytes = b"",
        shows_progress: bool = False,
    ) -> CommandResult:
        """Ask kubectl; everything else as ever."""
        del within_s, stop_at, shows_progress
        if command[0] == "kubectl":
            return self.kubectl(command)
        return MemoryHost.run(self, command, stdin=stdin, environment=environment)

    def kubectl(self, command: Sequence[str]) -> CommandResult:
        """Return what kubectl answers."""
        raise NotImplementedError


@dataclass(slots=True)
class ClusterHost(HostWithKubectl):
    """A host whose kubectl talks to this cluster.

    Arguments:
        daemon_sets: as the API gives them.
        answers_at_all: whether the API server does.
        before_patch: called before each patch that is meant: what somebody else does meanwhile.
        patches: what was sent, in order.
    """

    daemon_sets: list[dict[str, Any]] = field(default_factory=list)
    answers_at_all: bool = True
    before_patch: Callable[[ClusterHost], None] = lambda _: None
    patches: list[Any] = field(default_factory=list)

    def kubectl(self, command: Sequence[str]) -> CommandResult:
        if not self.answers_at_all:
            return CommandResult(1, "", "The connection to the server 192.0.2.1:6443 was refused\n")
        words = [word for word in command[1:] if not word.startswith("--")]
        options = dict(word.removeprefix("--").split("=", 1) for word in command[1:] if "=" in word)
        if words == ["get", "/readyz"]:
            return CommandResult(0, "ok", "")
        if words == ["get", "daemonsets"]:
            return CommandResult(0, json.dumps({"items": self.daemon_sets}), "")
        found = self.named(options["namespace"], words[2])
        if words[0] == "get":
            return CommandResult(0, json.dumps(found), "")
        return self._patched(found, options)

    def named(self, space: str, name: str) -> dict[str, Any]:
        """Return the DaemonSet of that name."""
        (found,) = (
            one for one in self.daemon_sets if one["metadata"]["name"] == name and one["metadata"]["namespace"] == space
        )
        return found

    def _patched(self, found: dict[str, Any], options: Mapping[str, str]) -> CommandResult:
        data = self.files[options["patch-file"]] if "patch-file" in options else options["patch"].encode()
        dry = options.get("dry-run") == "server"
        if not dry:
            self.before_patch(self)
        patched = with_patch(found, json.loads(data))
        if patched is None:
            return INVALID
        if not dry:
            self.patches.append(json.loads(data))
            found.clear()
            found.update(patched)
            touch(found)
        return CommandResult(0, "patched\n", "")


def touch(daemon_set: dict[str, Any]) -> None:
    """Give it another version, as every change does; its controller has seen it."""
    metadata = daemon_set["metadata"]
    metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
    metadata["generation"] += 1
    daemon_set["status"]["observedGeneration"] = metadata["generation"]
