"""What the mirror serves while the disk changes under it: reloads, repairs, links, truncation, shares."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.mirror_program import eventually, mirror, refused
from tests.integration.raw_http import connected
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.mirror_program import Mirror

BIG = random.Random(6).randbytes(20_000_000)
OTHER_BIG = random.Random(7).randbytes(20_000_000)
GOOD = b"good bytes\n" * 100
CONTENTS = {"kept": b"kept\n", "dir/file": GOOD, "big": BIG}
# more than all buffers between two sockets hold
SMALL_WINDOW = 16384


def get(running: Mirror, target: str) -> tuple[int, bytes]:
    with connected(running.port) as wire:
        answer = wire.get(target)
        return answer.status, answer.body


def absent(path: Path) -> None:
    path.unlink()


def changed(path: Path) -> None:
    # the same size, so that only the digest tells
    path.write_bytes(GOOD.replace(b"good", b"evil"))


def truncated(path: Path) -> None:
    os.truncate(path, 10)


def grown(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"more")


def replaced_by_a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def replaced_by_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replaced_by_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def unreadable(path: Path) -> None:
    path.chmod(0)


def repair(path: Path) -> None:
    if path.is_dir():
        path.rmdir()
    elif path.is_symlink() or path.exists():
        path.unlink()
    path.write_bytes(GOOD)
    path.chmod(0o644)


DAMAGES = [
    absent, changed, truncated, grown, replaced_by_a_link, replaced_by_a_pipe, replaced_by_a_directory,
    pytest.param(unreadable, marks=pytest.mark.skipif(os.geteuid() != 0, reason="its owner always may")),
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_not_served_until_it_is_repaired(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    root = write_bundle(tmp_path / "root", CONTENTS)
    with mirror(root) as running:
        assert running.health()[0] == 200
        assert get(running, "/dir/file") == (200, GOOD)
        damage(root / "dir" / "file")
        # what is in memory is the right bytes, and looked after within a second
        eventually(lambda: get(running, "/dir/file")[0] == 503, "the damage is noticed")
        for target in ("/dir/file", "/dir//file", "/dir/file?x"):
            status, body = get(running, target)
            assert (status, b"dir" in body and b"evil" in body) == (503, False)
        with connected(running.port) as wire:
            assert wire.get("/dir/file", method="HEAD").status == 503
            tag = f'"{hashlib.sha256(GOOD).hexdigest()}"'
            assert wire.get("/dir/file", f"If-None-Match: {tag}").status == 503
            assert wire.get("/dir/file", "Range: bytes=0-1").fields["retry-after"].isdigit()
        status, health = running.health()
        assert (status, health["complete"], len(health["faults"])) == (503, False, 1)
        assert health["faults"][0].endswith("/dir/file")
        assert get(running, "/kept") == (200, b"kept\n")
        running.told("dir/file is not served")
        assert running.told_times("dir/file is not served") == 1
        repair(root / "dir" / "file")
        assert get(running, "/dir/file") == (200, GOOD)
        assert running.health()[0] == 200
        assert running.metric("mirror_faulty_files") == 0


@pytest.mark.parametrize("way", ["request", "reload"])
def test_what_was_missing_at_the_start_can_be_brought_later(tmp_path: Path, way: str) -> None:
    root = write_bundle(tmp_path / "root", CONTENTS)
    (root / "dir" / "file").unlink()
    with mirror(root) as running:
        assert "NOT COMPLETE: 1 files" in running.announcement
        assert "missing: dir/file" in running.announcement
        assert get(running, "/dir/file")[0] == 503
        assert running.health()[0] == 503
        repair(root / "dir" / "file")
        if way == "reload":
            running.reload()
            assert running.health()[0] == 200
        assert get(running, "/dir/file") == (200, GOOD)
        status, health = running.health()
        assert status == 200
        assert [bundle["complete"] for bundle in health["bundles"]] == [True]


def test_verify_refuses_one_changed_byte_and_serves_the_rest(tmp_path: Path) -> None:
    root = write_bundle(tmp_path / "root", CONTENTS)
    before = (root / "dir" / "file").stat()
    changed(root / "dir" / "file")
    os.utime(root / "dir" / "file", ns=(before.st_atime_ns, before.st_mtime_ns))
    with mirror(root, "--verify") as running:
        assert get(running, "/dir/file")[0] == 503
        assert get(running, "/kept") == (200, b"kept\n")
        status, health = running.health()
        assert (status, health["complete"], health["verified"]) == (503, False, False)
        assert "changed: dir/file" in running.announcement
        repair(root / "dir" / "file")
        assert get(running, "/dir/file") == (200, GOOD)
        assert running.health()[0] == 200


def test_a_link_to_a_served_file_changes_nothing(tmp_path: Path) -> None:
    root = write_bundle(tmp_path / "root", CONTENTS)
    with mirror(root) as running:
        for number in range(3):
            assert get(running, "/dir/file") == (200, GOOD)
            os.link(root / "dir" / "file", tmp_path / f"link-{number}")
            (root / "big").chmod(0o444 if number % 2 else 0o644)
            assert get(running, "/dir/file") == (200, GOOD)
            assert get(running, "/big") == (200, BIG)
        assert running.health()[0] == 200
        assert running.told_times("not served") == 0


@pytest.mark.parametrize("target", ["/big", "/file", "/shared/file"])
def test_a_file_that_shrinks_while_it_is_sent_is_cut(tmp_path: Path, target: str) -> None:
    root = write_bundle(tmp_path / "root", {"big": BIG, "file": BIG})
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "file").write_bytes(BIG)
    with mirror(root, "--share", f"/shared={shared}", "--access-log", str(tmp_path / "log")) as running:
        with connected(running.port, receive_bytes=SMALL_WINDOW) as wire:
            wire.begin(target)
            os.truncate(shared / "file" if "shared" in target else root / target[1:], 9_000_000)
            rest = wire.rest()
            assert len(rest) < len(BIG)
        with connected(running.port) as wire:
            assert wire.get(target).status == (200 if "shared" in target else 503)
        eventually(lambda: " cut\n" in (tmp_path / "log").read_text(), "the cut answer is logged")


def limit_descriptors(pid: int, soft: int) -> None:
    """Set how many descriptors a process may have from now on, as its own user: nobody else may."""
    status = Path(f"/proc/{pid}/status").read_text()
    uid, gid = (int(status.partition(f"\n{name}:\t")[2].split()[0]) for name in ("Uid", "Gid"))
    own = (uid, gid) == (os.getuid(), os.getgid())
    who: dict[str, Any] = {} if own else {"user": uid, "group": gid, "extra_groups": []}
    subprocess.run(["prlimit", f"--pid={pid}", f"--nofile={soft}:"], check=True, **who)


def test_a_want_of_descriptors_is_no_fault_of_the_file(tmp_path: Path) -> None:
    root = write_bundle(tmp_path / "root", {"file": b"content"})
    with mirror(root) as running, connected(running.port) as wire:
        (worker,) = running.workers()
        assert wire.get("/-/health").status == 200
        limit_descriptors(worker, 3)
        assert wire.get("/file").status == 503
        limit_descriptors(worker, 1024)
        assert running.health()[0] == 200
        assert running.told_times("is not served") == 0
        assert wire.get("/file").body == b"content"


def test_unlisted_files_are_not_served(tmp_path: Path) -> None:
    root = write_bundle(tmp_path / "root", CONTENTS)
    (root / "harbor.yml").write_text("password: s3cret")
    (root / "dir" / "link").symlink_to("file")
    with mirror(root) as running:
        for target in ("/harbor.yml", "/dir/link", "/.", "/dir/..", "/bundle.json.sig"):
            assert get(running, target)[0] == 404
        for listed in ("/bundle.json", "/SHA256SUMS"):
            assert get(running, listed)[0] == 200
        running.reload()
        assert get(running, "/harbor.yml")[0] == 404


def test_a_transfer_ends_on_the_bundle_that_it_began_on(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    write_bundle(root / "one", {"big": BIG, "file": b"one\n"})
    write_bundle(root / "two", {"big": OTHER_BIG, "file": b"two\n"})
    (root / "current").symlink_to("one")
    with mirror(root, "--workers", "2") as running:
        with connected(running.port, receive_bytes=SMALL_WINDOW) as slow, connected(running.port) as kept:
            assert kept.get("/file").body == b"one\n"
            assert kept.get("/@two/file").body == b"two\n"
            assert kept.get("/@one/file").body == b"one\n"
            slow.begin("/big")
            (root / "next").symlink_to("two")
            (root / "next").rename(root / "current")
            assert kept.get("/file").body == b"one\n"
            running.reload()
            assert kept.get("/file").body == b"two\n"
            # the first bundle may even go away
            shutil.rmtree(root / "one")
            running.reload(2)
            assert kept.get("/@one/file").status == 404
            assert kept.get("/big").body == OTHER_BIG
            assert slow.answer().body == BIG
            assert slow.get("/file").body == b"two\n"
        health = running.health()[1]
        assert [bundle["current"] for bundle in health["bundles"]] == [True]


def test_no_download_is_made_of_two_bundles(tmp_path: Path) -> None:
    """Both have files of one size and one date; what says that they differ is the tag alone."""
    root = tmp_path / "root"
    root.mkdir()
    write_bundle(root / "one", {"file": b"one " * 1000})
    write_bundle(root / "two", {"file": b"two " * 1000})
    (root / "current").symlink_to("one")
    with mirror(root) as running, connected(running.port) as wire:
        begun = wire.get("/file", "Range: bytes=0-999")
        assert (begun.status, begun.body) == (206, b"one " * 250)
        (root / "current").unlink()
        (root / "current").symlink_to("two")
        running.reload()
        for validator in (begun.fields["etag"], begun.fields["last-modified"]):
            answer = wire.get("/file", "Range: bytes=1000-", f"If-Range: {validator}")
            assert (answer.status, answer.body) == (200, b"two " * 1000)
        assert wire.get("/file", f"If-Match: {begun.fields['etag']}", "Range: bytes=1000-").status == 412
        assert wire.get("/@one/file", "Range: bytes=1000-", f"If-Range: {begun.fields['etag']}").status == 206


def test_a_reload_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    root = write_bundle(tmp_path / "root", CONTENTS)
    index = (root / "bundle.json").read_bytes()
    with mirror(root, "--workers", "2") as running:
        (root / "bundle.json").write_bytes(b"{")
        running.signal(signal.SIGHUP)
        running.told("nothing is reloaded")
        assert get(running, "/dir/file") == (200, GOOD)
        assert running.told_times("mirror: reloaded") == 0
        (root / "bundle.json").write_bytes(index)
        running.reload()
        assert running.health()[0] == 200


def test_shares_and_all_files(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (shared / "sub").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"password: s3cret\n")
    (shared / "sub" / "file").write_bytes(b"shared\n")
    (shared / ".dot").write_bytes(b"dot\n")
    (shared / "out").symlink_to("../secret")
    (shared / "dir-out").symlink_to("..")
    root = write_bundle(tmp_path / "root", CONTENTS)
    for options, below in (
        (("--root", str(root), "--share", f"/extra/more={shared}"), "/extra/more"),
        (("--root", str(shared), "--all-files"), ""),
    ):
        with mirror(tmp_path, *options) as running:
            assert get(running, f"{below}/sub/file") == (200, b"shared\n")
            assert get(running, f"{below}/.dot") == (200, b"dot\n")
            for target in (
                "out",
                "dir-out/secret",
                "../secret",
                "sub/../../secret",
                "%2e%2e/secret",
                "dir-out/",
                "sub/%2e",
            ):
                status, body = get(running, f"{below}/{target}")
                assert (status, b"s3cret" in body) == (404, False), target
            with connected(running.port) as wire:
                tag = wire.get(f"{below}/sub/file").fields["etag"]
                assert wire.get(f"{below}/sub/file", f"If-None-Match: {tag}").status == 304
                (shared / "sub" / "file").write_bytes(b"another\n")
                assert wire.get(f"{below}/sub/file", f"If-None-Match: {tag}").body == b"another\n"
                assert wire.get(f"{below}/sub/file", "Range: bytes=0-3", f"If-Range: {tag}").status == 200
                (shared / "sub" / "file").write_bytes(b"shared\n")
            assert running.health()[0] == 200


@pytest.mark.parametrize(
    "option", [("--all-files",), ("--share", "/dir={}"), ("--share", "/-/x={}"), ("--share", "/kept/x={}")]
)
def test_what_would_hide_something_is_refused(tmp_path: Path, option: tuple[str, ...]) -> None:
    root = write_bundle(tmp_path / "root", CONTENTS)
    done = refused(root, *(word.format(tmp_path) for word in option))
    assert done.returncode == 8
    assert "[serve-path-taken]" in done.stderr
    assert done.stdout == ""
