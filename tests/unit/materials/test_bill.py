"""The bill of a whole bundle: everything is in it, in both forms, as their schemas want it, and always the same."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from bundler.errors import ErrorId, IntegrityError
from bundler.materials.cyclonedx import NAMESPACE, cyclonedx_pieces
from bundler.materials.spdx import spdx_pieces
from bundler.model.bundle import INDEX_PATH
from bundler.model.bundle_path import BundlePath
from bundler.model.placement import Placement
from tests.unit.materials.bundles import APP, DATE, KEADM_URL, PLAIN, VSFTPD, bill_of, materials_sample, write_tree

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.materials.component import BillOfMaterials, Component
    from tests.unit.archive.bundles import Sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return materials_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def archive(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample.write(tmp_path_factory.mktemp("archive") / "demo.tar.gz").path


@pytest.fixture(scope="module")
def bill(archive: Path) -> BillOfMaterials:
    return bill_of(archive)


@pytest.fixture(scope="module")
def cyclonedx(bill: BillOfMaterials) -> Any:
    return json.loads(b"".join(cyclonedx_pieces(bill)))


def named(bill: BillOfMaterials, name: str) -> Component:
    [found] = [component for component in bill.components if component.name == name]
    return found


def facts(component: Component, name: str) -> list[str]:
    return [value for key, value in component.facts if key == name]


def test_every_path_of_the_sums_is_a_component(bill: BillOfMaterials, sample: Sample) -> None:
    sums = next(file.content for file in sample.bundle.files if file.path == "SHA256SUMS")
    assert isinstance(sums, bytes)
    listed = {tuple(line.split("  ", 1)) for line in sums.decode().splitlines()}
    found = Counter((c.blob.digest.hex, c.path) for c in bill.components if c.blob is not None)
    assert set(found) == listed
    assert set(found.values()) == {1}


def test_refs_are_unique_and_lead_somewhere(bill: BillOfMaterials) -> None:
    refs = [component.ref for component in bill.all()]
    assert len(set(refs)) == len(refs)
    assert refs[1:] == sorted(refs[1:])
    parts = {part for component in bill.all() for part in component.parts}
    assert parts == set(refs) - {"bundle"}


def test_packages_tell_name_licence_and_origin(bill: BillOfMaterials) -> None:
    package = named(bill, "vsftpd")
    assert (package.version, package.license_text) == ("3.0.2-29.el7_9", "MIT")
    assert package.purl == "pkg:rpm/vsftpd@3.0.2-29.el7_9?arch=x86_64"
    assert package.origin == f"https://repo.example/7/{VSFTPD.file_name}"
    assert package.held_to == "signature 4eed7d52414636d3"
    assert facts(package, "nevra") == ["vsftpd-3.0.2-29.el7_9.x86_64"]


def test_files_tell_where_they_are_from_and_what_they_were_held_to(bill: BillOfMaterials) -> None:
    download, member = named(bill, "kubeedge/keadm.tar.gz"), named(bill, "kubeedge/keadm")
    assert download.purl.startswith("pkg:generic/keadm-v1.11.1-linux-amd64.tar.gz?checksum=sha256:")
    assert download.held_to == f"published-checksum {KEADM_URL}.txt"
    assert (member.purl, member.origin, facts(member, "member")) == ("", KEADM_URL, ["keadm/keadm"])
    assert member.held_to == "first-use via https://mirror.example/"


def test_images_lead_to_their_layers_and_packages(bill: BillOfMaterials) -> None:
    by_ref = {component.ref: component for component in bill.components}
    image = named(bill, APP.rpartition(":")[0])
    assert (image.type, image.version, facts(image, "platform")) == ("container", "v1", ["linux/amd64", "linux/arm64"])
    children = [by_ref[ref] for ref in image.parts]
    assert [facts(child, "distro") for child in children] == [["debian-12"], ["debian-12"]]
    packages = {by_ref[ref].name for child in children for ref in child.parts if by_ref[ref].blob is None}
    assert packages == {"zlib1g", "base-files"}
    # one component, although two images have it
    zlib = named(bill, "zlib1g")
    assert zlib.purl == (
        "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=debian-12&upstream=zlib%20%281:1.2.13%29"
    )
    plain = named(bill, PLAIN.rpartition(":")[0])
    assert {by_ref[ref].type for ref in plain.parts} == {"file"}


def test_the_bundle_is_the_subject(bill: BillOfMaterials, sample: Sample) -> None:
    assert (bill.subject.name, bill.subject.version) == ("demo", "2025.03")
    assert facts(bill.subject, "id") == [sample.bundle.id]
    # the newest of all
    assert bill.timestamp == "2023-11-14T22:13:20Z"
    assert bill.date == DATE


def test_cyclonedx_is_valid_and_says_it_all(bill: BillOfMaterials, cyclonedx: Any) -> None:
    text = b"".join(cyclonedx_pieces(bill)).decode()
    errors = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert errors is None
    parsed = Bom.from_json(cyclonedx)  # type: ignore[attr-defined] # made by a decorator
    assert len(parsed.components) == len(bill.components)
    assert {str(component.purl) for component in parsed.components if component.purl} == {
        component.purl for component in bill.components if component.purl
    }
    by_ref = {item["bom-ref"]: item for item in cyclonedx["components"]}
    vsftpd = by_ref[f"path:yum/{VSFTPD.file_name}"]
    assert vsftpd["licenses"] == [{"license": {"id": "MIT"}}]
    assert vsftpd["externalReferences"] == [
        {"type": "distribution", "url": f"https://repo.example/7/{VSFTPD.file_name}"}
    ]
    properties = {item["name"].removeprefix(NAMESPACE): item["value"] for item in vsftpd["properties"]}
    assert properties["path"] == f"yum/{VSFTPD.file_name}"
    assert int(properties["size"]) == len(VSFTPD.content())


def test_spdx_is_valid_and_says_as_much(bill: BillOfMaterials, tmp_path: Path) -> None:
    file = tmp_path / "demo.spdx.json"
    file.write_bytes(b"".join(spdx_pieces(bill)))
    document = parse_file(str(file))
    assert [message.validation_message for message in validate_full_spdx_document(document)] == []
    assert len(document.packages) == len(list(bill.all()))
    purls = {reference.locator for package in document.packages for reference in package.external_references}
    assert purls == {component.purl for component in bill.components if component.purl}
    described = {(p.file_name, p.checksums[0].value) for p in document.packages if p.checksums}
    assert described == {(c.path, c.blob.digest.hex) for c in bill.components if c.blob is not None}


def test_an_archive_and_its_tree_have_the_same_bill(bill: BillOfMaterials, sample: Sample, tmp_path: Path) -> None:
    tree = write_tree(sample, tmp_path / "tree", sample.store)
    os.utime(tree / INDEX_PATH, (DATE, DATE))
    for pieces in (cyclonedx_pieces, spdx_pieces):
        assert b"".join(pieces(bill_of(tree))) == b"".join(pieces(bill))


def test_another_bundle_has_another_number(bill: BillOfMaterials, tmp_path: Path) -> None:
    further = Placement(BundlePath("kubeedge/further"), b"x", "files")
    other = bill_of(materials_sample(tmp_path, [further]).write(tmp_path / "other.tar.gz").path)
    assert other.uuid != bill.uuid


@pytest.mark.parametrize("begin", ["yum/", "k8simage/blobs/sha256/"])
def test_what_is_looked_into_is_the_listed_file(sample: Sample, tmp_path: Path, begin: str) -> None:
    tree = write_tree(sample, tmp_path / "tree", sample.store)
    path = next(
        path for path in sorted((tree / begin).iterdir()) if path.suffix == ".rpm" or path.stat().st_size > 9999
    )
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(IntegrityError) as caught:
        bill_of(tree)
    assert caught.value.id is ErrorId.BUNDLE_DAMAGED
    assert path.name in caught.value.summary()


def test_what_a_part_of_a_bundle_lacks_is_said(sample: Sample, tmp_path: Path) -> None:
    tree = write_tree(sample, tmp_path / "tree", sample.store)
    (tree / f"yum/{VSFTPD.file_name}").unlink()
    package = named(bill_of(tree), "vsftpd-3.0.2-29.el7_9.x86_64")
    assert facts(package, "not-read") == ["is not in this tree"]
