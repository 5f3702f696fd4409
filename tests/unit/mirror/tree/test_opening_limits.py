"""What a process that has no descriptors left says of a file: nothing."""

from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING

import pytest

from mirror.tree.opening import NotTheCheckedFileError, open_checked
from tests.unit.mirror.bundle_tree import file_at, opened, site_of, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from mirror.tree.served import File


def _reason_without_descriptors(file: File) -> bool:
    """Return `is_passing` of the error, from a child process that may open nothing more."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
        try:
            open_checked(file)
        except NotTheCheckedFileError as error:
            os.write(write_end, b"passing" if error.is_passing else b"fault")
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as said:
        answer = said.read()
    os.waitpid(child, 0)
    assert answer in (b"passing", b"fault")
    return answer == b"passing"


def test_a_full_table_of_descriptors_is_no_fault_of_the_file(tmp_path: Path) -> None:
    with opened(write_bundle(tmp_path / "root")) as root:
        file = file_at(site_of(root), "kubeedge/keadm-amd64")
        assert _reason_without_descriptors(file)


def test_a_file_that_is_gone_is(tmp_path: Path) -> None:
    tree = write_bundle(tmp_path / "root")
    with opened(tree) as root:
        file = file_at(site_of(root), "kubeedge/keadm-amd64")
        (tree / "kubeedge/keadm-amd64").unlink()
        with pytest.raises(NotTheCheckedFileError) as refused:
            open_checked(file)
        assert not refused.value.is_passing
