"""What the tests of upstream archives share: a release of KubeEdge as a tar, and what comes out of an archive."""

from __future__ import annotations

import io
import tarfile

import pytest

from bundler.errors import BundlerError
from bundler.upstream_archive.members import read_members
from bundler.upstream_archive.stream import MemberLimits

WHERE = "https://example.test/a.tar.gz"
KEADM = "keadm-v1.11.1-linux-amd64/keadm/keadm"
NOISE = bytes(range(256)) * 3000
FILES = {"keadm-v1.11.1-linux-amd64/version": b"v1.11.1\n", KEADM: NOISE}


def tar_of(files: dict[str, bytes], *, format: int = tarfile.GNU_FORMAT, mode: int = 0o755) -> bytes:  # noqa: A002 - tarfile's name
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), mode, 1_655_000_000
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def take(archive: bytes, *wishes: str, limits: MemberLimits | None = None) -> dict[str, bytes]:
    read = read_members(io.BytesIO(archive), wishes, where=WHERE, limits=limits or MemberLimits())
    return {member.name: b"".join(chunks) for member, chunks in read}


def refused(archive: bytes, *wishes: str, limits: MemberLimits | None = None) -> BundlerError:
    with pytest.raises(BundlerError) as caught:
        take(archive, *wishes, limits=limits)
    assert caught.value.where == WHERE
    assert caught.value.remedy
    return caught.value
