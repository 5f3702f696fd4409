"""The archive as other programs see it, and the writer under kill -9, a full disk and a memory limit."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.archive.verify import verify_archive, verify_tree
from bundler.archive.verify_report import require_intact
from bundler.errors import ErrorId, IntegrityError, StorageError
from bundler.model.digest import Blob
from bundler.model.progress import Unwatched
from tests.sources import unpack
from tests.unit.archive.bundles import Sample, files_below, sample, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
LONG = "/".join(["directory-" + "d" * 80] * 3) + "/" + "file-" + "f" * 200
CONTENTS = {
    "kubeedge/keadm-amd64": Path(sys.executable).resolve().read_bytes()[: 3 << 20],
    "kubeedge/random.tar.gz": random.Random(5).randbytes(2 << 20),
    "kubeedge/crds/text.yaml": b"kind: CustomResourceDefinition\n" * 50_000,
    LONG: b"under a long name",
    "names/with spaces and 'quotes'": b"1",
    "names/-leading-dash": b"2",
    "names/中文名": b"3",
    "names/" + "é" * 100: b"4",
    "-dash at the top": b"5",
    "harbor/empty": b"",
    **{f"yum/repodata/{number:04}.xml": b"%d\n" % number for number in range(500)},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sample, Path]:
    """A bundle with all kinds of names, and its archive."""
    directory = tmp_path_factory.mktemp("made")
    made = sample(directory, CONTENTS)
    return made, made.write(directory / "demo.tar.gz").path


def _run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _is_whole(directory: Path, made: Sample) -> None:
    assert files_below(directory) == tree_of(made.bundle, made.store.blobs)
    _run("sha256sum", "--quiet", "--strict", "-c", "SHA256SUMS", cwd=directory)
    require_intact(verify_tree(directory, Unwatched(), strict=True))
    for file in made.bundle.files:
        assert (directory / file.path).stat().st_mode & 0o7777 == file.mode
        if file.mtime is not None:
            assert (directory / file.path).stat().st_mtime == file.mtime


@pytest.mark.parametrize(
    "command",
    [("tar", "-zxf"), ("tar", "--format=gnu", "-xpf"), ("busybox", "tar", "-zxf")],
    ids=["GNU tar", "GNU tar -p", "busybox tar"],
)
def test_other_tars_unpack_it(tmp_path: Path, made: tuple[Sample, Path], command: tuple[str, ...]) -> None:
    _run(*command, made[1], cwd=tmp_path)
    _is_whole(tmp_path, made[0])


def test_python_unpacks_it(tmp_path: Path, made: tuple[Sample, Path]) -> None:
    with tarfile.open(made[1]) as archive:
        assert not archive.pax_headers
        archive.extractall(tmp_path, filter="data")
    for file in made[0].bundle.files:
        (tmp_path / file.path).chmod(file.mode)
    _is_whole(tmp_path, made[0])


def test_ours_unpacks_it_like_gnu_tar(tmp_path: Path, made: tuple[Sample, Path]) -> None:
    (tmp_path / "theirs").mkdir()
    _run("tar", "-zxf", made[1], cwd=tmp_path / "theirs")
    unpack(made[1], tmp_path / "ours", Unwatched())
    _is_whole(tmp_path / "ours", made[0])
    listing = ("find", ".", "-mindepth", "1", "-printf", "%p %m %u %g %T@ %y\n")
    theirs, ours = (sorted(_run(*listing, cwd=tmp_path / name).splitlines()) for name in ("theirs", "ours"))
    assert [line.replace(" 4096 ", " ") for line in ours] == [line.replace(" 4096 ", " ") for line in theirs]


@pytest.mark.parametrize("command", [("gzip", "-t"), ("pigz", "-t"), ("tar", "-tzf")])
def test_other_programs_find_no_fault(made: tuple[Sample, Path], command: tuple[str, ...]) -> None:
    done = subprocess.run([*command, made[1]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_sums_beside_it_are_those_of_sha256sum(made: tuple[Sample, Path]) -> None:
    assert _run("sha256sum", "-c", "demo.tar.gz.sha256", cwd=made[1].parent) == "demo.tar.gz: OK\n"


def test_the_listing_shows_owner_modes_and_the_index_first(made: tuple[Sample, Path]) -> None:
    lines = _run("tar", "--utc", "-tvzf", made[1]).splitlines()
    assert lines[0].split()[:2] == ["-rw-r--r--", "root/root"]
    assert lines[0].endswith(" bundle.json")
    assert any(line.startswith("drwxr-xr-x root/root") and line.endswith(" yum/") for line in lines)
    assert any(line.startswith("-rwxr-xr-x root/root") and line.endswith("/keadm-amd64") for line in lines)


def test_parts_are_joined_by_cat(tmp_path: Path, made: tuple[Sample, Path]) -> None:
    _run("split", "-b", "1M", "-d", "-a", "3", made[1], tmp_path / "demo.tar.gz.")
    sums = _run("sh", "-c", "sha256sum demo.tar.gz.[0-9]*", cwd=tmp_path)
    (tmp_path / "demo.tar.gz.parts.sha256").write_text(sums)
    (tmp_path / "tree").mkdir()
    _run("sh", "-c", "cat ../demo.tar.gz.[0-9]* | tar -zxf -", cwd=tmp_path / "tree")
    _is_whole(tmp_path / "tree", made[0])
    require_intact(verify_archive(tmp_path / "demo.tar.gz", Unwatched()))


@pytest.mark.parametrize(("style", "order"), [("gnu", "none"), ("ustar", "name"), ("pax", "none"), ("oldgnu", "name")])
def test_a_tree_packed_again_by_gnu_tar_is_not_what_was_built(tmp_path: Path, style: str, order: str) -> None:
    made = sample(tmp_path, {key: data for key, data in CONTENTS.items() if key.startswith(("names/中", "kubeedge/"))})
    made.write(tmp_path / "demo.tar.gz")
    unpack(tmp_path / "demo.tar.gz", tmp_path / "tree", Unwatched())
    _run("tar", f"--format={style}", f"--sort={order}", "-C", tmp_path / "tree", "-czf", tmp_path / "again.tar.gz", ".")
    report = verify_archive(tmp_path / "again.tar.gz", Unwatched())
    # the names begin with ./ and the fields have other forms
    assert set(report.ownership.header) >= {str(file.path) for file in made.bundle.files}
    assert (report.id, report.missing, report.changed, report.unlisted) == (made.bundle.id, (), (), ())
    with pytest.raises(IntegrityError, match="its headers are not those that were written"):
        unpack(tmp_path / "again.tar.gz", tmp_path / "once more", Unwatched())
    assert not (tmp_path / "once more").exists()


# Writes the archive of tests.unit.archive.bundles from a store directory; says when the first bytes are down.
CHILD = """
import sys
from pathlib import Path
from bundler.archive.writer import write_archive
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.placement import Placement
store, out, stall = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "stall"
class Task:
    def expect(self, total_bytes): pass
    def advance(self, count):
        if stall:
            print("writing", flush=True)
            sys.stdin.read()
    def note(self, text): pass
    def finish(self, outcome=""): pass
files = [
    Placement(BundlePath(f"f/{number:05}"), Blob(Digest("sha256", path.name), path.stat().st_size), "files", mtime=1)
    for number, path in enumerate(sorted(store.iterdir()))
]
write_archive(files, store_path=lambda blob: store / blob.digest.hex, out=out, task=Task())
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")))
"""


def _fill_store(directory: Path, blobs: Iterable[bytes]) -> Path:
    directory.mkdir()
    for data in blobs:
        (directory / hashlib.sha256(data).hexdigest()).write_bytes(data)
    return directory


def _child(store: Path, out: Path, how: str) -> list[str]:
    return [sys.executable, "-c", CHILD, str(store), str(out), how]


def test_a_killed_build_leaves_only_its_partial_file_and_the_next_one_the_same_bytes(tmp_path: Path) -> None:
    store = _fill_store(tmp_path / "store", (random.Random(n).randbytes(1 << 20) for n in range(24)))
    out = tmp_path / "out"
    out.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        _child(store, tmp_path / "intact.tar.gz", "run"), check=True, env=environment, stdout=subprocess.PIPE
    )
    with subprocess.Popen(
        _child(store, out / "demo.tar.gz", "stall"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"writing\n"
        killed.send_signal(signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in out.iterdir()] == [".demo.tar.gz.partial"]
    subprocess.run(_child(store, out / "demo.tar.gz", "run"), check=True, env=environment, stdout=subprocess.PIPE)
    assert sorted(path.name for path in out.iterdir()) == ["demo.tar.gz", "demo.tar.gz.sha256"]
    assert Blob.of((out / "demo.tar.gz").read_bytes()) == Blob.of((tmp_path / "intact.tar.gz").read_bytes())


def test_memory_does_not_grow_with_the_bundle(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    peaks = []
    for count in (1, 12):
        store = _fill_store(tmp_path / f"store{count}", (random.Random(n).randbytes(16 << 20) for n in range(count)))
        command = _child(store, tmp_path / f"{count}.tar.gz", "run")
        done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
        peaks.append(int(done.stdout) / 1024)
        shutil.rmtree(store)
    assert peaks[1] < 150
    assert peaks[1] < peaks[0] + 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    mount = tmp_path / "small"
    mount.mkdir()
    _run("mount", "-t", "tmpfs", "-o", "size=2m", "bundler-test", mount)
    yield mount
    _run("umount", mount)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, small_disk: Path) -> None:
    made = sample(tmp_path, {"kubeedge/random": random.Random(9).randbytes(4 << 20)})
    with pytest.raises(StorageError) as caught:
        made.write(small_disk / "demo.tar.gz")
    assert caught.value.id is ErrorId.DISK_FULL
    assert list(small_disk.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_unpacking_asks_for_room_before_it_writes(tmp_path: Path, small_disk: Path) -> None:
    made = sample(tmp_path, {"kubeedge/random": random.Random(9).randbytes(4 << 20)})
    made.write(tmp_path / "demo.tar.gz")
    with pytest.raises(StorageError, match="are free") as caught:
        unpack(tmp_path / "demo.tar.gz", small_disk / "opt", Unwatched())
    assert caught.value.id is ErrorId.DISK_FULL
    assert list(small_disk.iterdir()) == []


UNPACKING_CHILD = """
import sys
from pathlib import Path
from bundler.archive.unpack import unpack
from bundler.source.open_source import open_source
class Task:
    def expect(self, total_bytes): pass
    def advance(self, count):
        if count > 60_000:
            print("unpacking", flush=True)
            sys.stdin.read()
    def note(self, text): pass
    def finish(self, outcome=""): pass
with open_source(sys.argv[1]) as reader:
    unpack(reader, Path(sys.argv[2]), Task())
"""


def test_a_killed_unpack_leaves_no_bundle_and_the_next_one_completes_it(
    tmp_path: Path, made: tuple[Sample, Path]
) -> None:
    target = tmp_path / "opt"
    with subprocess.Popen(
        [sys.executable, "-c", UNPACKING_CHILD, str(made[1]), str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"unpacking\n"
        killed.send_signal(signal.SIGKILL)
    staging = f".demo-{made[0].bundle.id[:12]}.partial"
    assert [path.name for path in target.iterdir()] == [staging]
    unpack(made[1], target, Unwatched())
    _is_whole(target, made[0])


def test_the_stream_is_what_gzip_makes_of_the_members(made: tuple[Sample, Path]) -> None:
    plain = gzip.decompress(made[1].read_bytes())
    assert len(plain) % 10240 == 0
    assert plain.endswith(bytes(1024))
