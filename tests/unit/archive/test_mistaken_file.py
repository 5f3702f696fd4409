"""Files that are named in place of an archive: each is told what it is, and which command takes it."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from bundler.archive.verify import verify_bundle
from bundler.errors import BundleFormatError, ErrorId
from bundler.model.progress import Unwatched
from bundler.source.open_source import open_source

if TYPE_CHECKING:
    from pathlib import Path


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo("bundle.json"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (b'{\n  "entries": [],\n  "format": 1\n}\n', "is a lock, not a bundle", "`bundler inspect`"),
        (b"# a site\nversion: 1\nname: demo\n", "is a manifest, not a bundle", "`bundler check`"),
        (b'{\n  "files": [],\n  "format": 1\n}\n', "is the index of a bundle", "directory"),
        (b"0" * 64 + b"  demo.tar.gz\n", "is a list of checksums", "beside it"),
        (_tar(), "is a tar that is not compressed", "NAME.tar.gz"),
        (b"PK\x03\x04 whatever", "is not a gzip file", "copy it again"),
    ],
)
def test_what_is_named_in_place_of_an_archive_is_told(tmp_path: Path, content: bytes, what: str, remedy: str) -> None:
    (tmp_path / "named").write_bytes(content)
    with pytest.raises(BundleFormatError) as verified:
        verify_bundle(tmp_path / "named", Unwatched())
    with pytest.raises(BundleFormatError) as opened, open_source(str(tmp_path / "named")):
        pass
    for error in (verified.value, opened.value):
        assert error.id is ErrorId.BUNDLE_INVALID
        assert error.what.startswith(what)
        assert remedy in error.remedy
        assert error.where == "named"
