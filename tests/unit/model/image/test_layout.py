from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.model.about import encode_about
from bundler.model.artifact import HeldTo
from bundler.model.digest import Blob
from bundler.model.image.artifact import ImageArtifact, PlatformImage, site_name_conflicts
from bundler.model.image.layout import docker_archive, images_table, layout_index, layout_placements, oci_view
from bundler.model.image.oci import DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST, Descriptor
from bundler.model.image.reference import Reference
from bundler.model.manifest import ROLES
from bundler.model.platform import Platform

if TYPE_CHECKING:
    from bundler.model.placement import Placement

AMD64, ARM64, ARM, ARMV7 = (Platform.parse(f"linux/{text}") for text in ("amd64", "arm64", "arm", "arm/v7"))
LAYER, CONFIG = "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.config.v1+json"
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"


def image(name: str, platform: Platform, *layers: str, skipped: tuple[str, ...] = ()) -> PlatformImage:
    return PlatformImage(
        platform,
        Descriptor(OCI_MANIFEST, Blob.of(f"{name} {platform.normalized} manifest".encode())),
        Descriptor(CONFIG, Blob.of(f"{name} {platform.normalized} config".encode())),
        tuple(Descriptor(LAYER, Blob.of(layer.encode())) for layer in layers),
        tuple(Descriptor(FOREIGN, Blob.of(layer.encode())) for layer in skipped),
    )


def artifact(
    reference: str,
    *images: PlatformImage,
    top: str = "",
    upstream: str = "",
    also: tuple[str, ...] = (),
    roles: tuple[str, ...] = ROLES,
    created: int | None = 100,
    held_to: HeldTo | None = None,
) -> ImageArtifact:
    top_blob = Blob.of((top or f"{reference} top").encode())
    return ImageArtifact(
        reference=Reference.parse(reference),
        upstream=Blob.of(upstream.encode()) if upstream else top_blob,
        top=top_blob,
        media_type=OCI_INDEX,
        created=created,
        held_to=held_to or HeldTo("first-use"),
        also_known_as=tuple(Reference.parse(name) for name in also),
        roles=roles,
        images=images,
    )


def hexadecimal(content: str) -> str:
    return Blob.of(content.encode()).digest.hex


APP = artifact(
    "app:1",
    image("app", AMD64, "base", "base", "own"),
    image("app", ARM64, "base64"),
    upstream="all of app",
    also=("quay.io/x/alias:2",),
    roles=("cloud",),
    created=100,
)
TOOL = artifact("quay.io/demo/tool:v2", image("tool", AMD64, "base"), roles=("edge",), created=200)
WINDOWS = artifact("win:1", image("win", AMD64, "own", skipped=("far away",)))
NAMELESS = artifact(f"docker.io/demo/x@sha256:{'0' * 64}", image("x", AMD64, "base"))


def placed(*artifacts: ImageArtifact, platforms: tuple[Platform, ...] = (AMD64, ARM64)) -> dict[str, Placement]:
    found = layout_placements(artifacts, platforms, {"load.sh": b"#!/bin/sh\n"}, kind="images")
    assert len({placement.path for placement in found}) == len(found)
    return {placement.path.removeprefix("k8simage/"): placement for placement in found}


def generated(placement: Placement) -> bytes:
    assert isinstance(placement.content, bytes)
    return placement.content


def test_what_lies_in_the_directory() -> None:
    found = placed(APP, TOOL)
    blobs = {*APP.blobs, *TOOL.blobs}
    assert set(found) == {
        *("oci-layout", "index.json", "manifest.json", "images.tsv", "load.sh"),
        *("platforms/linux-amd64/manifest.json", "platforms/linux-arm64/manifest.json"),
        *(f"blobs/sha256/{blob.digest.hex}" for blob in blobs),
    }
    assert {path for path, placement in found.items() if placement.mode == 0o755} == {"load.sh"}
    assert json.loads(generated(found["oci-layout"])) == {"imageLayoutVersion": "1.0.0"}
    assert found["manifest.json"].content == found["platforms/linux-amd64/manifest.json"].content


def test_the_order_of_the_entries_changes_nothing() -> None:
    assert placed(APP, TOOL, WINDOWS) == placed(WINDOWS, TOOL, APP)


def test_every_name_is_in_the_index() -> None:
    manifests = json.loads(layout_index([APP, NAMELESS]))["manifests"]
    named = {item["annotations"]["org.opencontainers.image.ref.name"]: item for item in manifests}
    assert list(named) == ["docker.io/demo/x@sha256:" + "0" * 64, "docker.io/library/app:1", "quay.io/x/alias:2"]
    for name, item in named.items():
        assert item["annotations"]["io.containerd.image.name"] == name
    own = named["docker.io/library/app:1"]
    assert (own["mediaType"], own["digest"], own["size"]) == (OCI_INDEX, str(APP.top.digest), APP.top.size)


def test_an_image_of_docker_has_an_oci_view_before_it() -> None:
    docker, twin = (
        replace(artifact(name, *APP.images, top="list"), media_type=DOCKER_INDEX) for name in ("d:1", "e:1")
    )
    view = oci_view(docker)
    assert view is not None
    children = json.loads(view)["manifests"]
    assert [child["digest"] for child in children] == [str(image.manifest.digest) for image in APP.images]
    assert [child["platform"] for child in children] == [
        {"os": "linux", "architecture": "amd64"},
        {"os": "linux", "architecture": "arm64"},
    ]
    manifests = json.loads(layout_index([APP, docker]))["manifests"]
    own = [item for item in manifests if item["annotations"]["org.opencontainers.image.ref.name"].endswith("/d:1")]
    assert [(item["mediaType"], item["digest"]) for item in own] == [
        (OCI_INDEX, str(Blob.of(view).digest)),
        (DOCKER_INDEX, str(docker.top.digest)),
    ]
    assert own[0]["annotations"] == own[1]["annotations"]
    seen = placed(docker, twin)[f"blobs/sha256/{Blob.of(view).digest.hex}"]
    assert seen.content == view
    assert encode_about(seen.about) == {
        "media_type": OCI_INDEX,
        "images": ["docker.io/library/d:1", "docker.io/library/e:1"],
    }
    assert oci_view(APP) is None


def test_the_docker_archive_holds_one_platform() -> None:
    archive = json.loads(docker_archive([APP, TOOL, WINDOWS, NAMELESS], ARM64) or b"")
    assert archive == [
        {
            "Config": f"blobs/sha256/{hexadecimal('app linux/arm64 config')}",
            "RepoTags": ["docker.io/library/app:1", "quay.io/x/alias:2"],
            "Layers": [f"blobs/sha256/{hexadecimal('base64')}"],
        }
    ]
    primary = json.loads(docker_archive([APP, TOOL, WINDOWS, NAMELESS], AMD64) or b"")
    assert [item["RepoTags"] for item in primary] == [
        ["docker.io/library/app:1", "quay.io/x/alias:2"],
        ["quay.io/demo/tool:v2"],
        [],
    ]
    assert len(primary[0]["Layers"]) == 3, "a layer that occurs twice is applied twice"


def test_no_archive_for_a_platform_that_nothing_can_be_loaded_for() -> None:
    assert "manifest.json" not in placed(TOOL, platforms=(ARM64,))
    assert not [path for path in placed(WINDOWS) if path.endswith("manifest.json")]


@pytest.mark.parametrize(
    ("preferred", "directory"), [(ARMV7, "linux-arm-v7"), (ARM, "linux-arm"), (AMD64, "linux-arm-v7")]
)
def test_directories_are_spelled_as_the_manifest_spells_platforms(preferred: Platform, directory: str) -> None:
    found = placed(artifact("app:1", image("app", ARMV7, "base")), platforms=(preferred,))
    assert [path for path in found if path.startswith("platforms/")] == [f"platforms/{directory}/manifest.json"]


def test_the_table_of_the_scripts() -> None:
    comment, *lines = images_table([APP, WINDOWS, NAMELESS]).decode().splitlines()
    assert comment.startswith("#platform\t")
    assert [line.split("\t")[0] for line in lines] == ["linux/amd64", "linux/arm64", "linux/amd64"]
    assert lines[0].split("\t") == [
        "linux/amd64",
        f"sha256:{hexadecimal('app linux/amd64 config')}",
        f"sha256:{hexadecimal('app linux/amd64 manifest')}",
        str(len("app linux/amd64 manifest")),
        OCI_MANIFEST,
        str(APP.top.digest),
        str(len("app linux/amd64 manifest") + len("app linux/amd64 config") + len("base") + len("own")),
        "docker.io/library/app:1 quay.io/x/alias:2",
        " ".join(f"sha256:{hexadecimal(layer)}" for layer in ("base", "base", "own")),
    ]
    assert len(comment.split("\t")) == len(lines[0].split("\t"))
    assert images_table([artifact("empty:1", image("empty", AMD64))]).decode().endswith("\t-\n")


def test_a_shared_layer_names_all_its_images() -> None:
    base = placed(APP, TOOL)[f"blobs/sha256/{hexadecimal('base')}"]
    assert encode_about(base.about) == {
        "media_type": LAYER,
        "images": ["docker.io/library/app:1", "quay.io/demo/tool:v2"],
    }
    assert (base.roles, base.platforms, base.mtime) == (ROLES, (AMD64,), 200)


def test_the_top_document_tells_of_the_image() -> None:
    found = placed(APP, TOOL, WINDOWS)
    top = found[f"blobs/sha256/{APP.top.digest.hex}"]
    assert encode_about(top.about) == {
        "media_type": OCI_INDEX,
        "images": ["docker.io/library/app:1"],
        "names": ["docker.io/library/app:1", "quay.io/x/alias:2"],
        "platforms": ["linux/amd64", "linux/arm64"],
        "digest": str(APP.top.digest),
        "held_to": {"by": "first-use"},
    }
    assert (top.roles, top.platforms, top.mtime) == (("cloud",), (AMD64, ARM64), 100)
    assert "names" not in encode_about(found[f"blobs/sha256/{APP.upstream.digest.hex}"].about)
    foreign = encode_about(found[f"blobs/sha256/{WINDOWS.top.digest.hex}"].about)["foreign_layers"]
    assert foreign == [f"sha256:{hexadecimal('far away')}"]
    assert f"blobs/sha256/{hexadecimal('far away')}" not in found


def test_one_image_under_two_references_is_told_once() -> None:
    pinned = HeldTo("manifest")
    twins = [artifact(name, image("a", AMD64), top="same") for name in ("a:1", "b:1")]
    twins.append(artifact("c:1", image("a", AMD64), top="same", held_to=pinned, created=None))
    top = placed(*twins)[f"blobs/sha256/{hexadecimal('same')}"]
    about = encode_about(top.about)
    assert about["names"] == [f"docker.io/library/{name}" for name in ("a:1", "b:1", "c:1")]
    assert about["held_to"] == {"by": "manifest"}
    assert top.mtime == 100


def test_site_names_that_meet() -> None:
    one, other = artifact("registry.k8s.io/pause:3.5", top="1"), artifact("quay.io/pause:3.5", top="2")
    alias = artifact("docker.io/some/pause:1", top="3", also=("docker.io/library/pause:3.5",))
    assert site_name_conflicts([one, artifact("quay.io/pause:3.5", top="1"), artifact("pause:3.6", top="2")]) == ()
    claims = (("docker.io/library", alias), ("quay.io", other), ("registry.k8s.io", one))
    told = " and ".join(f"{host}/pause:3.5 ({claimant.top.digest})" for host, claimant in claims)
    assert site_name_conflicts([alias, other, one]) == (f"library/pause:3.5: {told}",)


@pytest.mark.parametrize("whole", [APP, TOOL, WINDOWS, NAMELESS, artifact("x:1", image("x", ARMV7), created=None)])
def test_an_artifact_survives_the_lock(whole: ImageArtifact) -> None:
    assert ImageArtifact.decode(json.loads(json.dumps(whole.encode()))) == whole


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("reference", 5),
        ("upstream_digest", "sha256:1"),
        ("size", "5"),
        ("size", True),
        ("size", -1),
        ("created", "today"),
        ("held_to", {"by": "luck"}),
        ("as", [1]),
        ("manifests", []),
        ("manifests", [{}]),
        ("media_type", None),
    ],
)
def test_a_damaged_artifact_is_refused(key: str, value: object) -> None:
    encoded = json.loads(json.dumps(APP.encode()))
    with pytest.raises((ValueError, KeyError, TypeError)):
        ImageArtifact.decode(encoded | {key: value})
    del encoded[key]
    with pytest.raises((ValueError, KeyError, TypeError)):
        ImageArtifact.decode(encoded)


def test_what_an_artifact_tells() -> None:
    assert (APP.key, APP.version) == ("docker.io/library/app:1", str(APP.top.digest))
    assert APP.platforms == (AMD64, ARM64)
    assert len(APP.blobs) == len(set(APP.blobs)) == 9
    assert APP.size == sum(blob.size for blob in APP.blobs)
