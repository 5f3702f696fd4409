"""A mirror in memory, and what is wrong with it: an implementation of `mirror.probe.interface.MirrorClient`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mirror.probe.interface import Disagreement, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bundler.errors import SourceError
    from bundler.model.digest import Blob

PIECE_BYTES = 7


@dataclass(slots=True)
class MemoryMirror:
    """Serves `files`.

    Arguments:
        failures: path -> what the next requests for it raise, in order; then it is served.
        always: path -> what every request for it raises.
        disagreeing: paths whose other answers do not fit.
        asked: every path, in the order of the requests.
    """

    files: dict[str, bytes]
    failures: dict[str, list[SourceError]] = field(default_factory=dict)
    always: dict[str, SourceError] = field(default_factory=dict)
    disagreeing: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    @contextmanager
    def get(self, path: str) -> Iterator[Reply]:
        """Serve in small pieces."""
        self.asked.append(path)
        if path in self.always:
            raise self.always[path]
        if self.failures.get(path):
            raise self.failures[path].pop(0)
        data = self.files[path]
        yield Reply({}, iter([data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)]))

    def disagreements(self, path: str, blob: Blob, last_byte: bytes, told: Mapping[str, str]) -> list[Disagreement]:
        """Disagree where it was said to."""
        del told
        assert last_byte == self.files[path][-1:]
        assert blob.size == len(self.files[path])
        return [Disagreement("one answer", "another")] if path in self.disagreeing else []

    def close(self) -> None:
        """Nothing to let go of."""
