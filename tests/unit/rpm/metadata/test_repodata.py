"""Repodata: what clients read there is what the packages say, and the same bytes every time."""

from __future__ import annotations

import gzip
import hashlib
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import createrepo_c
import pytest
import rpm_rs

from bundler.errors import BundlerError, ErrorId, ManifestError
from bundler.model.digest import Blob
from bundler.model.rpm.nevra import Nevra
from bundler.rpm.metadata.package_reader import DamagedPackageError
from bundler.rpm.metadata.repodata import RepoExtras, RepoPackage, write_repodata
from tests.fakes.small_rpms import BUILT_S, SmallRpm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LARGE = SmallRpm("large", arch="x86_64", files={"/big": random.Random(1).randbytes(500_000)}, built=BUILT_S + 7)
RPMS = (SmallRpm("b", epoch=2, requires=("a",)), SmallRpm("a", version="2~rc1"), LARGE)


def stored(directory: Path, rpms: Sequence[SmallRpm] = RPMS) -> list[RepoPackage]:
    """Put packages where a store would have them: under names that say nothing."""
    directory.mkdir(exist_ok=True)
    found = []
    for rpm in rpms:
        content = rpm.content()
        path = directory / hashlib.sha256(content).hexdigest()
        path.write_bytes(content)
        found.append(RepoPackage(path, rpm.file_name, Blob.of(content), rpm.built))
    return found


def read(written: Mapping[str, bytes], directory: Path) -> dict[str, createrepo_c.Package]:
    """Read repodata as clients do, by createrepo_c."""
    for path, content in written.items():
        (directory / path).parent.mkdir(exist_ok=True)
        (directory / path).write_bytes(content)
    reader = createrepo_c.RepositoryReader.from_path(str(directory))
    return {package.name: package for package in reader.iter_packages()}


def test_every_package_is_listed_with_its_digest_place_and_own_date(tmp_path: Path) -> None:
    packages = stored(tmp_path / "store")
    found = read(write_repodata(packages), tmp_path)
    assert sorted(found) == ["a", "b", "large"]
    for package in packages:
        listed = found[package.href.partition("-")[0]]
        assert listed.pkgId == package.blob.digest.hex
        assert (listed.size_package, listed.location_href) == (package.blob.size, package.href)
        assert (listed.time_file, listed.time_build) == (package.source_date, package.source_date)
    assert found["b"].nevra() == "b-2:1.0-1.noarch"
    assert "a" in {name for name, *_ in found["b"].requires}
    assert [name for _, _, name, *_ in found["large"].files] == ["big"]


def test_the_order_in_which_packages_come_makes_no_difference(tmp_path: Path) -> None:
    packages = stored(tmp_path / "store")
    again = stored(tmp_path / "elsewhere", RPMS[::-1])
    assert write_repodata(packages) == write_repodata(again)


def test_documents_are_gzip_without_a_date_and_named_by_their_digest(tmp_path: Path) -> None:
    written = write_repodata(stored(tmp_path / "store"))
    repomd = written["repodata/repomd.xml"].decode()
    assert f"<revision>{BUILT_S + 7}</revision>" in repomd
    assert repomd.count(f"<timestamp>{BUILT_S + 7}</timestamp>") == 3
    documents = {path: content for path, content in written.items() if path.endswith(".gz")}
    assert len(documents) == 3
    for path, content in documents.items():
        assert content[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
        assert hashlib.sha256(content).hexdigest() in path
        assert hashlib.sha256(gzip.decompress(content)).hexdigest() in repomd
    assert "sqlite" not in repomd


def test_extras_are_kept_word_for_word(tmp_path: Path) -> None:
    extras = RepoExtras(b"<comps/>\n", b"---\ndocument: modulemd\n", b"<updates/>\n")
    written = write_repodata(stored(tmp_path / "store"), extras)
    plain = {
        path.rpartition("-")[2]: gzip.decompress(data) if path.endswith(".gz") else data
        for path, data in written.items()
    }
    assert plain["comps.xml"] == plain["comps.xml.gz"] == extras.comps
    assert plain["modules.yaml.gz"] == extras.modules
    assert plain["updateinfo.xml.gz"] == extras.updateinfo
    repomd = written["repodata/repomd.xml"].decode()
    assert [kind for kind in ("group", "group_gz", "modules", "updateinfo") if f'type="{kind}"' not in repomd] == []


def test_a_repository_of_nothing_is_one(tmp_path: Path) -> None:
    assert read(write_repodata([]), tmp_path) == {}


@pytest.mark.parametrize("rpm", RPMS, ids=lambda rpm: rpm.name)
def test_a_file_that_is_not_the_pinned_one_is_refused(tmp_path: Path, rpm: SmallRpm) -> None:
    [package] = stored(tmp_path / "store", [rpm])
    data = bytearray(package.path.read_bytes())
    for damaged in (data[:-1] + bytes([data[-1] ^ 1]), data[:-1], b"", None):
        if damaged is None:
            package.path.unlink()
        else:
            package.path.write_bytes(damaged)
        with pytest.raises(DamagedPackageError) as caught:
            write_repodata([package])
        assert caught.value.blob == package.blob


@pytest.mark.parametrize(
    "edit",
    [{"nevra": "b-2:1.0-2.noarch"}, {"nevra": "b-1.0-1.noarch"}, {"nevra": "c-2:1.0-1.noarch"}, {"source_date": 1}],
    ids=str,
)
def test_a_package_that_is_called_something_else_is_refused(tmp_path: Path, edit: dict[str, Any]) -> None:
    [package] = stored(tmp_path, RPMS[:1])
    named = replace(package, nevra=Nevra.parse("b-2:1.0-1.noarch"))
    write_repodata([named])
    edit = {key: Nevra.parse(value) if key == "nevra" else value for key, value in edit.items()}
    with pytest.raises(ManifestError, match=r"the lock calls b-1\.0-1\.noarch, built at") as caught:
        write_repodata([replace(named, **edit)])
    assert caught.value.id is ErrorId.LOCK_INVALID


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"text")
    with pytest.raises(BundlerError) as caught:
        write_repodata([RepoPackage(path, "text.rpm", Blob.of(b"text"), 0)])
    assert caught.value.id == ErrorId.SOURCE_INVALID


def marked(directory: Path, instead: bytes) -> RepoPackage:
    """Put a package whose texts have these bytes for XXXX; only its unsigned digests are wrong then."""
    builder = rpm_rs.PackageBuilder("odd", "1", "MIT", "noarch", "About XXXX it")
    builder.description("Describing XXXX\nit")
    builder.add_changelog_entry("Me XXXX <me@x.example>", "Changed XXXX", BUILT_S)
    data = bytes(builder.build().to_bytes()).replace(b"XXXX", instead)
    path = directory / "odd.rpm"
    path.write_bytes(data)
    return RepoPackage(path, "odd.rpm", Blob.of(data), 0)


def plain(written: Mapping[str, bytes]) -> dict[str, str]:
    """Return primary, filelists and other, unpacked, by those words."""
    return {
        path.rpartition("-")[2].partition(".")[0]: gzip.decompress(data).decode()
        for path, data in written.items()
        if path.endswith(".xml.gz")
    }


def test_control_characters_are_left_out_of_what_people_wrote(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    texts = plain(write_repodata([marked(tmp_path, b"\x1b[A\x08")]))
    assert "<summary>About [A it</summary>" in texts["primary"]
    assert "<description>Describing [A\nit</description>" in texts["primary"]
    assert "Me [A &lt;me@x.example&gt;" in texts["other"]
    assert "Changed [A<" in texts["other"]
    assert capfd.readouterr().err == ""


def test_what_xml_cannot_say_elsewhere_is_refused_and_printed_by_nobody(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = RPMS[0].content().replace(b"build.example", b"build\x1bexample").replace(b"MIT\0", b"M\x1bT\0")
    path = tmp_path / "odd.rpm"
    path.write_bytes(data)
    with pytest.raises(BundlerError, match="control chars") as caught:
        write_repodata([RepoPackage(path, "odd.rpm", Blob.of(data), 0)])
    assert caught.value.id == ErrorId.SOURCE_INVALID
    assert capfd.readouterr().err == ""
