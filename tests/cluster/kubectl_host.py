"""A host in memory whose kubectl is real: what a step writes stays in memory, what it asks of a cluster is so."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.host.interface import CommandResult
from tests.fakes.cluster import HostWithKubectl

if TYPE_CHECKING:
    from collections.abc import Sequence

_FILE = "--patch-file="


@dataclass(slots=True)
class KubectlHost(HostWithKubectl):
    """See above.

    Arguments:
        scratch: where files that kubectl is to read lie meanwhile.
    """

    scratch: Path = field(default_factory=Path)

    def kubectl(self, command: Sequence[str]) -> CommandResult:
        done = subprocess.run(
            [self._with_file(word) for word in command], capture_output=True, text=True, check=False, timeout=120
        )
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def _with_file(self, word: str) -> str:
        if not word.startswith(_FILE):
            return word
        copy = self.scratch / "patch.json"
        copy.write_bytes(self.files[word.removeprefix(_FILE)])
        return f"{_FILE}{copy}"
