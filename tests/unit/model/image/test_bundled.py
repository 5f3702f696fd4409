"""What a bundle's index tells of its images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.bundle import decode_index
from bundler.model.image.bundled import BundleImage, bundle_images, media_type
from tests.integration.placed_images import AMD64, ARM64, ARMV7, place_images

if TYPE_CHECKING:
    from pathlib import Path

APP, PAUSE = "docker.io/demo/app:1", "registry.k8s.io/pause:3.5"


def images(tmp_path: Path, *, docker: bool = False) -> dict[str, BundleImage]:
    placed = place_images(
        tmp_path, {APP: (AMD64, ARM64), PAUSE: (AMD64,)}, {"app": "docker.io/kubeedge/alias:9"}, docker=docker
    )
    root = placed.write_bundle(tmp_path / "root")
    index = decode_index((root / "bundle.json").read_bytes(), where="root")
    found = {str(image.names[0]): image for image in bundle_images(index.files)}
    assert {str(image.digest) for image in found.values()} == set(placed.digests.values())
    return found


def test_an_image_has_its_names_and_a_manifest_for_each_platform(tmp_path: Path) -> None:
    found = images(tmp_path)
    app = found[APP]
    assert [str(name) for name in app.names] == [APP, "docker.io/kubeedge/alias:9"]
    assert app.is_index
    assert len(app.manifests) == 2
    arm = app.manifest_for([ARMV7, ARM64])
    assert arm is not None
    assert arm.platforms == (ARM64,)
    assert app.manifest_for([ARMV7]) is None
    assert app.files[0] is app.top


def test_the_view_of_an_image_in_dockers_format_belongs_to_no_image(tmp_path: Path) -> None:
    for image in images(tmp_path, docker=True).values():
        assert {media_type(file) for file in image.files if "oci.image.index" in media_type(file)} == set()
