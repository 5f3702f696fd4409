"""The recordings of the real programs, read: `tests/data/kubeedge-recordings`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

RECORDINGS = Path(__file__).parent.parent / "data" / "kubeedge-recordings"
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Recording:
    """One call of a real program.

    Arguments:
        stdin: what it read; None for a closed one.
        code: its exit code; 137 when it was ended after its time.
        changes: the lines of changed files, each beginning with - or +.
        host_commands: what it had the host do.
    """

    command: str
    stdin: bytes | None
    code: int
    stdout: str
    stderr: str
    changes: tuple[str, ...]
    host_commands: tuple[str, ...]

    @property
    def keadm_code(self) -> int:
        """keadm's own exit code, where the command did more than to call it."""
        found = re.search(r"^rc=(\d+)$", self.stdout, re.MULTILINE)
        return int(found[1]) if found else self.code

    @property
    def keadm_stdout(self) -> str:
        """What keadm itself printed."""
        return self.stdout.partition("rc=")[0]


def recording(name: str) -> Recording:
    """Return a recording by its file's name, without the ending."""
    text = (RECORDINGS / f"{name}.txt").read_text()
    parts = _SECTION.split(text)
    sections = {
        title.split(" (")[0]: body.removeprefix("\n") for title, body in zip(parts[1::2], parts[2::2], strict=True)
    }
    stdin = sections["stdin"].strip()
    changes = [line for line in sections["files and host commands: changes"].splitlines() if line[:1] in "+-"]
    marker = "+ [host command] "
    return Recording(
        command=sections["command"].strip(),
        stdin=None if stdin == "-" else b"" if stdin == "none" else stdin.replace("\\n", "\n").encode(),
        code=int(sections["exit code"].split()[0]),
        stdout=sections["stdout"],
        stderr=sections["stderr"],
        changes=tuple(line for line in changes if not line.startswith(marker)),
        host_commands=tuple(line.removeprefix(marker) for line in changes if line.startswith(marker)),
    )


def settings_file(name: str) -> str:
    """Return cloudcore.yaml or edgecore.yaml as keadm wrote it; addresses, name and token are words in capitals."""
    return (RECORDINGS / f"{name}.as-keadm-writes-it").read_text()
