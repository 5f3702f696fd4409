"""Fetch everything from one mirror and compare. Several files at once, each in constant memory; never stops early."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from bundler.errors import BundleFormatError, BundlerError, ErrorId, SourceError
from bundler.model.bundle import INDEX_PATH, MAX_INDEX_BYTES
from mirror.probe.expectation import expectation
from mirror.probe.report import Finding, MirrorReport, Outcome, named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bundler.model.digest import Blob
    from bundler.model.progress import Progress, Task
    from mirror.probe.expectation import Expectation, Yardstick
    from mirror.probe.interface import Client

ATTEMPTS = 3
FIRST_PAUSE_S = 0.5
# every other SourceError: the mirror did not answer to the end
_OUTCOMES: Mapping[ErrorId, Outcome] = {
    ErrorId.SOURCE_NOT_FOUND: "missing",
    ErrorId.SOURCE_BUSY: "refused",
    ErrorId.SOURCE_REFUSED: "refused",
    ErrorId.SOURCE_UNAUTHORIZED: "refused",
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How a check is done.

    Arguments:
        jobs: files fetched at once.
        sleep: waits so many seconds before something is asked again.
        clock: seconds, monotonic.
    """

    jobs: int = 4
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


T = TypeVar("T")


class _TooLongError(Exception):
    """More bytes came than any file of that name may have."""


def check_mirror(url: str, client: Client, yardstick: Yardstick, progress: Progress, pace: Pace) -> MirrorReport:
    """Fetch everything that one mirror has to serve. What goes wrong is in the report, never raised."""
    task = progress.task(url, None)
    check = _Check(client, pace, task)
    began = pace.clock()
    try:
        index = check.read(str(INDEX_PATH), MAX_INDEX_BYTES)
        expected = expectation(yardstick, index, url)
        progress.expect(sum(blob.size for blob in expected.files.values()))
        findings = [*expected.findings, *check.findings(expected)]
    except BundlerError as failure:
        task.finish("failed")
        return MirrorReport(url, retries=check.retries, elapsed_s=pace.clock() - began, failure=failure)
    task.finish("as bundled" if not findings else f"{len(findings)} differences")
    return MirrorReport(
        url=url,
        bundle=expected.id,
        title=expected.title,
        files=len(expected.files),
        intact=len(expected.files) - len({finding.path for finding in findings}),
        findings=tuple(sorted(findings, key=lambda finding: (finding.path, finding.want))),
        retries=check.retries,
        received_bytes=check.received_bytes,
        elapsed_s=pace.clock() - began,
    )


@dataclass(slots=True)
class _Check:
    client: Client
    pace: Pace
    task: Task
    retries: int = 0
    received_bytes: int = 0
    lost: SourceError | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, path: str, max_bytes: int) -> bytes:
        """Return a small file, asked for several times if that helps."""

        def attempt() -> bytes:
            held = bytearray()
            with self.client.get(path) as reply:
                for chunk in reply.chunks:
                    held += chunk
                    if len(held) > max_bytes:
                        raise _TooLongError
            return bytes(held)

        try:
            return self._patiently(path, attempt)
        except _TooLongError as error:
            raise BundleFormatError(
                ErrorId.BUNDLE_INVALID,
                f"{path} has more than {max_bytes} bytes",
                remedy="Check that the URL is a mirror's.",
            ) from error

    def findings(self, expected: Expectation) -> list[Finding]:
        with ThreadPoolExecutor(self.pace.jobs, "probe") as pool:
            found = pool.map(lambda item: self._file(*item), expected.files.items())
            return [finding for of_file in found for finding in of_file]

    def _file(self, path: str, blob: Blob) -> list[Finding]:
        if self.lost is not None:
            return [Finding(path, "unreachable", named(blob), f"not asked for: {self.lost.what}")]
        try:
            return self._patiently(path, lambda: self._compare(path, blob))
        except SourceError as error:
            if error.id in (ErrorId.SOURCE_UNREACHABLE, ErrorId.SOURCE_TLS):
                # nothing else will come either, and every file would be waited for
                self.lost = error
            return [Finding(path, _OUTCOMES.get(error.id, "unreachable"), named(blob), error.what)]

    def _compare(self, path: str, blob: Blob) -> list[Finding]:
        digest, size, last = hashlib.sha256(), 0, b""
        try:
            with self.client.get(path) as reply:
                for chunk in reply.chunks:
                    digest.update(chunk)
                    size, last = size + len(chunk), chunk[-1:]
                    self._received(len(chunk))
                    if size > blob.size:
                        raise _TooLongError
        except _TooLongError:
            return [Finding(path, "differs", named(blob), f"more than {blob.size} bytes")]
        if (size, digest.hexdigest()) != (blob.size, blob.digest.hex):
            return [Finding(path, "differs", named(blob), f"{size} bytes sha256:{digest.hexdigest()}")]
        wrong = self.client.disagreements(path, blob, last, reply.told)
        return [Finding(path, "differs", want, got) for want, got in wrong]

    def _received(self, count: int) -> None:
        with self.lock:
            self.received_bytes += count
            self.task.advance(count)

    def _patiently(self, path: str, attempt: Callable[[], T]) -> T:
        """Return what the attempt returns; what is passing is tried again after a pause that doubles."""
        for failures in range(1, ATTEMPTS):
            try:
                return attempt()
            except SourceError as error:
                if not error.retryable:
                    raise
                with self.lock:
                    self.retries += 1
                    self.task.note(f"{path}: {error.what}; asking again (attempt {failures + 1} of {ATTEMPTS})")
            self.pace.sleep(FIRST_PAUSE_S * 2.0 ** (failures - 1))
        return attempt()
