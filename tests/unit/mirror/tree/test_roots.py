from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ServeError
from mirror.settings import ShareOption
from mirror.tree.roots import open_root, open_share

if TYPE_CHECKING:
    from pathlib import Path


def test_a_root_has_its_absolute_name_and_may_be_named_through_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    root = open_root(tmp_path / "link/../link")
    try:
        assert root.path == tmp_path / "link"
        assert os.path.samestat(os.fstat(root.descriptor), (tmp_path / "real").stat())
    finally:
        os.close(root.descriptor)


def test_a_share_is_opened_at_its_path(tmp_path: Path) -> None:
    share = open_share(ShareOption("iso", tmp_path))
    try:
        assert share.path == "iso"
        assert os.path.samestat(os.fstat(share.directory), tmp_path.stat())
    finally:
        os.close(share.directory)


@pytest.mark.parametrize("name", ["absent", "file", "file/below"])
def test_what_is_no_directory_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    for opening in (open_root, lambda path: open_share(ShareOption("x", path))):
        with pytest.raises(ServeError) as caught:
            opening(tmp_path / name)
        assert caught.value.id is ErrorId.SERVE_ROOT_UNUSABLE
        assert caught.value.where == str(tmp_path / name)
        assert caught.value.exit_code == 8
