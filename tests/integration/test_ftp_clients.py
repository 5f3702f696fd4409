"""Real FTP clients against the FTP worker: curl, lftp, wget, tnftp, dnf; whole files, resumed ones, whole trees."""

from __future__ import annotations

import hashlib
import random
import subprocess
from typing import TYPE_CHECKING

import pytest

from mirror.settings import Settings, ShareOption
from mirror.shared.counters import Field
from tests.integration.dnf_client import dnf_install
from tests.integration.ftp_mirror import ftp_worker, wait_until
from tests.integration.rpm_packages import SpecLike, build_rpms, make_repository, sign
from tests.integration.signing_keys import signing_home
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.ftp_mirror import FtpWorkerProcess

BIG = random.Random(5).randbytes(9_000_001)
CONTENTS = {"big.bin": BIG, "empty": b"", "dir/a b.txt": b"blank", "dir/sub/é.txt": b"accent", "dir/x.txt": b"x"}
WITHIN_S = 120


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FtpWorkerProcess]:
    with ftp_worker(write_bundle(tmp_path_factory.mktemp("ftp-clients") / "root", CONTENTS), host="::") as worker:
        yield worker


def ran(*command: str, cwd: Path, standard_input: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, input=standard_input, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )


def run(*command: str, cwd: Path, standard_input: str = "") -> str:
    """Run a client that has to succeed; return its stdout."""
    done = ran(*command, cwd=cwd, standard_input=standard_input)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tree_of(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("mode", [[], ["--disable-epsv"], ["--ftp-port", "127.0.0.1"], ["--ftp-port", "::1"]])
def test_curl(mirror: FtpWorkerProcess, tmp_path: Path, mode: list[str]) -> None:
    host = "[::1]" if "::1" in mode else "127.0.0.1"
    run("curl", "-sS", *mode, "-o", "got", f"ftp://{host}:{mirror.port}/big.bin", cwd=tmp_path)
    assert (tmp_path / "got").read_bytes() == BIG


def test_curl_resumes_ranges_and_lists(mirror: FtpWorkerProcess, tmp_path: Path) -> None:
    (tmp_path / "got").write_bytes(BIG[:1_234_567])
    run("curl", "-sS", "-C", "-", "-o", "got", f"{mirror.url}/big.bin", cwd=tmp_path)
    assert (tmp_path / "got").read_bytes() == BIG
    # the range's end is curl's: it closes the connection when it has enough
    assert run("curl", "-sS", "-r", "10-19", "-o", "part", f"{mirror.url}/big.bin", cwd=tmp_path) == ""
    assert (tmp_path / "part").read_bytes() == BIG[10:20]
    assert "a b.txt" in run("curl", "-sS", f"{mirror.url}/dir/", cwd=tmp_path)
    assert run("curl", "-sS", "-l", f"{mirror.url}/dir/", cwd=tmp_path).split("\n") == ["a b.txt", "sub", "x.txt", ""]
    assert run("curl", "-sS", f"{mirror.url}/dir/a%20b.txt", f"{mirror.url}/dir/sub/%C3%A9.txt", cwd=tmp_path) == (
        "blankaccent"
    )
    head = run("curl", "-sSI", f"{mirror.url}/big.bin", cwd=tmp_path)
    assert f"Content-Length: {len(BIG)}" in head
    assert "Last-Modified: Sun, 13 Sep 2020 12:26:40 GMT" in head
    assert ran("curl", "-sS", f"{mirror.url}/nothing", cwd=tmp_path).returncode == 78


def test_curl_uploads_and_deletes_nothing(mirror: FtpWorkerProcess, tmp_path: Path) -> None:
    (tmp_path / "new").write_text("new")
    assert ran("curl", "-sS", "-T", "new", f"{mirror.url}/", cwd=tmp_path).returncode == 25
    assert ran("curl", "-sS", "-Q", "DELE empty", f"{mirror.url}/", cwd=tmp_path).returncode == 21


def test_lftp_mirrors_the_tree(mirror: FtpWorkerProcess, tmp_path: Path) -> None:
    commands = "set net:max-retries 1; set cmd:fail-exit yes; mirror --parallel=4 / got; bye"
    run("lftp", "-c", f"open {mirror.url}; {commands}", cwd=tmp_path)
    got = tree_of(tmp_path / "got")
    assert {path: got[path] for path in CONTENTS} == CONTENTS
    assert set(got) == {*CONTENTS, "bundle.json", "SHA256SUMS"}


def test_lftp_fetches_in_segments_and_resumes(mirror: FtpWorkerProcess, tmp_path: Path) -> None:
    run("lftp", "-c", f"open {mirror.url}; pget -n 4 big.bin -o segments", cwd=tmp_path)
    assert (tmp_path / "segments").read_bytes() == BIG
    (tmp_path / "big.bin").write_bytes(BIG[:777_777])
    run("lftp", "-c", f"open {mirror.url}; get -c big.bin", cwd=tmp_path)
    assert (tmp_path / "big.bin").read_bytes() == BIG


def test_wget_fetches_a_tree_and_resumes(mirror: FtpWorkerProcess, tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(BIG[:4_321_000])
    run("wget", "-q", "-c", f"{mirror.url}/big.bin", cwd=tmp_path)
    assert (tmp_path / "big.bin").read_bytes() == BIG
    run("wget", "-q", "-r", "-nH", "-P", "got", f"{mirror.url}/dir/", cwd=tmp_path)
    got = tree_of(tmp_path / "got")
    assert got.pop("dir/a b.txt") == b"blank"
    assert got.pop("dir/x.txt") == b"x"
    assert list(got.values()) == [b"accent"]
    assert ran("wget", "-q", "-t1", f"{mirror.url}/nothing", cwd=tmp_path).returncode != 0


def test_tnftp_globs_and_resumes(mirror: FtpWorkerProcess, tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(BIG[:55_555])
    talk = f"open 127.0.0.1 {mirror.port}\nuser anonymous test@\nbinary\nreget big.bin\ncd dir\nmget *.txt\nquit\n"
    output = run("tnftp", "-n", "-i", cwd=tmp_path, standard_input=talk)
    assert tree_of(tmp_path) == {"big.bin": BIG, "a b.txt": b"blank", "x.txt": b"x"}, output


def test_dnf_installs_signed_packages(tmp_path: Path) -> None:
    with signing_home() as home:
        key = home.make_key("Vendor <vendor@example.org>")
        rpms = build_rpms(tmp_path / "rpms", [SpecLike("app", requires=("lib >= 1",)), SpecLike("lib")])
        sign(rpms, key)
        repository = make_repository(tmp_path / "repository", rpms, key=key)
    contents = {f"yum/{path}": data for path, data in tree_of(repository.directory).items()}
    with ftp_worker(write_bundle(tmp_path / "root", contents)) as mirror:
        installed = dnf_install(tmp_path / "target", f"{mirror.url}/yum", ["app"], repository.key_file)
    assert installed == {"app-1.0-1.noarch", "lib-1.0-1.noarch"}


def test_an_interrupted_gibibyte_resumes_to_the_right_digest(tmp_path: Path) -> None:
    root, got = tmp_path / "root", tmp_path / "got"
    root.mkdir()
    block, digest = random.Random(6).randbytes(1 << 20), hashlib.sha256()
    with (root / "big.bin").open("wb") as stream:
        for number in range(1024):
            stream.write(changed := block[number:] + block[:number])
            digest.update(changed)
    settings = Settings(root, all_files=True, shares=(ShareOption("", root),))
    with ftp_worker(root, settings=settings) as mirror:
        command = ["curl", "-sS", "-C", "-", "-o", str(got), f"{mirror.url}/big.bin"]
        with subprocess.Popen(command) as interrupted:
            wait_until(lambda: got.exists() and got.stat().st_size > 200 << 20)
            interrupted.kill()
        assert got.stat().st_size < 1 << 30
        run(*command, cwd=tmp_path)
        wait_until(lambda: mirror.slot.get(Field.CUT_TRANSFERS) == 1)
    with got.open("rb") as stream:
        assert hashlib.file_digest(stream, "sha256").digest() == digest.digest()
