"""What a kill, a second build and a full disk do to a download: the next run goes on where it stopped."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, StorageError
from bundler.model.digest import Blob
from bundler.store.blobs import Store
from bundler.store.disk_usage import store_usage
from bundler.store.prune import prune
from tests.fakes.faulty_server import Stall, faulty_server
from tests.integration.download_site import BLOB, BODY, PATH, Site, rest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration
HERE = Path(__file__).parent


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with faulty_server() as server:
        yield Site(server, Store(tmp_path / "store"))


@contextmanager
def fetching(site: Site, **options: object) -> Iterator[subprocess.Popen[str]]:
    """Run fetch_one.py on the site; it is killed at the end if it still runs."""
    blob = Blob.of(site.server.files[PATH].body)
    command = [sys.executable, str(HERE / "fetch_one.py")]
    arguments = [str(site.store.root), site.server.url(PATH), blob.digest.hex, str(blob.size)]
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[1]), "NO_PROXY": "*"}
    child = subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        **options,  # type: ignore[call-overload] # passed on by name
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def last_word(child: subprocess.Popen[str]) -> str:
    """Wait for the end of a child and return what it said last."""
    assert child.stdout
    words = child.stdout.read().split("\n")
    assert child.wait() == 0
    return words[-2]


@pytest.mark.parametrize("arrived", [1, 250_000, 599_999])
def test_a_killed_download_is_continued(site: Site, arrived: int) -> None:
    site.serve(Stall(arrived))
    with fetching(site) as child:
        assert child.stdout
        assert child.stdout.readline() == "waiting\n"
        written = 0
        while written < arrived:
            written += int(child.stdout.readline())
            if written == arrived:
                child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    assert [partial.bytes for partial in store_usage(site.store).partial] == [arrived]
    assert store_usage(site.store).count == 0
    with fetching(site) as child:
        assert last_word(child) == "fetched"
    assert site.ranges == ["all", rest(arrived)]
    assert site.store.read(BLOB) == BODY
    assert site.server.bytes_sent(PATH) == BLOB.size
    assert prune(site.store, frozenset({BLOB})).bytes == 0


def test_a_kill_at_any_moment_leaves_bytes_and_validator_that_belong_together(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, str(HERE / "crash_points.py"), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = finished.stdout.splitlines()
    assert lines[-1] == "admitted True"
    assert {'"1" "1"', '"2" "2"', "none any"} <= set(lines)
    allowed = {f"{validator} {begun}" for validator in ('"1"', '"2"') for begun in (validator, "any")}
    assert {line for line in lines if not line.startswith(("none ", "admitted "))} <= allowed
    assert "admitted False" not in lines


def test_two_processes_that_want_the_same_move_it_once(site: Site) -> None:
    site.serve(Stall(250_000))
    with fetching(site) as first:
        assert site.server.stalled.acquire(timeout=30)
        with fetching(site) as second:
            assert second.stdout
            assert second.stdout.readline() == "waiting\n"
            site.server.released.set()
            assert (last_word(first), last_word(second)) == ("fetched", "present")
    assert site.server.bytes_sent(PATH) == BLOB.size
    assert site.store.read(BLOB) == BODY


def test_a_umask_of_077_does_no_harm(site: Site) -> None:
    site.serve()
    with fetching(site, umask=0o077) as child:
        assert last_word(child) == "fetched"
    assert site.store.path(BLOB).stat().st_mode & 0o777 == 0o600
    assert site.store.read(BLOB) == BODY


def test_a_file_that_outgrows_its_limit_is_a_full_disk_and_continued_later(site: Site) -> None:
    site.serve()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, resource.RLIM_INFINITY))

    with fetching(site, preexec_fn=limit) as child:
        assert last_word(child) == f"failed {ErrorId.FILE_TOO_LARGE}"
    assert [partial.bytes for partial in store_usage(site.store).partial] == [250_000]
    site.download()
    assert site.store.read(BLOB) == BODY
    assert site.ranges[-1] == rest(250_000)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB, which a test may enlarge."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"mounting a tmpfs needs root: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_is_named_and_the_download_continued_when_there_is_room(site: Site, small_disk: Path) -> None:
    site.store = Store(small_disk / "store")
    site.serve()
    with pytest.raises(StorageError) as raised:
        site.download()
    assert raised.value.id == ErrorId.DISK_FULL
    assert str(small_disk) in str(raised.value)
    held = store_usage(site.store).partial[0].bytes
    assert 0 < held < BLOB.size
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    site.download()
    assert site.store.read(BLOB) == BODY
    assert site.ranges == ["all", rest(held)]


def test_a_read_only_disk_is_named(site: Site, small_disk: Path) -> None:
    site.store = Store(small_disk / "store")
    site.store.put(b"small")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    site.serve()
    with pytest.raises(StorageError) as raised:
        site.download()
    assert raised.value.id == ErrorId.STORAGE_UNUSABLE
    assert site.store.read(Blob.of(b"small")) == b"small"
