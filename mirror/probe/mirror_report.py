"""What fetching everything from mirrors has found, as values; making an error of it is a step of its own. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bundler.errors import BundlerError, ErrorId, IntegrityError, SourceError
from bundler.outcome_words import shown_word
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bundler.model.digest import Blob

FindingOutcome = Literal["differs", "missing", "refused", "unreachable"]
OUTCOMES: tuple[FindingOutcome, ...] = ("differs", "missing", "refused", "unreachable")


@dataclass(frozen=True, slots=True)
class Finding:
    """A file that is not served as it should be.

    Arguments:
        path: in the bundle.
        outcome: `differs`: other bytes, or answers that do not fit them; `missing`, `refused`: the mirror answered so;
            `unreachable`: no answer came to its end.
        want, got: for a person.
    """

    path: str
    outcome: FindingOutcome
    want: str
    got: str

    def __str__(self) -> str:
        return tr(
            "{path}: {outcome}: want {want}, got {got}",
            path=self.path,
            outcome=shown_word(self.outcome),
            want=self.want,
            got=self.got,
        )


@dataclass(frozen=True, slots=True)
class MirrorReport:
    """What was found at one URL.

    Arguments:
        bundle, title: id in full, name and release of what is compared with; "" when that did not become known.
        files: how many files were wanted.
        intact: how many came as they should.
        findings: the others, sorted by path.
        retries: how often something was asked again.
        received_bytes: of content, in all attempts.
        elapsed_s: from the first request to the last, in seconds.
        failure: why nothing could be compared.
        registry: the same of its images, by their names and digests in its registry; None where that was not looked at.
    """

    url: str
    bundle: str = ""
    title: str = ""
    files: int = 0
    intact: int = 0
    findings: tuple[Finding, ...] = ()
    retries: int = 0
    received_bytes: int = 0
    elapsed_s: float = 0.0
    failure: BundlerError | None = None
    registry: MirrorReport | None = None

    @property
    def good(self) -> bool:
        """Whether this mirror serves what it should."""
        whole = self.registry is None or self.registry.good
        return whole and self.failure is None and not self.findings

    @property
    def bytes_per_s(self) -> float:
        """The rate of the whole."""
        return self.received_bytes / self.elapsed_s if self.elapsed_s else 0.0

    def count(self, outcome: FindingOutcome) -> int:
        """Return how many findings are of a kind."""
        return Counter(finding.outcome for finding in self.findings)[outcome]


def named(blob: Blob) -> str:
    """Return bytes as a report names them."""
    return tr("{size} bytes {digest}", size=blob.size, digest=blob.digest)


def all_reports(reports: Iterable[MirrorReport]) -> list[MirrorReport]:
    """Return the reports, each with that of its registry behind it."""
    return [one for report in reports for one in (report, report.registry) if one is not None]


def require_good(mirrors: Sequence[MirrorReport]) -> None:
    """Raise for the worst that was found: IntegrityError (MIRROR_DIFFERS), else why a mirror was not reached."""
    reports = all_reports(mirrors)
    found = [(report.url, finding) for report in reports for finding in report.findings]
    wrong = [f"{url}: {finding}" for url, finding in found if finding.outcome != "unreachable"]
    if wrong:
        raise _differs(reports, wrong)
    for report in reports:
        if report.failure is not None:
            raise report.failure
    if found:
        url, finding = found[0]
        raise SourceError(
            ErrorId.SOURCE_UNREACHABLE,
            tr(
                "{count} files could not be fetched, the first being {path}: {got}",
                count=len(found),
                path=finding.path,
                got=finding.got,
            ),
            where=url,
            remedy=tr("Check that the mirror still runs, and the network between; then run the same command again."),
        )


def _differs(reports: Sequence[MirrorReport], wrong: list[str]) -> IntegrityError:
    return IntegrityError(
        ErrorId.MIRROR_DIFFERS,
        tr("the mirror does not serve what was bundled"),
        where=", ".join(report.url for report in reports if report.findings),
        remedy=tr("Run `bundler verify` on the served directory; unpack the bundle again and send the mirror SIGHUP."),
        want=tr("every file as listed"),
        got=tr("{count} that are not", count=len(wrong)),
        problems=wrong,
    )
