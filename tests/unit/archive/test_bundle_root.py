"""Bundles side by side: complete or absent, stored once, activated in one step, removed without a trace."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.archive.bundle_list import list_bundles
from bundler.archive.bundle_removal import remove_bundle
from bundler.archive.bundle_root import chosen, opened_root
from bundler.archive.extract import require_room
from bundler.archive.left_staging import fetched_bytes
from bundler.archive.root_record import RECORD_NAME, read_verified, remember_verified_tree
from bundler.archive.unpack_beside import unpack_beside
from bundler.archive.verify import verify_tree
from bundler.errors import ErrorId, IntegrityError, SiteError, StorageError
from bundler.model.progress import Unwatched
from bundler.source.open_source import open_source, require_id
from tests.fakes.progress import RecordingTask
from tests.unit.archive.bundles import CONTENTS, files_below, sample, tree_of

if TYPE_CHECKING:
    from bundler.archive.unpack import Unpacked
    from bundler.model.progress import Task
    from tests.unit.archive.bundles import Sample

NEWER = {**CONTENTS, "kubeedge/crds/devices_v1alpha2_device.yaml": b"kind: Newer\n", "harbor/more": b"more"}
CHANGED = {"bundle.json", "SHA256SUMS", "kubeedge/crds/devices_v1alpha2_device.yaml", "harbor/more"}


@pytest.fixture
def older(tmp_path: Path) -> Sample:
    """A bundle with its archive older.tar.gz."""
    made = sample(tmp_path)
    made.write(tmp_path / "older.tar.gz")
    return made


@pytest.fixture
def newer(tmp_path: Path) -> Sample:
    """The next one, with its archive newer.tar.gz."""
    made = sample(tmp_path, NEWER)
    made.write(tmp_path / "newer.tar.gz")
    return made


def put(source: Path, root: Path, task: Task | None = None, *, activate: bool = False) -> Unpacked:
    with open_source(str(source)) as reader:
        return unpack_beside(reader, root, task or Unwatched(), activate=activate)


def name_of(made: Sample) -> str:
    return f"demo-{made.bundle.id[:12]}"


def names_in(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()} - {RECORD_NAME}


def inodes(tree: Path) -> dict[str, int]:
    return {str(path.relative_to(tree)): path.stat().st_ino for path in tree.rglob("*") if path.is_file()}


@pytest.mark.parametrize("source", ["archive", "tree"])
def test_what_two_bundles_share_is_stored_once(tmp_path: Path, older: Sample, newer: Sample, source: str) -> None:
    root = tmp_path / "srv/bundles"
    first = put(tmp_path / "older.tar.gz", root)
    assert (first.directory, first.present, first.linked_bytes) == (root / name_of(older), False, 0)
    path = tmp_path / "newer.tar.gz"
    if source == "tree":
        path = put(path, tmp_path / "elsewhere").directory
    task = RecordingTask()
    second = put(path, root, task)
    assert task.advanced == second.content_bytes
    assert names_in(root) == {name_of(older), name_of(newer)}
    for made in (older, newer):
        assert files_below(root / name_of(made)) == tree_of(made.bundle, made.store.blobs)
        assert verify_tree(root / name_of(made), Unwatched(), strict=True).intact
    before, after = inodes(first.directory), inodes(second.directory)
    assert {path for path in after if before.get(path) != after[path]} == CHANGED
    shared = {path for path in after if path not in CHANGED}
    assert second.linked_bytes == sum((second.directory / path).stat().st_size for path in shared)


def test_a_file_that_has_rotted_is_not_linked(tmp_path: Path, older: Sample, newer: Sample) -> None:
    root = tmp_path / "root"
    first = put(tmp_path / "older.tar.gz", root).directory
    rotten = first / "kubeedge/random.tar.gz"
    rotten.write_bytes(rotten.read_bytes()[:-1] + b"?")
    (first / "kubeedge/keadm-amd64").chmod(0o777)
    (first / "yum/repodata/repomd.xml").unlink()
    (first / "yum/repodata/repomd.xml").symlink_to("/etc/passwd")
    second = put(tmp_path / "newer.tar.gz", root)
    assert verify_tree(second.directory, Unwatched(), strict=True).intact
    same = ("k8simage/oci-layout", "harbor/empty", "manifest.yaml", "lock.json")
    assert second.linked_bytes == sum((second.directory / path).stat().st_size for path in same)
    assert older.bundle.id != newer.bundle.id


def test_a_sibling_whose_index_is_no_index_is_no_hindrance(tmp_path: Path, older: Sample, newer: Sample) -> None:
    root = tmp_path / "root"
    (put(tmp_path / "older.tar.gz", root).directory / "bundle.json").write_bytes(b"{")
    (root / "other").mkdir()
    (root / "other/bundle.json").mkdir()
    second = put(tmp_path / "newer.tar.gz", root)
    assert (second.linked_bytes, verify_tree(second.directory, Unwatched()).intact) == (0, True)
    with opened_root(root) as opened:
        listed = {bundle.directory: bundle for bundle in list_bundles(opened)}
    assert listed.keys() == {name_of(older), name_of(newer)}
    assert (bool(listed[name_of(older)].fault), listed[name_of(older)].id) == (True, "")


def test_a_root_that_is_a_bundle_itself_takes_others(tmp_path: Path, older: Sample, newer: Sample) -> None:
    root = tmp_path / "opt"
    subprocess.run(["tar", "-zxf", tmp_path / "older.tar.gz", "-C", _made(root)], check=True)
    with opened_root(root) as opened:
        assert (opened.directories(), opened.current()) == (["."], ".")
    second = put(tmp_path / "newer.tar.gz", root, activate=True)
    assert second.linked_bytes > 0
    with opened_root(root) as opened:
        assert (opened.directories(), opened.current()) == ([".", name_of(newer)], name_of(newer))
        with pytest.raises(SiteError, match="is the root itself"):
            remove_bundle(opened, ".")
        opened.activate(".")
        assert (opened.current(), opened.target()) == (".", "")
        remove_bundle(opened, name_of(newer))
    assert files_below(root).keys() - {RECORD_NAME} == tree_of(older.bundle, older.store.blobs).keys()


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True)
    return directory


def test_putting_it_there_again_completes_it(tmp_path: Path, older: Sample) -> None:
    root = tmp_path / "root"
    tree = put(tmp_path / "older.tar.gz", root).directory
    assert put(tmp_path / "older.tar.gz", root).present
    (tree / "kubeedge/keadm-amd64").unlink()
    (tree / "bundle.json").unlink()
    assert not put(tmp_path / "older.tar.gz", root).present
    assert files_below(tree) == tree_of(older.bundle, older.store.blobs)
    (tree / "kubeedge/keadm-amd64").write_bytes(b"other")
    with pytest.raises(StorageError, match="keadm-amd64"):
        put(tmp_path / "older.tar.gz", root)


def test_a_damaged_archive_leaves_nothing(tmp_path: Path, older: Sample, newer: Sample) -> None:
    root = tmp_path / "root"
    put(tmp_path / "older.tar.gz", root, activate=True)
    data = bytearray((tmp_path / "newer.tar.gz").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "newer.tar.gz").write_bytes(data)
    with pytest.raises(IntegrityError):
        put(tmp_path / "newer.tar.gz", root, activate=True)
    assert names_in(root) == {name_of(older), "current"}
    assert (root / "current").readlink() == Path(name_of(older))
    assert newer.bundle.files


@pytest.mark.parametrize("wanted", ["0" * 12, "f" * 64])
def test_another_id_than_the_wanted_one_is_refused(tmp_path: Path, older: Sample, wanted: str) -> None:
    with open_source(str(tmp_path / "older.tar.gz")) as reader:
        with pytest.raises(IntegrityError) as raised:
            require_id(reader.checked, wanted)
        for fitting in ("", older.bundle.id[:12], older.bundle.id):
            require_id(reader.checked, fitting)
    assert (raised.value.id, raised.value.got) == (ErrorId.BUNDLE_OTHER_ID, older.bundle.id)


def test_current_is_one_relative_link_and_rolls_back(tmp_path: Path, older: Sample, newer: Sample) -> None:
    root = tmp_path / "root"
    put(tmp_path / "older.tar.gz", root, activate=True)
    put(tmp_path / "newer.tar.gz", root, activate=True)
    assert (root / "current").readlink() == Path(name_of(newer))
    # left by a run that was killed between its two calls
    (root / ".current.partial").symlink_to("nowhere")
    with opened_root(root) as opened:
        opened.activate(chosen(opened, older.bundle.id[:5]))
    assert (root / "current").readlink() == Path(name_of(older))
    assert names_in(root) == {name_of(older), name_of(newer), "current"}


def test_what_else_is_called_current_stays(tmp_path: Path, older: Sample) -> None:
    root = tmp_path / "root"
    (root / "current").mkdir(parents=True)
    with pytest.raises(SiteError) as raised:
        put(tmp_path / "older.tar.gz", root, activate=True)
    assert raised.value.id is ErrorId.BUNDLE_CURRENT_TAKEN
    assert (root / "current").is_dir()
    assert older.bundle.files


@pytest.mark.parametrize(
    "target",
    ["/etc", "../root/../..", "absent", "..", "demo-0123456789ab/../..", "current", "link", "x" * 300],
)
def test_a_link_that_leads_elsewhere_makes_nothing_active(tmp_path: Path, older: Sample, target: str) -> None:
    root = tmp_path / "root"
    put(tmp_path / "older.tar.gz", root)
    (root / "current").symlink_to(target)
    (root / "link").symlink_to(name_of(older))
    with opened_root(root, change=False) as opened:
        assert opened.current() is None
        assert not any(bundle.active for bundle in list_bundles(opened))
    assert older.bundle.files


@pytest.mark.parametrize("absolute", [False, True])
def test_a_link_may_say_the_root_s_own_path(tmp_path: Path, older: Sample, absolute: bool) -> None:
    root = tmp_path / "root"
    tree = put(tmp_path / "older.tar.gz", root).directory
    (root / "current").symlink_to(tree if absolute else f"./{tree.name}/")
    with opened_root(root, change=False) as opened:
        assert opened.current() == name_of(older)


def test_the_list_tells_what_removing_would_free(tmp_path: Path, older: Sample, newer: Sample) -> None:
    root = tmp_path / "root"
    put(tmp_path / "older.tar.gz", root, activate=True)
    put(tmp_path / "newer.tar.gz", root)
    with opened_root(root, change=False) as opened:
        listed = {bundle.directory: bundle for bundle in list_bundles(opened)}
    of_newer = listed[name_of(newer)]
    alone = sum((root / name_of(newer) / path).stat().st_size for path in CHANGED)
    assert of_newer.alone_bytes == alone
    assert of_newer.alone_bytes + of_newer.shared_bytes == sum(file.blob.size for file in newer.bundle.files)
    assert {name: bundle.active for name, bundle in listed.items()} == {name_of(older): True, name_of(newer): False}
    assert (of_newer.release, of_newer.name, of_newer.id) == ("2025.03", "demo", newer.bundle.id)
    assert of_newer.verified_s is not None
    with opened_root(root) as opened:
        removed = remove_bundle(opened, name_of(newer))
    assert (removed.count, removed.bytes) == (len(newer.bundle.files), alone)
    assert names_in(root) == {name_of(older), "current"}
    assert verify_tree(root / name_of(older), Unwatched(), strict=True).intact


def test_the_active_one_is_removed_only_when_that_is_said(tmp_path: Path, older: Sample) -> None:
    root = tmp_path / "root"
    put(tmp_path / "older.tar.gz", root, activate=True)
    with opened_root(root) as opened:
        with pytest.raises(SiteError) as raised:
            remove_bundle(opened, name_of(older))
        assert raised.value.id is ErrorId.BUNDLE_ACTIVE
        remove_bundle(opened, name_of(older), deactivate=True)
    # nor is anything written down about what is gone
    assert list(root.iterdir()) == []


def test_somebody_s_own_files_are_not_removed(tmp_path: Path, older: Sample) -> None:
    root = tmp_path / "root"
    tree = put(tmp_path / "older.tar.gz", root).directory
    (tree / "harbor/harbor.yml").write_bytes(b"password: x")
    with opened_root(root) as opened, pytest.raises(SiteError, match=r"harbor/harbor\.yml") as raised:
        remove_bundle(opened, name_of(older))
    assert raised.value.id is ErrorId.BUNDLE_HOLDS_OTHERS
    assert files_below(tree).keys() == {*tree_of(older.bundle, older.store.blobs), "harbor/harbor.yml"}


def test_what_a_process_runs_from_is_not_removed(tmp_path: Path) -> None:
    contents = {"bin/sleep": Path("/bin/sleep").resolve().read_bytes()}
    made = sample(tmp_path, contents)
    made.write(tmp_path / "demo.tar.gz")
    root = tmp_path / "root"
    program = put(tmp_path / "demo.tar.gz", root).directory / "bin/sleep"
    program.chmod(0o755)
    with subprocess.Popen([program, "1000"]) as running:
        try:
            with opened_root(root) as opened, pytest.raises(SiteError, match=f"process {running.pid}") as raised:
                remove_bundle(opened, name_of(made))
            assert raised.value.id is ErrorId.BUNDLE_IN_USE
        finally:
            running.kill()
    with opened_root(root) as opened:
        remove_bundle(opened, name_of(made))
    assert names_in(root) == set()


def test_a_name_that_fits_nothing_or_several_is_told(tmp_path: Path, older: Sample) -> None:
    root = tmp_path / "root"
    put(tmp_path / "older.tar.gz", root)
    with opened_root(root) as opened:
        assert chosen(opened, f"{name_of(older)}/") == name_of(older)
        with pytest.raises(SiteError, match=r"no bundle of the name '\.\./root'") as raised:
            chosen(opened, "../root")
        assert name_of(older) in raised.value.remedy
        with pytest.raises(SiteError, match="no bundle"):
            chosen(opened, ".")
        for nobody_s in ("", "/", "d", "demo"):
            with pytest.raises(SiteError, match="no bundle"):
                chosen(opened, nobody_s)


class Killed(Unwatched):
    """Ends its process at a moment that is counted in reports of progress."""

    def __init__(self, after: int) -> None:
        self._left = after

    def advance(self, count: int) -> None:
        self._left -= 1
        if count and self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("after", [1, 4, 8])
def test_after_a_kill_the_next_run_ends_as_if_nothing_had_been(
    tmp_path: Path, older: Sample, newer: Sample, after: int
) -> None:
    root = tmp_path / "root"
    put(tmp_path / "older.tar.gz", root, activate=True)
    child = os.fork()
    if child == 0:
        put(tmp_path / "newer.tar.gz", root, Killed(after), activate=True)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert (root / "current").readlink() == Path(name_of(older))
    assert not (root / name_of(newer)).exists()
    unpacked = put(tmp_path / "newer.tar.gz", root, activate=True)
    assert unpacked.removed.count > 0
    assert names_in(root) == {name_of(older), name_of(newer), "current"}
    assert files_below(root / name_of(newer)) == tree_of(newer.bundle, newer.store.blobs)


def test_what_a_killed_removal_left_goes_with_the_next_run(tmp_path: Path, older: Sample, newer: Sample) -> None:
    root = tmp_path / "root"
    tree = put(tmp_path / "older.tar.gz", root).directory
    left = root / f".{tree.name}.partial"
    left.mkdir(mode=0o700)
    tree.rename(left / "tree")
    unpacked = put(tmp_path / "newer.tar.gz", root)
    assert unpacked.removed.count == len(older.bundle.files) + 1
    assert names_in(root) == {name_of(newer)}


def test_making_room_throws_nothing_away_that_was_fetched(tmp_path: Path, older: Sample) -> None:
    root = tmp_path / "root"
    put(tmp_path / "older.tar.gz", root)
    waiting = root / ".demo-0123456789ab.fetched/partial"
    waiting.mkdir(parents=True)
    (waiting / "half").write_bytes(b"half of it")
    with opened_root(root) as opened:
        remove_bundle(opened, name_of(older))
    assert (waiting / "half").exists()


def test_what_was_fetched_needs_no_second_room(tmp_path: Path, older: Sample) -> None:
    waiting = tmp_path / f".{name_of(older)}.fetched"
    (waiting / "sha256/ab").mkdir(parents=True)
    (waiting / "sha256/ab/blob").write_bytes(bytes(700))
    (waiting / "half").write_bytes(bytes(300))
    (waiting / "link").symlink_to("half")
    with opened_root(tmp_path) as opened:
        assert fetched_bytes(opened.descriptor, waiting.name) == 1000
        assert fetched_bytes(opened.descriptor, "absent") == 0
        disk = os.fstatvfs(opened.descriptor)
        size = disk.f_bavail * disk.f_frsize + 2**30
        with pytest.raises(StorageError, match="are free"):
            require_room(opened.descriptor, tmp_path, [size])
        require_room(opened.descriptor, tmp_path, [size], there_bytes=2**31)


def test_writing_down_that_it_was_verified_waits_for_nobody(tmp_path: Path, older: Sample) -> None:
    root = tmp_path / "root"
    tree = put(tmp_path / "older.tar.gz", root).directory
    (root / RECORD_NAME).write_text("{}")
    with opened_root(root) as opened:
        # in another process this would be hours
        remember_verified_tree(tree)
        assert read_verified(opened) == {}
    remember_verified_tree(tree)
    with opened_root(root) as opened:
        assert read_verified(opened).keys() == {name_of(older)}


def test_two_at_once_take_turns(tmp_path: Path, older: Sample, newer: Sample) -> None:
    root = tmp_path / "root"
    outcomes: list[bool] = []

    def one(archive: str) -> None:
        outcomes.append(put(tmp_path / archive, root, activate=True).present)

    threads = [threading.Thread(target=one, args=(f"{word}.tar.gz",)) for word in ("older", "newer", "older", "newer")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, True, True]
    assert names_in(root) == {name_of(older), name_of(newer), "current"}
    assert (root / "current").is_dir()
