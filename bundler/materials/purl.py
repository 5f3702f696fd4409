"""Package URLs (purl-spec, PURL-SPECIFICATION.rst and PURL-TYPES.rst). Pure; a test compares with packageurl-python."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from bundler.materials.rpm_vendors import distribution_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.materials.os_package import OsPackage, OsRelease
    from bundler.model.digest import Digest
    from bundler.model.reference import Reference
    from bundler.rpm.signing.rpm_file import RpmHeader

_SCHEMES = frozenset({"http", "https", "ftp"})


def os_package_purl(package: OsPackage, release: OsRelease) -> str:
    """Return that of a package inside an image: `pkg:deb/debian/zlib1g@1:1.2.13?arch=amd64&distro=debian-12`."""
    qualifiers = {
        "arch": package.arch,
        "distro": release.distro,
        "epoch": str(package.epoch or ""),
        # what scanners look up: advisories name source packages
        "upstream": package.source,
    }
    return _purl(package.system, release.id, package.name, package.version, qualifiers)


def rpm_purl(header: RpmHeader) -> str:
    """Return that of a package in the bundle, whose vendor and release tell for which system it was built."""
    nevra = header.nevra
    distribution = distribution_of(header.vendor, nevra.release)
    qualifiers = {
        "arch": nevra.arch,
        "distro": distribution.distro,
        "epoch": str(nevra.epoch or ""),
        "upstream": header.source_rpm,
    }
    return _purl("rpm", distribution.namespace, nevra.name, f"{nevra.version}-{nevra.release}", qualifiers)


def image_purl(reference: Reference, digest: Digest, arch: str = "") -> str:
    """Return that of an image, or of a blob of one.

    Arguments:
        reference: what it was asked for by.
        arch: of an image for one platform.
    """
    name = reference.path.rpartition("/")[2]
    qualifiers = {"arch": arch, "repository_url": reference.name, "tag": reference.tag}
    return _purl("oci", "", name, str(digest), qualifiers)


def download_purl(url: str, digest: Digest) -> str:
    """Return that of a file that was downloaded whole, or "" where its url is none that others can ask."""
    if not is_public_url(url):
        return ""
    name = urlsplit(url).path.rpartition("/")[2]
    return _purl("generic", "", name, "", {"checksum": str(digest), "download_url": url}) if name else ""


def is_public_url(text: str) -> bool:
    """Tell whether a text is a URL of the web that can stand where a document wants one."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.netloc) and text.isascii() and text.isprintable() and " " not in text


def _purl(kind: str, namespace: str, name: str, version: str, qualifiers: Mapping[str, str]) -> str:
    path = "/".join(_quoted(part) for part in (kind, namespace.lower(), name) if part)
    given = "&".join(f"{key}={_quoted(value)}" for key, value in sorted(qualifiers.items()) if value)
    return f"pkg:{path}" + (f"@{_quoted(version)}" if version else "") + (f"?{given}" if given else "")


def _quoted(text: str) -> str:
    # neither a colon nor, in the field, a slash is written in percents
    return quote(text, safe="/:")
