from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, ServeError
from mirror.settings import Settings
from mirror.shared.addresses import AddressTable
from mirror.shared.counters import Field, State, shared_counters
from mirror.tree.shares import Share
from mirror.worker.access_log import AccessLog
from mirror.worker.control import KeyFiles, control_pair
from mirror.worker.serving import Loader
from mirror.worker.worker import Worker
from tests.unit.mirror.bundle_tree import names_in, opened, write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.archive.bundle_root import BundleRoot

USERS = b"ann:$2y$04$Pi9F5F8I2AsMjIlztKync.j9E0ND2UZcKqkxmbPX6MVjZSqMbO0.i\n"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[BundleRoot]:
    """A root that is a bundle with one file."""
    write_bundle(tmp_path, {"a": b"first"})
    with opened(tmp_path) as opened_root:
        yield opened_root


def _open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))  # noqa: PTH208 - of descriptors, not of paths


def test_a_snapshot_holds_all_that_a_request_goes_by(root: BundleRoot) -> None:
    settings = Settings(root.path, users=Path("/etc/users"), verify=True)
    key_files = KeyFiles(users=USERS, certificate=b"c", key=b"k")
    serving = Loader(root, (Share("iso", root.descriptor),), settings).load(key_files, 4)
    assert serving.site.bundles[0].verified is True
    assert "iso/" in names_in(serving.site, "")
    assert serving.users is not None
    assert serving.users.check("ann", b"secret")
    assert (serving.key_files, serving.generation, serving.quarantine.count) == (key_files, 4, 0)


def test_without_a_file_of_users_anyone_may_and_without_verify_nothing_is_hashed(root: BundleRoot) -> None:
    serving = Loader(root, (), Settings(root.path)).load(KeyFiles(users=USERS), 1)
    assert serving.users is None
    assert serving.site.bundles[0].verified is None


def test_users_that_are_asked_for_and_absent_let_nobody_in(root: BundleRoot) -> None:
    with pytest.raises(ServeError) as caught:
        Loader(root, (), Settings(root.path, users=Path("/etc/users"))).load(KeyFiles(), 1)
    assert caught.value.id is ErrorId.SERVE_USERS_INVALID


def test_loading_keeps_no_descriptor_whether_it_succeeds_or_not(root: BundleRoot, tmp_path: Path) -> None:
    before = _open_descriptors()
    loader = Loader(root, (), Settings(root.path))
    (tmp_path / "a").unlink()
    serving = loader.load(KeyFiles(), 2)
    assert serving.generation == 2
    assert serving.quarantine.paths() == [f"{serving.site.bundles[0].short_id}/a"]
    # a mapping keeps one of its own, for as long as it lives
    del serving
    assert _open_descriptors() == before
    (tmp_path / "bundle.json").write_text("{}")
    with pytest.raises(IntegrityError):
        loader.load(KeyFiles(), 3)
    assert _open_descriptors() == before


def test_a_reload_after_the_last_bundle_went_serves_nothing_and_is_no_error(root: BundleRoot, tmp_path: Path) -> None:
    (tmp_path / "bundle.json").unlink()
    serving = Loader(root, (), Settings(root.path)).load(KeyFiles(), 2)
    assert serving.site.bundles == ()
    assert names_in(serving.site, "") == []


def test_a_worker_shows_in_its_slot_what_it_serves(root: BundleRoot, tmp_path: Path) -> None:
    settings = Settings(root.path)
    loader = Loader(root, (), settings)
    counters = shared_counters(("http",))
    control, other = control_pair()
    worker = Worker(
        0, (), settings, counters, counters.slots[0], None, AddressTable(1, 1), control, loader,
        loader.load(KeyFiles(), 1), AccessLog(None, "json"),
    )  # fmt: skip
    worker.is_ready()
    assert [worker.slot.get(field) for field in (Field.STATE, Field.GENERATION, Field.FAULTS)] == [State.READY, 1, 0]
    (tmp_path / "a").unlink()
    again = loader.load(KeyFiles(), 2)
    worker.take_over(again)
    assert worker.serving is again
    assert [worker.slot.get(field) for field in (Field.STATE, Field.GENERATION, Field.FAULTS)] == [State.READY, 2, 1]
    control.close()
    other.close()
