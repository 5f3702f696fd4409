"""What one layer tells, whatever it is made of, and images of several."""

from __future__ import annotations

import random
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.materials.databases import MAX_DATABASE_BYTES
from bundler.materials.image_packages import image_content
from bundler.materials.layer_reading import WHOLE, LayerContent, read_layer
from bundler.materials.os_package import OsRelease
from tests.unit.archive.bundles import member, tar_bytes
from tests.unit.materials.databases import APK_INSTALLED, DEBIAN, DPKG_STATUS, layer, sqlite_database

if TYPE_CHECKING:
    from collections.abc import Sequence

STATUS = "var/lib/dpkg/status"
SINGLE = "var/lib/dpkg/status.d/tzdata"
TZDATA = b"Package: tzdata\nVersion: 2024a\n"


def read(data: bytes) -> LayerContent:
    return read_layer([data[at : at + 1000] for at in range(0, len(data), 1000)], where="layer")


def names(layers: Sequence[bytes]) -> list[str]:
    return [package.name for package in image_content([read(data) for data in layers]).packages]


@pytest.mark.parametrize("compress", [True, False])
def test_a_layer_tells_of_packages_and_system(compress: bool) -> None:
    found = read(layer({"var/": None, f"./{STATUS}": DPKG_STATUS, "etc/os-release": DEBIAN}, compress=compress))
    assert [package.name for package in found.packages[STATUS]] == ["zlib1g", "base-files"]
    assert found.releases == {"etc/os-release": OsRelease("debian", "12")}
    assert found.unread == {}


def test_the_bytes_behind_a_layer_are_read_too() -> None:
    chunks = iter([layer({STATUS: DPKG_STATUS}), b"rest", b"of it"])
    assert WHOLE in read_layer(chunks, where="layer").unread
    assert list(chunks) == []


def test_upper_layers_replace_databases_of_lower_ones() -> None:
    assert names([layer({STATUS: DPKG_STATUS}), layer({STATUS: TZDATA})]) == ["tzdata"]
    assert names([layer({STATUS: DPKG_STATUS}), layer({SINGLE: TZDATA})]) == ["base-files", "tzdata", "zlib1g"]


@pytest.mark.parametrize(
    "upper",
    [
        {"var/lib/dpkg/.wh.status": b""},
        {"var/lib/.wh.dpkg": b""},
        {".wh.var": b""},
        {"var/lib/dpkg/.wh..wh..opq": b""},
        {"./.wh..wh..opq": b""},
        {"var/lib": b"a file"},
    ],
)
def test_whiteouts_take_away_what_lies_below(upper: dict[str, bytes]) -> None:
    assert names([layer({STATUS: DPKG_STATUS}), layer(upper)]) == []
    # and nothing of their own layer
    assert names([layer({STATUS: DPKG_STATUS}), layer({**upper, SINGLE: TZDATA})]) == ["tzdata"]


def test_other_whiteouts_take_nothing_away() -> None:
    upper = {"var/lib/dpkg/.wh.status-old": b"", "usr/.wh..wh..opq": b"", "etc/.wh.var": b""}
    assert names([layer({STATUS: DPKG_STATUS}), layer(upper)]) == ["base-files", "zlib1g"]


def test_a_link_in_the_place_of_a_database_is_said() -> None:
    found = image_content([read(layer({STATUS: DPKG_STATUS})), read(layer({}, links={STATUS: "/etc/passwd"}))])
    assert found.packages == ()
    assert found.unread == (f"{STATUS} is a link, which is not followed",)


def test_the_system_is_told_by_etc_before_usr() -> None:
    both = read(layer({"usr/lib/os-release": b"ID=lower\n", "etc/os-release": DEBIAN}))
    one = read(layer({"usr/lib/os-release": b"ID=lower\n"}))
    assert image_content([both]).release.id == "debian"
    assert image_content([both, read(layer({"etc/.wh.os-release": b""}))]).release.id == "lower"
    assert image_content([one]).release.id == "lower"


def test_a_database_with_a_log_that_it_has_not_taken_over_is_said() -> None:
    database = {"var/lib/rpm/rpmdb.sqlite": sqlite_database([])}
    assert image_content([read(layer({**database, "var/lib/rpm/rpmdb.sqlite-wal": b""}))]).unread == ()
    [line] = image_content([read(layer({**database, "var/lib/rpm/rpmdb.sqlite-wal": b"log"}))]).unread
    assert line == "var/lib/rpm/rpmdb.sqlite-wal holds changes that its database has not taken over"


def test_what_cannot_be_read_is_said_and_the_rest_is_read() -> None:
    found = read(layer({"var/lib/rpm/Packages": b"", "lib/apk/db/installed": APK_INSTALLED}))
    assert list(found.packages) == ["lib/apk/db/installed"]
    assert found.unread == {"var/lib/rpm/Packages": "is an RPM database in Berkeley DB, which is not read"}


HOSTILE = {
    "leaves the root": member(f"../{STATUS}", DPKG_STATUS),
    "a device": member(STATUS, type=tarfile.CHRTYPE),
    "a hard link": member(STATUS, type=tarfile.LNKTYPE, linkname="/etc/shadow"),
    "a lie about its size": member(STATUS, DPKG_STATUS, size=MAX_DATABASE_BYTES + 1),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_hostile_members_tell_nothing(fault: str) -> None:
    found = read(tar_bytes([HOSTILE[fault]]))
    assert found.packages == {}


def test_an_absolute_name_is_that_of_the_root() -> None:
    assert list(read(tar_bytes([member(f"/{STATUS}", DPKG_STATUS)])).packages) == [STATUS]


@pytest.mark.parametrize("data", [b"", b"no layer", layer({STATUS: DPKG_STATUS})[:200], b"\x1f\x8b\x08" + bytes(50)])
def test_a_broken_layer_is_said(data: bytes) -> None:
    assert WHOLE in read(data).unread


def test_an_empty_layer_says_nothing() -> None:
    assert read(bytes(1024)) == LayerContent()


def test_a_bomb_is_left() -> None:
    data = layer({"big": bytes(128 * 1024 * 1024), STATUS: DPKG_STATUS})
    assert "bomb" in read(data).unread[WHOLE]


@given(st.integers(0, 2**32))
def test_flipped_bytes_never_end_in_another_exception(seed: int) -> None:
    draw = random.Random(seed)
    data = bytearray(layer({STATUS: DPKG_STATUS, "etc/os-release": DEBIAN}, compress=draw.random() < 0.5))
    for _ in range(draw.randrange(1, 6)):
        data[draw.randrange(len(data))] = draw.randrange(256)
    read(bytes(data[: draw.randrange(len(data))] if draw.random() < 0.3 else data))
