from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.store.blobs import Store
from bundler.store.unfinished import remove_unfinished

if TYPE_CHECKING:
    from pathlib import Path


def test_a_directory_is_for_its_user_alone_and_gone_afterwards(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with store.scratch_directory() as directory, store.scratch_directory() as other:
        assert directory != other
        assert directory.stat().st_mode & 0o777 == 0o700
        (directory / "deep").mkdir()
        (directory / "deep" / "file").write_bytes(b"12345")
        (directory / "link").symlink_to("deep")
    assert list(store.scratch_root.iterdir()) == []


def test_what_a_killed_build_left_is_removed_and_what_a_living_one_has_is_not(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with store.scratch_directory() as directory:
        (directory / "file").write_bytes(b"123")
        left = store.scratch_root / "1-0"
        (left / "deep").mkdir(parents=True)
        (left / "deep" / "wheel").write_bytes(b"12345")

        removed = remove_unfinished(store)

        assert (removed.count, removed.bytes) == (1, 5)
        assert not left.exists()
        assert (directory / "file").read_bytes() == b"123"
    assert list(store.scratch_root.iterdir()) == []
