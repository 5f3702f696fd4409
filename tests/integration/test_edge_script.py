"""edge.sh in every shell that a host may have, against a real server: what it fetches, checks and refuses."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from bundler.archive.verify import verify_tree
from bundler.model.progress import Unwatched
from tests.integration.bare_path import path_with
from tests.integration.edge_bundle import (
    BIG,
    BUNDLER,
    FILES,
    MINE,
    TOOLS,
    is_whole,
    made,
    run,
    script,
)
from tests.integration.nginx import nginx
from tests.integration.push_script import SHELLS
from tests.sources import unpack
from tests.unit.archive.bundles import files_below

pytestmark = [pytest.mark.integration, pytest.mark.skipif(platform.machine() != "x86_64", reason="files for x86_64")]
ENDLESS_CHUNKS = 4000
# more than one process fetches
ODD = 'many/odd "quoted" name {}'
MANY = {ODD.format(number): (f"{number}".encode(), ("edge",), ()) for number in range(450)}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """An unpacked bundle with a part for edges."""
    return made(tmp_path, "served", FILES)


@pytest.mark.parametrize("shell", SHELLS)
def test_an_edge_gets_its_part_and_nothing_twice(tmp_path: Path, tree: Path, shell: str) -> None:
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        first = run(shell, file, "--root", "the root")
        assert f"{len(MINE)} files verified, {len(MINE)} of them fetched" in first.stdout
        is_whole(tmp_path / "the root", name)
        asked = server.requests()
        assert sum("keadm" in line and "big" in line for line in asked) == 1
        assert not any("cloudcore" in line or "aarch64" in line for line in asked)
        again = run(shell, file, f"--root={tmp_path}/the root", "--id", name.rpartition("-")[2])
        assert f"{len(MINE)} files verified, 0 of them fetched" in again.stdout
        assert server.requests() == asked
        is_whole(tmp_path / "the root", name)


@pytest.mark.parametrize(
    ("fetcher", "summing"),
    [("curl", "sha256sum"), ("wget", "sha256sum"), ("busybox", "busybox"), ("curl", "busybox"), ("curl", "openssl")],
)
def test_whatever_fetches_goes_on_behind_what_is_there(tmp_path: Path, tree: Path, fetcher: str, summing: str) -> None:
    path = path_with(tmp_path / "path", (*TOOLS, *({fetcher} - {"busybox"}), summing))
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        part = tmp_path / f"root/.{name}.edge/kubeedge/big keadm % 'quoted'.part"
        part.parent.mkdir(parents=True)
        part.write_bytes(BIG[:1_500_000])
        run("sh", file, "--root", "root", path=path)
        is_whole(tmp_path / "root", name)
        assert [line.rpartition(" ")[2] for line in server.requests() if "big" in line] == ["206"]
        assert "0 of them fetched" in run("sh", file, "--root", "root", path=path).stdout


@pytest.mark.parametrize("left", [BIG[:-1] + b"?", b"x" * 3_000_000, b"wrong" * 100])
def test_a_part_that_is_wrong_is_fetched_anew(tmp_path: Path, tree: Path, left: bytes) -> None:
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        part = tmp_path / f"root/.{name}.edge/kubeedge/big keadm % 'quoted'.part"
        part.parent.mkdir(parents=True)
        part.write_bytes(left)
        run("sh", file, "--root", "root")
        is_whole(tmp_path / "root", name)


def test_a_killed_run_is_gone_on_with(tmp_path: Path, tree: Path) -> None:
    with nginx(tree, tmp_path, directives="limit_rate 2m;") as server:
        file, name = script(tree, server.url, tmp_path)
        for _ in range(3):
            running = subprocess.Popen(
                ["sh", str(file), "--root", "root"], cwd=tmp_path, stdout=subprocess.PIPE, text=True, process_group=0
            )
            assert running.stdout is not None
            # a second's worth of bytes, at the rate of this server
            while "kubeedge/big" not in running.stdout.readline():
                assert running.poll() is None
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            running.stdout.close()
            assert not (tmp_path / "root/current").exists()
        run("sh", file, "--root", "root")
        is_whole(tmp_path / "root", name)


def test_a_tree_that_was_damaged_is_mended(tmp_path: Path, tree: Path) -> None:
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        run("sh", file, "--root", "root")
        (tmp_path / "root" / name / "kubeedge/keadm").write_bytes(b"for everybodx")
        (tmp_path / "root" / name / "bundle.json").with_name("SHA256SUMS").unlink()
        assert "2 of them fetched" in run("sh", file, "--root", "root").stdout
        is_whole(tmp_path / "root", name)


def test_the_older_one_stays_until_the_newer_one_is_verified(tmp_path: Path, tree: Path) -> None:
    newer = made(tmp_path, "newer", {**FILES, "kubeedge/new": (b"new", ("edge",), ())})
    with nginx(tree, tmp_path) as server:
        file, old = script(tree, server.url, tmp_path)
        run("sh", file, "--root", "root")
    with nginx(newer, tmp_path / "other") as server:
        (newer / "kubeedge/new").write_bytes(b"lie")
        file, name = script(newer, server.url, tmp_path)
        done = run("sh", file, "--root", "root", code=5)
        assert "kubeedge/new is not the file that it should be" in done.stderr
        assert (tmp_path / "root/current").readlink() == Path(old)
        assert not (tmp_path / "root" / name).exists()
        (newer / "kubeedge/new").write_bytes(b"new")
        run("sh", file, "--root", "root")
        assert (tmp_path / "root/current").readlink() == Path(name)


def test_a_file_that_is_gone_is_named(tmp_path: Path, tree: Path) -> None:
    (tree / "kubeedge/keadm").unlink()
    with nginx(tree, tmp_path) as server:
        file, _ = script(tree, server.url, tmp_path)
        assert "kubeedge/keadm cannot be fetched" in run("sh", file, "--root", "root", code=4).stderr


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--what", 2),
        ("--root", 2),
        ("--id xyz", 2),
        ("--id 0123", 2),
        ("--ca-file absent.pem", 2),
        ("extra", 2),
        (f"--id {'0' * 64}", 5),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_made(
    tmp_path: Path, tree: Path, shell: str, words: str, code: int
) -> None:
    file, _ = script(tree, "http://127.0.0.1:1", tmp_path)
    before = files_below(tmp_path)
    run(shell, file, *words.split(), code=code)
    assert files_below(tmp_path) == before


def test_half_a_script_does_nothing(tmp_path: Path, tree: Path) -> None:
    with nginx(tree, tmp_path) as server:
        file, _ = script(tree, server.url, tmp_path)
        text = file.read_text()
        for cut in range(200, len(text) - len('edge "$@"\n'), len(text) // 40):
            (tmp_path / "half.sh").write_text(text[:cut])
            subprocess.run(
                ["sh", str(tmp_path / "half.sh"), "--root", "root"], cwd=tmp_path, capture_output=True, check=False
            )
            assert not (tmp_path / "root").exists()
        assert server.requests() == []


def test_a_directory_that_is_no_bundle_is_not_taken_for_one(tmp_path: Path, tree: Path) -> None:
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        theirs = tmp_path / "root" / name / "notes"
        theirs.parent.mkdir(parents=True)
        theirs.touch()
        assert "is no bundle; move it away" in run("sh", file, "--root", "root", code=9).stderr
        assert server.requests() == []
        assert [path.name for path in (tmp_path / "root").rglob("*")] == [name, "notes"]
        theirs.unlink()
        run("sh", file, "--root", "root")
        is_whole(tmp_path / "root", name)


@pytest.mark.parametrize("fetcher", ["curl", "wget", "busybox"])
def test_an_answer_without_end_does_not_fill_the_disk(tmp_path: Path, tree: Path, fetcher: str) -> None:
    class Endless(BaseHTTPRequestHandler):
        """Sends far more than anybody has listed, without saying how much."""

        def do_GET(self) -> None:
            """Send it for as long as somebody reads."""
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                for _ in range(ENDLESS_CHUNKS):
                    self.wfile.write(bytes(64 * 1024))
            sent.append(self.path)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Say nothing."""

    sent: list[str] = []
    path = path_with(tmp_path / "path", (*TOOLS, fetcher, *({"sha256sum"} - {fetcher})))
    with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            file, name = script(tree, f"http://127.0.0.1:{server.server_port}", tmp_path)
            run("sh", file, "--root", "root", code=4, path=path)
        finally:
            server.shutdown()
    assert len(sent) == 3
    parts = [part.stat().st_size for part in (tmp_path / f"root/.{name}.edge").rglob("*.part")]
    assert all(size < 256 * 1024 for size in parts)


def test_the_record_of_the_part_is_the_one_that_unpack_writes(tmp_path: Path, tree: Path) -> None:
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        run("sh", file, "--root", "root")
    written = json.loads((tmp_path / "root" / name / "subset.json").read_text())
    assert written["choices"] == [{"only": [], "platforms": ["linux/amd64"], "roles": ["edge"]}]
    whole = unpack(tree, tmp_path / "root" / name, Unwatched())
    assert (whole.present, whole.left_out) == (False, 0)
    assert not (tmp_path / "root" / name / "subset.json").exists()


def test_passwords_and_authorities_reach_curl(tmp_path: Path, tree: Path) -> None:
    with nginx(tree, tmp_path, users={"edge": "s3cret"}) as server:
        file, name = script(tree, server.url, tmp_path)
        assert "cannot be fetched" in run("sh", file, "--root", "root", code=4).stderr
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login edge password s3cret\n")
        path = path_with(tmp_path / "path", (*TOOLS, "wget", "sha256sum"))
        assert "needs curl" in run("sh", file, "--root", "x", "--netrc-file", "netrc", code=9, path=path).stderr
        run("sh", file, "--root", "root", "--netrc-file", "netrc")
        is_whole(tmp_path / "root", name)


@pytest.mark.parametrize("shell", SHELLS)
def test_many_small_files_share_a_few_processes_and_connections(tmp_path: Path, shell: str) -> None:
    tree = made(tmp_path, "served", {**FILES, **MANY})
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        (tree / ODD.format(7)).write_bytes(b"8")
        assert quote(ODD.format(7)) in run(shell, file, "--root", "root", code=5).stderr
        (tree / ODD.format(7)).write_bytes(b"7")
        counted = ("curl", "sha256sum", "mv", "chmod", "wc")
        begun = [f'{program}() {{ echo >>"{tmp_path}/begun"; command {program} "$@"; }}\n' for program in counted]
        file.write_text("".join((*begun, file.read_text())))
        run(shell, file, "--root", "another")
        assert len((tmp_path / "begun").read_text()) < 100
        run(shell, file, "--root", "root")
    assert_is_whole(tmp_path / "root", name)
    assert_is_whole(tmp_path / "another", name)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_list_of_small_files_may_be_longer_than_a_small_file(tmp_path: Path, shell: str) -> None:
    # 1,300 lines of 1.7 kB: twice the limit that shells set, in blocks of either size
    place = "/".join(("many", *(letter * 200 for letter in "abcd")))
    tree = made(tmp_path, "served", {f"{place}/{number}": (b"x", ("edge",), ()) for number in range(1300)})
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        file.write_text(f'curl() {{ echo >>"{tmp_path}/begun"; command curl "$@"; }}\n' + file.read_text())
        run(shell, file, "--root", "root")
    assert len((tmp_path / "begun").read_text()) < 20
    assert_is_whole(tmp_path / "root", name)


def test_small_files_of_a_killed_run_are_right_or_fetched_anew(tmp_path: Path) -> None:
    tree = made(tmp_path, "served", {**FILES, **MANY})
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        stage = tmp_path / f"root/.{name}.edge"
        for directory in (stage / "bin", stage / "many"):
            directory.mkdir(parents=True)
        # before its mode, whole, cut short, and a link to what is right
        (stage / "bin/bundler").write_bytes(BUNDLER)
        (stage / ODD.format(100)).write_bytes(b"100")
        (stage / ODD.format(200)).write_bytes(b"20")
        (tmp_path / "elsewhere").write_bytes(b"300")
        (stage / ODD.format(300)).symlink_to(tmp_path / "elsewhere")
        run("sh", file, "--root", "root")
        asked = [sum(f"name {number}" in line for line in server.requests()) for number in (100, 200, 300)]
    # what is behind a link is not the bundle's, and is fetched once more in its place
    assert asked == [0, 1, 2]
    assert_is_whole(tmp_path / "root", name)


def assert_is_whole(root: Path, name: str) -> None:
    assert (root / "current").readlink() == Path(name)
    report = verify_tree(root / name, Unwatched(), strict=True)
    assert (report.intact, report.ownership.other_modes) == (True, ())
