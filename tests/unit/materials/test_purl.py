"""Package URLs, compared with the library of the purl project."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from bundler.materials.os_package import OsPackage, OsRelease
from bundler.materials.purl import download_purl, image_purl, is_public_url, os_package_purl, rpm_purl
from bundler.model.digest import Digest
from bundler.model.reference import Reference
from bundler.model.rpm.nevra import Nevra
from bundler.rpm.signing.rpm_file import RpmHeader

SOME = Digest.sha256(b"")
WORDS = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1, max_size=10).filter(
    lambda text: "/" not in text
)


@given(st.sampled_from(["deb", "rpm"]), WORDS, WORDS, WORDS, WORDS)
def test_packages_are_written_as_the_library_does(system: str, name: str, version: str, arch: str, source: str) -> None:
    package = OsPackage(system, name, version, arch, epoch=2, source=source)  # type: ignore[arg-type] # one of them
    qualifiers = {"arch": arch, "distro": "debian-12", "epoch": "2", "upstream": source}
    expected = PackageURL(system, "debian", name, version, qualifiers)
    assert os_package_purl(package, OsRelease("debian", "12")) == expected.to_string()


def test_packages_of_images_name_system_and_source() -> None:
    package = OsPackage("deb", "zlib1g", "1:1.2.13.dfsg-1", "amd64", source="zlib")
    assert os_package_purl(package, OsRelease("debian", "12")) == (
        "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=debian-12&upstream=zlib"
    )
    assert os_package_purl(OsPackage("apk", "a", "1"), OsRelease()) == "pkg:apk/a@1"


@pytest.mark.parametrize(
    ("nevra", "vendor", "expected"),
    [
        ("vsftpd-3.0.2-29.el7_9.x86_64", "CentOS", "pkg:rpm/centos/vsftpd@3.0.2-29.el7_9?arch=x86_64&distro=centos-7"),
        (
            "docker-ce-3:20.10.9-3.el7.x86_64",
            "Docker",
            "pkg:rpm/docker-ce@20.10.9-3.el7?arch=x86_64&epoch=3",
        ),
        ("jq-1.6-2.el7.x86_64", "Fedora Project", "pkg:rpm/fedora/jq@1.6-2.el7?arch=x86_64&distro=epel-7"),
        ("bash-5.2-1.fc40.noarch", "Fedora Project", "pkg:rpm/fedora/bash@5.2-1.fc40?arch=noarch&distro=fedora-40"),
        ("gcc-c++-12-1.oe1.noarch", "openEuler", "pkg:rpm/openeuler/gcc-c%2B%2B@12-1.oe1?arch=noarch&distro=openeuler"),
    ],
)  # fmt: skip
def test_rpms_name_the_system_that_their_vendor_builds_for(nevra: str, vendor: str, expected: str) -> None:
    assert rpm_purl(RpmHeader(Nevra.parse(nevra), "", 0, 0, vendor=vendor)) == expected


def test_images_are_named_by_digest_and_repository() -> None:
    purl = image_purl(Reference.parse("registry.k8s.io/kube-apiserver:v1.22.1"), SOME, "amd64")
    parsed = PackageURL.from_string(purl)
    assert (parsed.type, parsed.name, parsed.version) == ("oci", "kube-apiserver", str(SOME))
    assert parsed.qualifiers == {
        "arch": "amd64", "repository_url": "registry.k8s.io/kube-apiserver", "tag": "v1.22.1",
    }  # fmt: skip
    assert parsed.to_string() == purl


def test_downloads_are_generic_packages_with_their_checksum() -> None:
    purl = download_purl("https://e.example/a/keadm-v1.tar.gz?x=1&y", SOME)
    parsed = PackageURL.from_string(purl)
    assert (parsed.type, parsed.name) == ("generic", "keadm-v1.tar.gz")
    assert parsed.qualifiers == {"checksum": str(SOME), "download_url": "https://e.example/a/keadm-v1.tar.gz?x=1&y"}
    assert download_purl("files/keadm", SOME) == ""
    assert download_purl("https://e.example/", SOME) == ""


@pytest.mark.parametrize(
    "text", ["", "files/x", "http://", "https://e.example/a b", "javascript:alert(1)", "http://[x"]
)
def test_what_is_no_url_of_the_web(text: str) -> None:
    assert not is_public_url(text)
