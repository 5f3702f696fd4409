"""Every file of a bundle compared with its digest while it is served: the walk, and how far one is.

Owns no decision on when that is done, and none on what becomes of a file that is not the listed one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from mirror.tree.quarantine import hash_again

if TYPE_CHECKING:
    from mirror.tree.served import File
    from mirror.tree.served_bundle import ServedBundle


class Comparison(NamedTuple):
    """How far a comparison is.

    Arguments:
        is_over: whether every file was looked at.
        files: that were looked at.
        size: bytes that were read.
        wrong: files that are not the listed ones.
        ended_s: when it was over, in seconds since the epoch; 0 before.
    """

    is_over: bool
    files: int
    size: int
    wrong: int
    ended_s: int = 0


class ComparisonWatcher(Protocol):
    """Who is told of a comparison while it goes on."""

    def read(self, size: int) -> None:
        """Take note that so many bytes were read."""

    def found_wrong(self, number: int, file: File) -> None:
        """Take note of a file that is not the listed one."""

    def file_ended(self) -> bool:
        """Take note that one more file was looked at; return whether the next one is wanted."""


def compare(bundle: ServedBundle, watcher: ComparisonWatcher) -> bool:
    """Read every file of a bundle that is served, and compare; return whether it came to the end.

    A file that is refused already is passed over. One that was replaced since the bundle was loaded is right as long as
    its bytes are the listed ones.
    """
    for number in range(len(bundle)):
        file = bundle.file(number)
        if file.identity is None:
            watcher.read(file.size)
        elif hash_again(file, watcher.read)[0] is None:
            watcher.found_wrong(number, file)
        if not watcher.file_ended():
            return False
    return True
