"""images.tsv read back, and the choice among its images."""

from __future__ import annotations

import pytest

from bundler.model.image.table import engine_platforms, for_platforms, named_like, read_images_table
from bundler.model.platform import Platform

HEADER = "#platform\timage_id\n"


def line(platform: str, names: str, number: int = 1, layers: str = "-", further: str = "") -> str:
    config, manifest, top, _ = (f"sha256:{number + offset:064x}" for offset in range(4))
    return f"{platform}\t{config}\t{manifest}\t7\ttype\t{top}\t9\t{names}\t{layers}" + further + "\n"


def test_a_line() -> None:
    layer = f"sha256:{9:064x}"
    table = HEADER + line("linux/arm/v7", "docker.io/a/b:1 quay.io/c:2", layers=f"{layer} {layer}", further="\tmore")
    (image,) = read_images_table(table.encode())
    assert str(image.platform) == "linux/arm/v7"
    assert [str(name) for name in image.names] == ["docker.io/a/b:1", "quay.io/c:2"]
    assert [str(digest) for digest in image.layers] == [layer, layer]
    assert [str(digest)[-1] for digest in image.blobs] == ["2", "1", "9"]
    assert {identity[-1] for identity in image.ids} == {"1", "2", "3"}
    assert (image.manifest.size, image.size) == (7, 9)


@pytest.mark.parametrize(
    "bad",
    [
        "linux/amd64\tsha256:1",
        line("linux", "a/b:1"),
        line("linux/amd64", ""),
        line("linux/amd64", "a/b"),
        line("linux/amd64", "a/b:1", layers="../../etc/passwd"),
    ],
)
def test_a_bad_line_is_named(bad: str) -> None:
    with pytest.raises(ValueError, match="line 2: "):
        read_images_table((HEADER + bad).encode())


@pytest.mark.parametrize(
    ("glob", "matches"),
    [
        ("docker.io/library/edge:1", True),
        ("library/edge:*", True),
        ("edge:1", True),
        ("*flannel*", True),
        ("edge", False),
        ("EDGE:1", False),
    ],
)
def test_globs(glob: str, matches: bool) -> None:
    (image,) = read_images_table(line("linux/amd64", "docker.io/library/edge:1 quay.io/coreos/flannel:v1").encode())
    assert named_like(image, [glob]) is matches
    assert named_like(image, [])


@pytest.mark.parametrize(
    ("arch", "machine", "expected"),
    [
        ("amd64", "x86_64", "linux/amd64"),
        ("arm64", "aarch64", "linux/arm64"),
        ("arm", "armv7l", "linux/arm/v7 linux/arm/v6 linux/arm/v5"),
        ("arm", "armv6l", "linux/arm/v6 linux/arm/v5"),
        ("arm", "armv5tel", "linux/arm/v5"),
    ],
)
def test_what_an_engine_runs(arch: str, machine: str, expected: str) -> None:
    assert " ".join(map(str, engine_platforms("linux", arch, machine))) == expected


def test_an_engine_that_tells_no_platform() -> None:
    with pytest.raises(ValueError, match="cannot be part of a platform"):
        engine_platforms("", "", "")


def test_the_best_platform_of_each_image() -> None:
    table = line("linux/arm/v5", "a/b:1", 10) + line("linux/arm", "a/b:1", 20) + line("linux/amd64", "c/d:1", 30)
    images = read_images_table(table.encode())
    v7, v6, v5 = (Platform("linux", "arm", variant) for variant in ("v7", "v6", "v5"))
    assert for_platforms(images, [v7, v6, v5]) == (images[1],)
    assert for_platforms(images, [v6, v5]) == (images[0],)
    assert for_platforms(images, [Platform("linux", "amd64", "v1")]) == (images[2],)
    assert for_platforms(images, [Platform("linux", "s390x")]) == ()
