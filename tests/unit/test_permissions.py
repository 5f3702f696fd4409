"""Which permissions are too open for which file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, StorageError
from bundler.permissions import require_private, require_protected

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("secret")
    return path


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o755])
def test_what_is_believed_may_be_read_by_everybody(file: Path, mode: int) -> None:
    file.chmod(mode)
    require_protected(file)
    require_protected(str(file), file.stat())


@pytest.mark.parametrize("mode", [0o666, 0o602, 0o777])
def test_what_is_believed_is_refused_when_everybody_may_write_it(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(StorageError) as refused:
        require_protected(file)
    assert refused.value.id is ErrorId.PERMISSIONS_TOO_OPEN
    assert refused.value.where == str(file)
    assert f"{mode:04o}" in refused.value.what
    assert "secret" not in refused.value.text()


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o440])
def test_a_key_may_be_read_by_its_group(file: Path, mode: int) -> None:
    file.chmod(mode)
    require_private(file)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o620, 0o602, 0o606])
def test_a_key_that_others_may_have_read_or_written_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(StorageError, match="private key"):
        require_private(file)


def test_a_link_is_what_it_leads_to(file: Path) -> None:
    file.chmod(0o666)
    link = file.with_name("link")
    link.symlink_to(file)
    with pytest.raises(StorageError):
        require_protected(link)


def test_what_is_no_file_or_is_not_there_has_no_permissions(tmp_path: Path) -> None:
    require_protected(tmp_path / "absent")
    tmp_path.chmod(0o777)
    require_protected(tmp_path)
    read_end, write_end = os.pipe()
    require_private(f"/proc/self/fd/{read_end}")
    os.close(read_end)
    os.close(write_end)
    require_private("/dev/null")
