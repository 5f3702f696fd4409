"""Packages made in memory by rpm-rs, in a millisecond each, and repositories of them as url -> bytes.

Signed ones are signed by the demo's key, whose secret half lies in this repository.
"""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import rpm_rs

from bundler.model.digest import Blob
from bundler.rpm.metadata.repodata import RepoExtras, RepoPackage, write_repodata
from scripts.demo_upstream.rpms import PUBLIC_KEY, SECRET_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUILT_S = 1_600_000_000
KEY = PUBLIC_KEY.read_bytes()
KEY_ID = "4eed7d52414636d3"


@dataclass(frozen=True, slots=True)
class SmallRpm:
    """One package: `requires` and `obsoletes` are plain capabilities, `files` paths -> content, `built` seconds."""

    name: str
    version: str = "1.0"
    release: str = "1"
    epoch: int = 0
    arch: str = "noarch"
    requires: tuple[str, ...] = ()
    obsoletes: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    built: int = BUILT_S
    signed: bool = True

    @property
    def file_name(self) -> str:
        """NAME-VERSION-RELEASE.ARCH.rpm."""
        return f"{self.name}-{self.version}-{self.release}.{self.arch}.rpm"

    def content(self) -> bytes:
        """Return the package's bytes, the same every time."""
        builder = rpm_rs.PackageBuilder(self.name, self.version, "MIT", self.arch, f"About {self.name}")
        compression = rpm_rs.CompressionType.NONE
        builder.using_config(
            rpm_rs.BuildConfig(format=rpm_rs.RpmFormat.V4, compression=compression, source_date=self.built)
        )
        builder.release(self.release)
        builder.build_host("build.example.org")
        if self.epoch:
            builder.epoch(self.epoch)
        for capability in self.requires:
            builder.requires(capability)
        for capability in self.obsoletes:
            builder.obsoletes(capability)
        for path, content in (self.files or {f"/usr/share/{self.name}": b"text\n"}).items():
            builder.with_file_contents(content, rpm_rs.FileOptions.new(path))
        package = builder.build()
        if self.signed:
            package.sign(rpm_rs.Signer(SECRET_KEY.read_bytes()), timestamp=self.built)
        return bytes(package.to_bytes())


def repository(base_url: str, rpms: Sequence[SmallRpm], extras: RepoExtras | None = None) -> dict[str, bytes]:
    """Return url -> bytes of a repository of these packages, and of the key at BASE/key.asc."""
    contents = {rpm.file_name: rpm.content() for rpm in rpms}
    with tempfile.TemporaryDirectory() as directory:
        listed = []
        for rpm in rpms:
            path = Path(directory, rpm.file_name)
            path.write_bytes(contents[rpm.file_name])
            listed.append(RepoPackage(path, rpm.file_name, Blob.of(contents[rpm.file_name]), rpm.built))
        metadata = write_repodata(listed, extras or RepoExtras())
    return {f"{base_url}/{path}": data for path, data in {**contents, **metadata, "key.asc": KEY}.items()}


def opened(data: bytes | str) -> io.BytesIO:
    """Return bytes or a text as a file."""
    return io.BytesIO(data if isinstance(data, bytes) else data.encode())
