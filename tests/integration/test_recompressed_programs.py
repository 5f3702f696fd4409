"""What real programs have compressed is compressed again to the byte, and their layers are patched."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from bundler.delta.making import make_patch
from bundler.delta.recompressor_search import recompression_of
from bundler.delta.recompressors import recompressed
from tests.unit.delta.contents import applied, changed, pieces, program_gzip, words

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

# content in which gzip ends a block early, as zlib never does, and more than one of pigz's blocks
CONTENTS = words(400_000) + b"".join(b"%07d,x\n" % number for number in range(50_000))
LEVELS = range(1, 10)
MADE_BY = {
    **{f"gzip -{level}": ("gzip", "gzip", f"-{level}") for level in LEVELS},
    # it takes a level, and keeps to 6
    "busybox gzip": ("gzip", "busybox", "gzip"),
    **{
        f"pigz -{level} -p {jobs}": ("pigz", "pigz", f"-{level}", "-p", jobs) for level in LEVELS for jobs in ("2", "3")
    },
    # its hashes go on from block to block then
    **{f"pigz -{level} -p 1": ("pigz", "pigz", f"-{level}", "-p", "1") for level in LEVELS if level > 3},
}


@pytest.mark.parametrize("program", MADE_BY)
def test_what_a_program_made_is_made_again(tmp_path: Path, program: str) -> None:
    name, *command = MADE_BY[program]
    path = tmp_path / "packed"
    path.write_bytes(program_gzip(CONTENTS, *command))
    found = recompression_of(path)
    assert found is not None
    assert found.name == name
    assert b"".join(recompressed(pieces(gzip.decompress(path.read_bytes())), found)) == path.read_bytes()


@pytest.mark.parametrize("command", ["pigz -1 -p 1", "pigz -R", "pigz -i"])
def test_what_is_not_on_the_list_is_left(tmp_path: Path, command: str) -> None:
    path = tmp_path / "packed"
    path.write_bytes(program_gzip(CONTENTS, *command.split()))
    assert recompression_of(path) is None


def _release(directory: Path, name: str, contents: bytes) -> Path:
    """Return a file as KubeEdge's releases are: `tar -czf`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("kubeedge-v1.22.0-linux-amd64/edge/edgecore")
        member.size = len(contents)
        archive.addfile(member, io.BytesIO(contents))
    path = directory / name
    path.write_bytes(program_gzip(out.getvalue(), "gzip"))
    return path


def test_a_release_archive_is_patched(tmp_path: Path) -> None:
    old, new = _release(tmp_path, "old", CONTENTS), _release(tmp_path, "new", changed(CONTENTS))
    patch = io.BytesIO()
    recipe = make_patch(old, new, patch)
    assert recipe is not None
    assert recipe.patch.size < new.stat().st_size / 5
    assert applied(recipe, old, patch) == new.read_bytes()
