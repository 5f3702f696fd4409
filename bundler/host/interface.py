"""One host, as far as steps touch it: commands, files, ports, and what answers on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class CommandResult(NamedTuple):
    """How a command ended; 127 when there is no such program, 124 when it did not end in time."""

    code: int
    stdout: str
    stderr: str


class HttpAnswer(NamedTuple):
    """What was answered over HTTP: status and text."""

    status: int
    text: str


class Host(Protocol):
    """Commands and files of one host. Files raise StorageError."""

    def run(self, command: Sequence[str]) -> CommandResult:
        """Run a program with these arguments, without a shell or input."""

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None when there is no such file."""

    def write(self, path: str, data: bytes, mode: int | None = None) -> None:
        """Replace a file in one step, making the directories above it.

        Arguments:
            mode: None for the one that the file has; a new one is then 0644.
        """

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens when it is gone."""

    def remove_directory(self, path: str) -> None:
        """Remove a directory that holds nothing; any other one stays."""

    def exists(self, path: str) -> bool:
        """Tell whether there is anything at a path."""

    def is_root(self) -> bool:
        """Tell whether changes are allowed."""

    def listens(self, address: str, port: int) -> bool:
        """Tell whether somebody accepts a TCP connection."""

    def http_get(self, address: str, port: int, path: str, *, tls: bool) -> HttpAnswer | None:
        """Ask what listens there for a page; None when nothing answers. Nobody's certificate is checked."""
