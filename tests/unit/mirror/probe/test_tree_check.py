"""What is found at a mirror, over a client in memory."""

from __future__ import annotations

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.model.bundle import encode_index, sums_text
from bundler.model.digest import Blob
from mirror.probe import failures
from mirror.probe.expected import Baseline
from mirror.probe.mirror_report import MirrorReport, require_good
from mirror.probe.retry import ATTEMPTS, Pace
from mirror.probe.tree_check import check_mirror
from tests.fakes.mirror_client import MemoryMirror
from tests.fakes.progress import RecordingProgress
from tests.unit.mirror.sites import index_of

URL = "http://master:8088"
CONTENTS = {f"docs/{number}.txt": f"text of file {number}".encode() for number in range(6)}
ONE, OTHER = "docs/1.txt", "docs/2.txt"


def mirror_of(contents: dict[str, bytes] | None = None) -> MemoryMirror:
    index = index_of(contents or CONTENTS)
    data = encode_index(index)
    return MemoryMirror({**(contents or CONTENTS), "bundle.json": data, "SHA256SUMS": sums_text(index.files, data)})


def check(client: MemoryMirror, baseline: Baseline | None = None, jobs: int = 1) -> tuple[MirrorReport, list[float]]:
    pauses: list[float] = []
    ticks = iter(range(100))
    pace = Pace(jobs, pauses.append, lambda: float(next(ticks)))
    return check_mirror(URL, client, baseline or Baseline(), RecordingProgress(), pace), pauses


@pytest.mark.parametrize("jobs", [1, 4])
def test_all_as_bundled(jobs: int) -> None:
    report, pauses = check(mirror_of(), jobs=jobs)
    assert (report.good, report.files, report.intact, pauses) == (True, 8, 8, [])
    assert report.received_bytes == sum(len(data) for data in mirror_of().files.values())
    assert report.bytes_per_s == report.received_bytes
    require_good([report])


@pytest.mark.parametrize(
    ("bytes_served", "got"),
    [
        (b"text of file !", "14 bytes sha256:"),
        (b"text of", "7 bytes sha256:"),
        (b"", "0 bytes sha256:"),
        (b"text of file 1 and more", "more than 14 bytes"),
    ],
    ids=["flipped", "truncated", "empty", "longer"],
)
def test_other_bytes_are_named_with_what_was_wanted(bytes_served: bytes, got: str) -> None:
    client = mirror_of()
    client.files[ONE] = bytes_served
    report, _ = check(client)
    (finding,) = report.findings
    assert (finding.path, finding.outcome) == (ONE, "differs")
    assert Blob.of(CONTENTS[ONE]).digest.hex in finding.want
    assert finding.got.startswith(got)
    assert report.intact == 7
    with pytest.raises(IntegrityError) as raised:
        require_good([report])
    assert raised.value.id is ErrorId.MIRROR_DIFFERS
    assert ONE in raised.value.text()


def test_sums_that_contradict_the_index() -> None:
    client = mirror_of()
    client.files["SHA256SUMS"] = client.files["SHA256SUMS"].replace(b"docs/1", b"docs/9")
    report, _ = check(client)
    assert [finding.path for finding in report.findings] == ["SHA256SUMS"]


def test_answers_that_do_not_fit_each_other() -> None:
    client = mirror_of()
    client.disagreeing = {ONE}
    report, _ = check(client)
    assert [str(finding) for finding in report.findings] == [f"{ONE}: differs: want one answer, got another"]


def test_what_passes_is_asked_for_again() -> None:
    client = mirror_of()
    client.failures[ONE] = [failures.busy(URL, "503"), failures.cut(URL, "reset")]
    report, pauses = check(client)
    assert report.good
    assert (report.retries, len(pauses), client.asked.count(ONE)) == (2, 2, ATTEMPTS)
    assert pauses[1] > pauses[0] > 0


@pytest.mark.parametrize(
    ("error", "outcome", "attempts"),
    [
        (failures.absent(URL, "404"), "missing", 1),
        (failures.busy(URL, "503 Service Unavailable"), "refused", ATTEMPTS),
        (failures.refused(URL, "403"), "refused", 1),
        (failures.cut(URL, "reset"), "unreachable", ATTEMPTS),
        (failures.silent(URL, 60), "unreachable", ATTEMPTS),
    ],
    ids=["404", "503", "403", "cut", "silent"],
)
def test_what_the_mirror_does_not_give(error: SourceError, outcome: str, attempts: int) -> None:
    client = mirror_of()
    client.always[ONE] = error
    report, _ = check(client)
    (finding,) = report.findings
    assert (finding.path, finding.outcome, finding.got) == (ONE, outcome, error.what)
    assert client.asked.count(ONE) == attempts
    assert client.asked.count(OTHER) == 1
    with pytest.raises(IntegrityError if outcome != "unreachable" else SourceError) as raised:
        require_good([report])
    assert ONE in raised.value.text()
    assert raised.value.id is (ErrorId.MIRROR_DIFFERS if outcome != "unreachable" else ErrorId.SOURCE_UNREACHABLE)


def test_a_mirror_that_is_gone_is_not_waited_for_again_and_again() -> None:
    client = mirror_of()
    client.always[ONE] = failures.unreachable(URL, "no connection")
    report, _ = check(client)
    assert report.count("unreachable") == 5
    assert OTHER not in client.asked
    assert report.intact == 3


def test_an_index_that_does_not_come_is_the_failure_of_this_mirror_alone() -> None:
    client = mirror_of()
    client.always["bundle.json"] = failures.unreachable(URL, "no connection")
    lost, _ = check(client)
    fine, _ = check(mirror_of())
    assert (lost.good, lost.files) == (False, 0)
    with pytest.raises(SourceError, match="no connection"):
        require_good([fine, lost])


def test_an_index_that_the_checksums_name_otherwise_was_damaged() -> None:
    client = mirror_of()
    client.files["bundle.json"] = b"{"
    report, _ = check(client)
    assert isinstance(report.failure, IntegrityError)


def test_a_page_in_place_of_the_index() -> None:
    client = mirror_of()
    client.files["bundle.json"] = b"<html>"
    client.files["SHA256SUMS"] = b"<html>"
    report, _ = check(client)
    assert report.failure is not None
    assert report.failure.id is ErrorId.BUNDLE_INVALID


def test_what_a_lock_pins_counts_more_than_the_index() -> None:
    pinned = {ONE: Blob.of(b"what was locked"), OTHER: Blob.of(CONTENTS[OTHER]), "docs/absent": Blob.of(b"x")}
    client = mirror_of()
    client.always["docs/absent"] = failures.absent(URL, "404")
    report, _ = check(client, Baseline(locked=pinned))
    found = {(finding.path, finding.outcome) for finding in report.findings}
    assert found == {("bundle.json", "differs"), (ONE, "differs"), ("docs/absent", "missing")}
    assert OTHER not in {finding.path for finding in report.findings}


def test_another_bundle_than_the_one_on_this_disk() -> None:
    from bundler.archive.checked_index import check_index

    mine = check_index(encode_index(index_of({**CONTENTS, ONE: b"mine"})), "root")
    report, _ = check(mirror_of(), Baseline(contents=mine))
    assert {finding.path for finding in report.findings} == {"bundle.json", "SHA256SUMS", ONE}
    assert report.bundle == mine.id
