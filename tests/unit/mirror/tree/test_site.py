from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mirror.tree.media_types import OCTETS, media_type
from mirror.tree.served import File
from tests.unit.mirror.bundle_tree import CONTENTS, all_files, directory_at, names_in, opened, site_of, write_bundle

if TYPE_CHECKING:
    from pathlib import Path


def test_every_directory_shows_what_lies_in_it_and_nothing_else(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    (tmp_path / "harbor.yml").write_text("password")
    (tmp_path / "yum/repodata/extra.xml").write_text("unlisted")
    (tmp_path / "unlisted").mkdir()
    with opened(tmp_path) as root:
        site = site_of(root)
        assert names_in(site, "") == ["SHA256SUMS", "bundle.json", "empty", "kubeedge/", "yum/"]
        assert names_in(site, "kubeedge") == ["crds/", "keadm-amd64"]
        assert names_in(site, "kubeedge/crds") == ["device.yaml"]
        assert names_in(site, "yum") == ["repodata/"]
        assert names_in(site, "yum/repodata") == ["repomd.xml"]
        for path in ("harbor.yml", "yum/repodata/extra.xml", "unlisted"):
            assert site.find(path) is None, path


def test_a_directory_knows_its_url_and_its_place_in_the_bundle(tmp_path: Path) -> None:
    write_bundle(tmp_path / "one")
    (tmp_path / "current").symlink_to("one")
    with opened(tmp_path) as root:
        site = site_of(root)
        below, top = directory_at(site, "@one/kubeedge"), directory_at(site, "")
        short_id = site.bundles[0].short_id
        assert (below.path, below.inner, below.bundle) == ("@one/kubeedge", "kubeedge", short_id)
        assert (top.path, top.inner, top.bundle) == ("", "", short_id)
        assert directory_at(site, "@one").inner == ""


@pytest.mark.parametrize(
    "path",
    ["..", ".", "/", "//", "/empty", "empty/", "kubeedge/", "kubeedge//keadm-amd64", "kubeedge/./keadm-amd64",
     "kubeedge/../empty", "../bundle.json", "empty\0", "\0", "\udcff", "EMPTY", "Kubeedge", "bundle.json/x", "@", "@/",
     "@/empty", "@gone", "@gone/empty", "current", "current/empty", "%2e%2e", "bundle.json\n", " empty", "empty "],
)  # fmt: skip
def test_odd_paths_lead_to_nothing(tmp_path: Path, path: str) -> None:
    write_bundle(tmp_path)
    with opened(tmp_path) as root:
        assert site_of(root).find(path) is None


@pytest.mark.parametrize(
    "path", ["@", "@/", "@one/", "@one//empty", "@one/../one/empty", "@One", "one", "one/empty", "@/one"]
)
def test_odd_paths_beside_a_bundle_below_lead_to_nothing(tmp_path: Path, path: str) -> None:
    write_bundle(tmp_path / "one")
    with opened(tmp_path) as root:
        assert site_of(root).find(path) is None


def test_names_are_compared_as_they_are_written(tmp_path: Path) -> None:
    write_bundle(tmp_path, {"caf\u00e9": b"composed"})
    with opened(tmp_path) as root:
        site = site_of(root)
        assert isinstance(site.find("caf\u00e9"), File)
        assert site.find("cafe\u0301") is None


def test_whatever_is_listed_can_be_found_and_nothing_else_can(tmp_path: Path) -> None:
    write_bundle(tmp_path / "one")
    write_bundle(tmp_path / "two", {"only": b"here"})
    (tmp_path / "current").symlink_to("two")
    with opened(tmp_path) as root:
        expected = {f"@one/{path}" for path in (*CONTENTS, "bundle.json", "SHA256SUMS")}
        expected |= {f"{top}{path}" for top in ("", "@two/") for path in ("only", "bundle.json", "SHA256SUMS")}
        assert set(all_files(site_of(root))) == expected


def test_a_bundle_is_known_by_its_short_id(tmp_path: Path) -> None:
    write_bundle(tmp_path / "one")
    write_bundle(tmp_path / "two", {"only": b"here"})
    with opened(tmp_path) as root:
        site = site_of(root)
        one, two = site.bundles
        assert site.bundle(two.short_id) is two
        assert site.bundle(one.short_id) is one
        assert site.bundle("") is None
        assert (len(one.id), len(one.short_id)) == (64, 12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("yum/repodata/repomd.xml", "text/xml"),
        ("yum/repodata/abc-primary.xml.gz", "application/gzip"),
        ("a/docker-ce.rpm", "application/x-rpm"),
        ("k8simage/index.json", "application/json"),
        ("NOTES.TXT", "text/plain; charset=utf-8"),
        ("SHA256SUMS", "text/plain; charset=utf-8"),
        ("SHA256SUMS.sig", OCTETS),
        ("yum/RPM-GPG-KEY-docker", "text/plain; charset=utf-8"),
        ("yum.repo/keadm", OCTETS),
        ("keadm", OCTETS),
        ("blobs/sha256/0123", OCTETS),
        ("archive.", OCTETS),
        ("", OCTETS),
    ],
)
def test_media_types_go_by_the_last_name_alone(name: str, expected: str) -> None:
    assert media_type(name) == expected
