"""What package databases tell, and that none of them can do harm."""

from __future__ import annotations

import pytest

from bundler.materials.apk import apk_packages
from bundler.materials.databases import leads_to_telling, reader_of, tells
from bundler.materials.dpkg import dpkg_packages
from bundler.materials.os_package import OsPackage, OsRelease, UnreadableDatabaseError, read_os_release
from bundler.materials.rpm_database import berkeley_packages, ndb_packages, sqlite_packages
from tests.fakes.small_rpms import SmallRpm
from tests.unit.materials.databases import (
    APK_INSTALLED,
    DEBIAN,
    DPKG_STATUS,
    RPMS,
    ndb_database,
    sqlite_database,
    stored_header,
)

HEADERS = [stored_header(rpm.content()) for rpm in RPMS]
PACKAGES = [
    OsPackage("rpm", "bash", "5.1.8-6.el9", "x86_64", license_text="MIT"),
    OsPackage("rpm", "openssl", "3.0.7-24.el9", "noarch", epoch=1, license_text="MIT"),
]


def test_dpkg_tells_what_is_installed() -> None:
    assert list(dpkg_packages(bytearray(DPKG_STATUS))) == [
        OsPackage("deb", "zlib1g", "1:1.2.13.dfsg-1", "amd64", source="zlib (1:1.2.13)"),
        OsPackage("deb", "base-files", "12.4+deb12u5", "amd64"),
    ]


def test_a_file_of_one_package_has_no_status() -> None:
    assert list(dpkg_packages(bytearray(b"Package: tzdata\nVersion: 2024a\nArchitecture: all"))) == [
        OsPackage("deb", "tzdata", "2024a", "all")
    ]


def test_apk_tells_licences_and_sources() -> None:
    assert list(apk_packages(bytearray(APK_INSTALLED))) == [
        OsPackage("apk", "musl", "1.2.4-r2", "x86_64", license_text="MIT"),
        OsPackage("apk", "libcrypto3", "3.1.4-r1", "x86_64", source="openssl", license_text="Apache-2.0"),
    ]


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\0", b":\n:", b"Package:\n\nVersion: 1\n", b"P:\nV:1\n\n"])
def test_garbage_tells_of_no_package(data: bytes) -> None:
    assert [*dpkg_packages(bytearray(data)), *apk_packages(bytearray(data))] == []


def test_rpm_databases_in_sqlite_and_ndb_say_the_same() -> None:
    assert list(sqlite_packages(bytearray(sqlite_database(HEADERS)))) == PACKAGES
    assert list(ndb_packages(bytearray(ndb_database(HEADERS)))) == PACKAGES


def test_imported_keys_are_no_packages() -> None:
    key = stored_header(SmallRpm("gpg-pubkey", "8483c65d", "5ccc5b19").content())
    assert list(ndb_packages(bytearray(ndb_database([key])))) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no database",
        sqlite_database(HEADERS)[:5000],
        sqlite_database([b"no header"]),
        sqlite_database([], "INSERT INTO Packages (blob) VALUES (7)"),
        sqlite_database([], "DROP TABLE Packages"),
        # a view that never ends
        sqlite_database(
            [],
            "DROP TABLE Packages",
            "CREATE VIEW Packages AS WITH RECURSIVE n(hnum) AS (SELECT 1 UNION ALL SELECT hnum + 1 FROM n) "
            "SELECT hnum, x'' AS blob FROM n ORDER BY hnum DESC",
        ),
    ],
    ids=["empty", "other", "cut", "garbage", "number", "no-table", "endless-view"],
)
def test_an_sqlite_database_that_cannot_be_read_says_so(data: bytes) -> None:
    with pytest.raises(UnreadableDatabaseError):
        list(sqlite_packages(bytearray(data)))


@pytest.mark.parametrize("data", [b"", b"RpmP", b"x" * 5000, ndb_database(HEADERS)[:4200], ndb_database([b"none"])])
def test_an_ndb_database_that_cannot_be_read_says_so(data: bytes) -> None:
    with pytest.raises(UnreadableDatabaseError):
        list(ndb_packages(bytearray(data)))


def test_berkeley_databases_are_named_as_not_read() -> None:
    with pytest.raises(UnreadableDatabaseError, match="Berkeley DB"):
        berkeley_packages(bytearray())


def test_os_release_is_read_as_the_shell_would() -> None:
    assert read_os_release(bytearray(DEBIAN)) == OsRelease("debian", "12")
    assert read_os_release(bytearray(b"# ID=x\n\nID='openEuler'\nVERSION_ID=\"22.03\"")).distro == "openeuler-22.03"
    assert read_os_release(bytearray(b"\xff")).distro == ""
    assert OsRelease("alpine").distro == "alpine"


@pytest.mark.parametrize(
    "path",
    ["var/lib/dpkg/status", "var/lib/dpkg/status.d/base", "lib/apk/db/installed", "usr/lib/sysimage/rpm/rpmdb.sqlite"],
)
def test_databases_are_known_by_their_paths(path: str) -> None:
    assert reader_of(path) is not None
    assert tells(path)
    assert leads_to_telling(path.rpartition("/")[0])


@pytest.mark.parametrize("path", ["var/lib/dpkg/status-old", "var/lib/dpkg/status.d/base.md5sums", "status", "etc"])
def test_other_files_are_none(path: str) -> None:
    assert reader_of(path) is None
