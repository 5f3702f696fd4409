"""`mirror verify` against real servers of a real bundle: nginx and vsftpd, whole and damaged, slow, cut and closed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from mirror.probe.access import trusting
from mirror.probe.expected import Baseline
from mirror.probe.ftp_client import FtpMirrorClient
from mirror.probe.http_client import HttpMirrorClient
from mirror.probe.mirror_address import MirrorAddress
from mirror.probe.retry import Pace
from mirror.probe.tree_check import check_mirror
from tests.fakes.certificates import authority
from tests.fakes.ftp_server import faulty_ftp
from tests.fakes.progress import RecordingProgress
from tests.integration.cutting_proxy import cutting_proxy
from tests.integration.demo_bundle import demo_bundle
from tests.integration.nginx import nginx
from tests.integration.vsftpd import vsftpd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mirror.probe.interface import MirrorClient
    from mirror.probe.mirror_report import MirrorReport

pytestmark = pytest.mark.integration

USER, SECRET = "edge", "s3cret"
NOTES, KEADM = "docs/notes.txt", "kubeedge/bin/keadm-amd64"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def tree(whole: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    shutil.copytree(whole, tmp_path / "tree")
    return tmp_path / "tree"


def mirror_verify(*arguments: str, code: int, **variables: str) -> tuple[dict[str, Any], str]:
    """Run the command and return its JSON, or {} where it failed without an answer, and its stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "mirror", "verify", "--json", *arguments],
        env={**os.environ, "HOME": "/nonexistent", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    if answer["schema"] == "mirror.error/1":
        assert answer["code"] == code
        return {}, done.stderr
    assert answer["schema"] == "mirror.verify/1"
    return answer, done.stderr


def outcomes(answer: dict[str, Any]) -> list[dict[str, str]]:
    return [{f["path"]: f["outcome"] for f in mirror["findings"]} for mirror in answer["mirrors"]]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("held_to", ["nothing", "root", "lock"])
def test_an_untouched_bundle_over_both_protocols(held_to: str, whole: Path, tmp_path: Path) -> None:
    (tmp_path / "ftp").mkdir()
    arguments = {"nothing": [], "root": ["--root", str(whole)], "lock": ["--lock", str(whole / "lock.json")]}[held_to]
    with nginx(whole, tmp_path) as http, vsftpd(whole, tmp_path / "ftp") as ftp:
        answer, said = mirror_verify(http.url, ftp, *arguments, code=0)
        asked = [line.split() for line in http.requests()]
    assert (answer["as_bundled"], said) == (True, "")
    files = sum(1 for path in whole.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    for mirror in answer["mirrors"]:
        assert (mirror["files"], mirror["intact"], mirror["bytes"]) == (files, files, size)
        assert mirror["seconds"] > 0
    # every file whole, its header alone, and its last byte
    assert [words for words in asked if words[1] == f"/{NOTES}"] == [
        ["GET", f"/{NOTES}", "200"], ["HEAD", f"/{NOTES}", "200"], ["GET", f"/{NOTES}", "206"]
    ]  # fmt: skip


def test_each_damage_is_named_over_both_protocols(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "ftp").mkdir()
    flip(tree / NOTES)
    (tree / KEADM).unlink()
    package = next(tree.glob("yum/demo-agent*.rpm"))
    os.truncate(package, 100)
    want = {NOTES: "differs", KEADM: "missing", str(package.relative_to(tree)): "differs"}
    with nginx(tree, tmp_path) as http, vsftpd(tree, tmp_path / "ftp") as ftp:
        answer, said = mirror_verify(http.url, ftp, code=5)
        assert outcomes(answer) == [want, want]
        for url in (http.url, ftp):
            for path, outcome in want.items():
                assert f"{url}: {path}: {outcome}" in said
    assert "[mirror-differs]" in said
    assert "got 100 bytes sha256:" in said


def test_the_lock_finds_what_a_consistent_forgery_hides(tree: Path, whole: Path, tmp_path: Path) -> None:
    """Whoever changes a file, bundle.json and SHA256SUMS alike passes every check but the lock's and the root's."""
    import hashlib

    old = hashlib.sha256((tree / NOTES).read_bytes()).hexdigest()
    flip(tree / NOTES)
    new = hashlib.sha256((tree / NOTES).read_bytes()).hexdigest()
    index = (tree / "bundle.json").read_text()
    (tree / "bundle.json").write_text(index.replace(old, new))
    sums = (tree / "SHA256SUMS").read_text().replace(old, new)
    before, after = (hashlib.sha256((place / "bundle.json").read_bytes()).hexdigest() for place in (whole, tree))
    (tree / "SHA256SUMS").write_text(sums.replace(before, after))
    with nginx(tree, tmp_path) as http:
        mirror_verify(http.url, code=0)
        by_lock, _ = mirror_verify(http.url, "--lock", str(whole / "lock.json"), code=5)
        by_root, _ = mirror_verify(http.url, "--root", str(whole), code=5)
    assert outcomes(by_lock) == [{"bundle.json": "differs", NOTES: "differs"}]
    assert outcomes(by_root) == [{"bundle.json": "differs", "SHA256SUMS": "differs", NOTES: "differs"}]


def test_wrong_authority_and_right_one(whole: Path, tmp_path: Path) -> None:
    trusted, other = authority(tmp_path, "Right Root"), authority(tmp_path, "Wrong Root")
    trusted.server_context("127.0.0.1")
    (chain,) = tmp_path.glob("Right-Root-*.pem")
    with nginx(whole, tmp_path, chain=chain) as http:
        mirror_verify(http.url, "--ca-file", str(trusted.file), code=0)
        for arguments in ((), ("--ca-file", str(other.file))):
            answer, said = mirror_verify(http.url, *arguments, code=4)
            assert answer["mirrors"][0]["failure"]["id"] == "source-tls"
            assert "the certificate is not trusted" in said


def test_ftp_under_tls(whole: Path, tmp_path: Path) -> None:
    trusted = authority(tmp_path)
    trusted.server_context("127.0.0.1")
    (chain,) = tmp_path.glob("*-[0-9]*.pem")
    (tmp_path / "ftp").mkdir()
    with vsftpd(whole, tmp_path / "ftp", chain=chain) as plain:
        url = plain.replace("ftp://", "ftps://")
        answer, _ = mirror_verify(url, "--ca-file", str(trusted.file), code=0)
        assert answer["mirrors"][0]["intact"] > 50
        _, said = mirror_verify(url, code=4)
        assert "the certificate is not trusted" in said
        _, said = mirror_verify(plain, code=4)
        assert "[source-unauthorized]" in said


def test_wrong_password_and_right_one(whole: Path, tmp_path: Path) -> None:
    with nginx(whole, tmp_path, users={USER: SECRET}) as http, faulty_ftp(whole, anonymous=False) as ftp:
        mirror_verify(http.url, "--user", USER, code=0, MIRROR_PASSWORD=SECRET)
        _, said = mirror_verify(http.url, "--user", USER, code=4, MIRROR_PASSWORD="wrong")
        assert "[source-unauthorized]" in said
        assert "wrong" not in said
        mirror_verify(http.url, code=4)
        url = f"ftp://127.0.0.1:{ftp.port}"
        mirror_verify(url, "--user", "operator", code=0, MIRROR_PASSWORD=SECRET)
        _, said = mirror_verify(url, "--user", "operator", code=4, MIRROR_PASSWORD="wrong")
        assert "[source-unauthorized]" in said


def test_nobody_at_home(whole: Path, tmp_path: Path) -> None:
    with nginx(whole, tmp_path) as gone:
        pass
    with nginx(whole, tmp_path / "second") as http:
        answer, said = mirror_verify(gone.url, http.url, code=4)
    assert [mirror["intact"] == mirror["files"] > 0 for mirror in answer["mirrors"]] == [False, True]
    assert "no connection: Connection refused" in said
    assert "[source-unreachable]" in said


def check(client: MirrorClient, jobs: int = 2) -> tuple[MirrorReport, RecordingProgress]:
    progress = RecordingProgress()
    try:
        return check_mirror("mirror", client, Baseline(), progress, Pace(jobs, sleep=lambda _: None)), progress
    finally:
        client.close()


def http_client(url: str, idle_timeout_s: float = 5.0) -> MirrorClient:
    return HttpMirrorClient(
        MirrorAddress.parse(url), None, trusting(None), connections=2, idle_timeout_s=idle_timeout_s
    )


def ftp_client(url: str, idle_timeout_s: float = 5.0) -> MirrorClient:
    return FtpMirrorClient(MirrorAddress.parse(url), None, trusting(None), idle_timeout_s=idle_timeout_s)


def test_a_line_that_is_cut_is_tried_again(whole: Path, tmp_path: Path) -> None:
    # the second connection ends within the first file after the index
    index = (whole / "bundle.json").stat().st_size
    with nginx(whole, tmp_path) as http, cutting_proxy(f"127.0.0.1:{http.port}", index + 800, 700) as proxy:
        report, _ = check(http_client(f"http://{proxy.host}"))
    assert report.good, report
    assert report.retries >= 1


def test_a_server_that_falls_silent_is_told_as_such(whole: Path, tmp_path: Path) -> None:
    with nginx(whole, tmp_path, directives=f"location /{NOTES} {{ limit_rate 1; }}") as http:
        report, _ = check(http_client(http.url, 0.2))
    assert {finding.path: finding.outcome for finding in report.findings} == {NOTES: "unreachable"}
    assert "silent" in report.findings[0].got


def test_a_slow_server_is_waited_for(whole: Path, tmp_path: Path) -> None:
    with nginx(whole, tmp_path, directives="limit_rate 64k;") as http:
        report, _ = check(http_client(http.url, 5.0), jobs=4)
    assert report.good, report


@pytest.mark.parametrize(
    ("directive", "told"),
    [
        ("return 503;", "refused"),
        ("return 403;", "refused"),
        ("return 302 /docs/elsewhere;", "refused"),
        ("max_ranges 0;", None),
        ("add_header ETag '\"{zeros}\"';", "differs"),
        ("add_header Repr-Digest 'sha-256=:AAAA:';", "differs"),
        ("limit_except GET { deny all; }", None),
        ("if ($request_method = HEAD) { return 405; }", "differs"),
        ("if ($http_range) { return 416; }", "differs"),
        ("if ($http_range) { return 503; }", "refused"),
    ],
)
def test_answers_that_do_not_fit_the_file(directive: str, told: str | None, whole: Path, tmp_path: Path) -> None:
    location = f"location = /{NOTES} {{ etag off; {directive.replace('{zeros}', '0' * 64)} }}"
    with nginx(whole, tmp_path, directives=location) as http:
        report, _ = check(http_client(http.url))
    assert {finding.path: finding.outcome for finding in report.findings} == ({NOTES: told} if told else {})


@pytest.mark.parametrize(
    ("refusals", "outcome"),
    [
        (["450 changed"] * 3, "refused"),
        (["450 for a moment"], None),
        (["550 gone"], "missing"),
        (["425 no data connection", "426 cut"], None),
    ],
    ids=["450", "once", "550", "passing"],
)
def test_what_an_ftp_server_answers(refusals: list[str], outcome: str | None, whole: Path) -> None:
    with faulty_ftp(whole) as ftp:
        client = ftp_client(f"ftp://127.0.0.1:{ftp.port}")
        report = _with_refusals(client, lambda: ftp.refusals.extend(refusals))
    found = [finding.outcome for finding in report.findings]
    assert found == ([outcome] if outcome else [])
    assert bool(report.retries) is (refusals[0][0] == "4")


def _with_refusals(client: MirrorClient, refuse: Callable[[], None]) -> MirrorReport:
    """Check with one job, the refusals beginning once the index has come."""

    class Refusing(RecordingProgress):
        def expect(self, total_bytes: int, present_bytes: int = 0) -> None:
            super().expect(total_bytes, present_bytes)
            refuse()

    try:
        return check_mirror("mirror", client, Baseline(), Refusing(), Pace(1, sleep=lambda _: None))
    finally:
        client.close()


def test_an_ftp_transfer_that_is_cut_is_tried_again(whole: Path) -> None:
    with faulty_ftp(whole) as ftp:
        ftp.cuts += [10, 10]
        report, progress = check(ftp_client(f"ftp://127.0.0.1:{ftp.port}"), jobs=1)
    assert report.good, report
    assert report.retries == 2
    assert any("asking again" in line for line in progress.tasks[0].notes)


@pytest.mark.parametrize("without", [(), ("EPSV",), ("SIZE",)], ids=["all", "no EPSV", "no SIZE"])
def test_what_an_ftp_server_need_not_know(without: tuple[str, ...], whole: Path) -> None:
    with faulty_ftp(whole, without=without) as ftp:
        report, _ = check(ftp_client(f"ftp://127.0.0.1:{ftp.port}"))
        assert report.good, report
        assert bool(ftp.commands("PASV")) is (without == ("EPSV",))
        # a login for each job, not for each file
        assert len(ftp.commands("USER")) <= 3
    assert report.failure is None
