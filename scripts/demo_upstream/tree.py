"""What the demo's upstream serves: URL path -> resource, and deterministic archives to fill it with."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANGED_S = 1720598400  # 2024-07-10T08:00:00Z: the date of everything that is served
CHANGED_ISO = "2024-07-10T08:00:00Z"
_CHANGED_DOS = (2024, 7, 10, 8, 0, 0)
_EXECUTABLE = 0o755


@dataclass(frozen=True, slots=True)
class Resource:
    """One answer: its bytes and its media type."""

    content: bytes
    media_type: str = "application/octet-stream"

    @property
    def digest(self) -> str:
        """`sha256:…` of the bytes."""
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"


def tar(files: Mapping[str, bytes]) -> bytes:
    """Return a tar of executable files, in the order given."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode, member.mtime = len(content), _EXECUTABLE, CHANGED_S
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def compressed(content: bytes) -> bytes:
    """Return a gzip stream that holds no date."""
    return gzip.compress(content, compresslevel=9, mtime=0)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive, in the order given."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path, _CHANGED_DOS), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
