"""The demo's yum repositories, one for each of two architectures: small signed packages that need each other.

They are signed by the key beside this file, whose secret half everybody has: it proves nothing to anybody. Made with
rpm-rs and createrepo_c, without root and without rpmbuild.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import createrepo_c
import rpm_rs

from scripts.demo_upstream.elf import speaking_program
from scripts.demo_upstream.tree import CHANGED_S, Resource, compressed

SECRET_KEY = Path(__file__).with_name("throw-away-secret-key.asc")
PUBLIC_KEY = Path(__file__).with_name("throw-away-public-key.asc")
KEY_PATH = "/rpms/RPM-GPG-KEY-demo"
# rpm's word for an architecture -> that of the programs
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_METADATA = "http://linux.duke.edu/metadata"


@dataclass(frozen=True, slots=True)
class DemoPackage:
    """A package; `program` is whether it brings an executable /usr/bin/NAME, which is not for every architecture."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    program: bool = False

    def build(self, arch: str) -> tuple[str, bytes]:
        """Return file name and content for an architecture, the same every time."""
        own_arch = arch if self.program else "noarch"
        builder = rpm_rs.PackageBuilder(self.name, self.version, "Apache-2.0", own_arch, f"The demo's {self.name}")
        builder.using_config(
            rpm_rs.BuildConfig(
                format=rpm_rs.RpmFormat.V4, compression=rpm_rs.CompressionType.Gzip, source_date=CHANGED_S
            )
        )
        builder.release("1")
        builder.build_host("demo.example.org")
        builder.description("Made on the spot by scripts/demo_upstream.")
        for capability in self.requires:
            name, _, version = capability.partition(" >= ")
            at_least = rpm_rs.DependencyFlags.GREATER | rpm_rs.DependencyFlags.EQUAL
            if version:
                builder.requires(name, version, at_least)
            else:
                builder.requires(name)
        if self.program:
            text = f"{self.name} {self.version} of the demo, {arch}\n".encode()
            content = speaking_program(text, ARCHITECTURES[arch])
            builder.with_file_contents(content, rpm_rs.FileOptions.new(f"/usr/bin/{self.name}", permissions=0o755))
        else:
            text = f"{self.name} {self.version}\n".encode()
            builder.with_file_contents(text, rpm_rs.FileOptions.new(f"/usr/share/{self.name}/about.txt"))
        package = builder.build()
        package.sign(rpm_rs.Signer(SECRET_KEY.read_bytes()), timestamp=CHANGED_S)
        return f"{self.name}-{self.version}-1.{own_arch}.rpm", bytes(package.to_bytes())


PACKAGES = (
    # what the manifest asks for: the newer of two, with everything behind it
    DemoPackage("demo-agent", "1.0", requires=("demo-common >= 1.0",), program=True),
    DemoPackage("demo-agent", "2.0", requires=("demo-common >= 2.0", "/usr/bin/demo-tool"), program=True),
    DemoPackage("demo-common", "2.1"),
    DemoPackage("demo-tool", "1.4", program=True),
    # what nobody asks for
    DemoPackage("demo-games", "3.0", requires=("demo-common",)),
)


def rpms() -> dict[str, Resource]:
    """Return URL path -> package, metadata or key."""
    found = {KEY_PATH: Resource(PUBLIC_KEY.read_bytes(), "text/plain")}
    for arch in ARCHITECTURES:
        packages = dict(package.build(arch) for package in PACKAGES)
        for path, content in {**packages, **_repodata(packages)}.items():
            found[f"/rpms/{arch}/{path}"] = Resource(content)
    return found


def _repodata(packages: dict[str, bytes]) -> dict[str, bytes]:
    count = f'packages="{len(packages)}"'
    texts = {
        "primary": f'<metadata xmlns="{_METADATA}/common" xmlns:rpm="{_METADATA}/rpm" {count}>',
        "filelists": f'<filelists xmlns="{_METADATA}/filelists" {count}>',
        "other": f'<otherdata xmlns="{_METADATA}/other" {count}>',
    }
    ends = {name: f"</{text[1:].split()[0]}>" for name, text in texts.items()}
    with tempfile.TemporaryDirectory() as directory:
        for name, content in sorted(packages.items()):
            path = Path(directory, name)
            path.write_bytes(content)
            record = createrepo_c.package_from_rpm(str(path), location_href=name)
            record.time_file = CHANGED_S
            for kind, text in zip(texts, createrepo_c.xml_dump(record), strict=True):
                texts[kind] += text
    repomd = createrepo_c.Repomd()
    repomd.set_revision(str(CHANGED_S))
    found: dict[str, bytes] = {}
    for kind, text in texts.items():
        plain = Resource(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}{ends[kind]}\n'.encode())
        packed = Resource(compressed(plain.content))
        record = createrepo_c.RepomdRecord(kind)
        record.location_href = f"repodata/{kind}.xml.gz"
        record.checksum_type, record.checksum = "sha256", packed.digest.removeprefix("sha256:")
        record.checksum_open_type, record.checksum_open = "sha256", plain.digest.removeprefix("sha256:")
        record.size, record.size_open, record.timestamp = len(packed.content), len(plain.content), CHANGED_S
        repomd.set_record(record)
        found[record.location_href] = packed.content
    return {**found, "repodata/repomd.xml": repomd.xml_dump().encode()}
