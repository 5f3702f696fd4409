"""Fetch everything from one mirror and compare. Several files at once, each in constant memory; never stops early."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.errors import BundleFormatError, BundlerError, ErrorId
from bundler.model.bundle import INDEX_PATH, MAX_INDEX_BYTES, SUMS_PATH
from bundler.translation import tr
from mirror.probe.comparing import compared
from mirror.probe.expected import expectation
from mirror.probe.mirror_report import Finding, MirrorReport, named
from mirror.probe.registry_check import check_registry
from mirror.probe.retry import Pace, Retrier

if TYPE_CHECKING:
    from bundler.model.digest import Blob
    from bundler.model.progress import Progress
    from mirror.probe.expected import Baseline, Expectation
    from mirror.probe.interface import MirrorClient, RegistryPlace


class _BodyTooLongError(Exception):
    """More bytes came than any file of that name may have."""


def check_mirror(
    url: str,
    client: MirrorClient,
    baseline: Baseline,
    progress: Progress,
    pace: Pace,
    registry: RegistryPlace | None = None,
) -> MirrorReport:
    """Fetch everything that one mirror has to serve. What goes wrong is in the report, never raised.

    Arguments:
        registry: where its images can be pulled, None to leave them out.
    """
    task = progress.task(url, None)
    check = _TreeCheck(client, Retrier(pace, task))
    began = pace.clock()
    try:
        index = check.read(str(INDEX_PATH), MAX_INDEX_BYTES)
        expected = expectation(baseline, index, url, check.sums)
        progress.expect(sum(blob.size for blob in expected.files.values()))
        findings = [*expected.findings, *check.findings(expected)]
    except BundlerError as failure:
        task.finish(tr("failed"))
        return MirrorReport(url, retries=check.retrier.retries, elapsed_s=pace.clock() - began, failure=failure)
    task.finish(tr("as bundled") if not findings else tr("{count} differences", count=len(findings)))
    report = MirrorReport(
        url=url,
        bundle=expected.id,
        title=expected.title,
        files=len(expected.files),
        intact=len(expected.files) - len({finding.path for finding in findings}),
        findings=tuple(sorted(findings, key=lambda finding: (finding.path, finding.want))),
        retries=check.retrier.retries,
        received_bytes=check.retrier.received_bytes,
        elapsed_s=pace.clock() - began,
    )
    if registry is None or not expected.images:
        return report
    return replace(report, registry=check_registry(registry, expected, progress, pace))


@dataclass(frozen=True, slots=True)
class _TreeCheck:
    client: MirrorClient
    retrier: Retrier

    def sums(self) -> bytes | None:
        """Return the SHA256SUMS that is served, None where it cannot be had."""
        try:
            return self.read(str(SUMS_PATH), MAX_INDEX_BYTES)
        except BundlerError:
            return None

    def read(self, path: str, max_bytes: int) -> bytes:
        """Return a small file, asked for several times if that helps."""

        def attempt() -> bytes:
            held = bytearray()
            with self.client.get(path) as reply:
                for chunk in reply.chunks:
                    held += chunk
                    if len(held) > max_bytes:
                        raise _BodyTooLongError
            return bytes(held)

        try:
            return self.retrier.with_retries(path, attempt)
        except _BodyTooLongError as error:
            raise BundleFormatError(
                ErrorId.BUNDLE_INVALID,
                tr("{path} has more than {max_bytes} bytes", path=path, max_bytes=max_bytes),
                remedy=tr("Check that the URL is a mirror's."),
            ) from error

    def findings(self, expected: Expectation) -> list[Finding]:
        with ThreadPoolExecutor(self.retrier.pace.jobs, "probe") as pool:
            found = pool.map(lambda item: self._file(*item), expected.files.items())
            return [finding for of_file in found for finding in of_file]

    def _file(self, path: str, blob: Blob) -> list[Finding]:
        return self.retrier.findings(path, named(blob), lambda: self._compare(path, blob))

    def _compare(self, path: str, blob: Blob) -> list[Finding]:
        with self.client.get(path) as reply:
            result = compared(reply.chunks, blob, self.retrier.received)
        if result.difference:
            return [Finding(path, "differs", named(blob), result.difference)]
        wrong = self.client.disagreements(path, blob, result.last, reply.fields)
        return [Finding(path, "differs", want, got) for want, got in wrong]
