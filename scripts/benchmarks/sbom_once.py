"""One bill of materials of so many packages, written by ours or by cyclonedx-python-lib, in a process of its own."""

from __future__ import annotations

import sys

from bundler.model.digest import Blob


def write_ours(count: int) -> int:
    """Write the bill; returns its bytes."""
    from bundler.materials.component import BillOfMaterials, Component
    from bundler.materials.cyclonedx import cyclonedx_pieces

    components = tuple(
        Component(
            ref=f"path:yum/p{number}.rpm",
            type="library",
            name=f"p{number}",
            version="1-1",
            path=f"yum/p{number}.rpm",
            blob=Blob.of(b"%d" % number),
            purl=f"pkg:rpm/centos/p{number}@1-1?arch=x86_64",
            license_text="GPLv2+",
        )
        for number in range(count)
    )
    subject = Component("bundle", "application", "bench", parts=tuple(component.ref for component in components))
    bill = BillOfMaterials("00000000-0000-5000-8000-000000000000", 0, subject, components)
    return sum(map(len, cyclonedx_pieces(bill)))


def write_theirs(count: int) -> int:
    """Write the same by the library."""
    from cyclonedx.model import HashAlgorithm, HashType, Property
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.license import DisjunctiveLicense
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    bom = Bom()
    subject = Component(name="bench", type=ComponentType.APPLICATION, bom_ref="bundle")
    bom.metadata.component = subject
    for number in range(count):
        blob = Blob.of(b"%d" % number)
        component = Component(
            name=f"p{number}",
            version="1-1",
            type=ComponentType.LIBRARY,
            bom_ref=f"path:yum/p{number}.rpm",
            purl=PackageURL("rpm", "centos", f"p{number}", "1-1", {"arch": "x86_64"}),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=blob.digest.hex)],
            licenses=[DisjunctiveLicense(name="GPLv2+")],
            properties=[
                Property(name="path", value=f"yum/p{number}.rpm"),
                Property(name="size", value=str(blob.size)),
            ],
        )
        bom.components.add(component)
    bom.register_dependency(subject, bom.components)
    return len(JsonV1Dot6(bom).output_as_string(indent=2))


if __name__ == "__main__":
    writer, components = sys.argv[1:]
    (write_ours if writer == "ours" else write_theirs)(int(components))
