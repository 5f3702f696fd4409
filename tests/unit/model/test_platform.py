"""Platforms as OCI names them."""

from __future__ import annotations

import pytest
from hypothesis import given

from bundler.model.platform import Platform
from tests.unit.model.values import platforms


@given(platforms())
def test_text_and_back(platform: Platform) -> None:
    assert Platform.parse(str(platform)) == platform
    assert platform.slug == str(platform).replace("/", "-")
    assert platform.matches(platform)


@pytest.mark.parametrize(
    "text", ["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/arm/", "Linux/amd64", "linux/amd 64", "linux/-"]
)
def test_anything_else_is_no_platform(text: str) -> None:
    with pytest.raises(ValueError, match="linux/amd64"):
        Platform.parse(text)


@pytest.mark.parametrize(
    ("alias", "canonical"), [("x86_64", "amd64"), ("aarch64", "arm64"), ("armhf", "arm"), ("i386", "386")]
)
def test_aliases_are_answered_with_the_canonical_word(alias: str, canonical: str) -> None:
    with pytest.raises(ValueError, match=f"is written {canonical}"):
        Platform.parse(f"linux/{alias}")


@pytest.mark.parametrize(
    ("platform", "machine"),
    [
        ("linux/amd64", "x86_64"),
        ("linux/arm64/v8", "aarch64"),
        ("linux/arm/v7", "armv7l"),
        ("linux/arm", "armv7l"),
        ("linux/arm/v6", "armv6l"),
        ("linux/386", "i686"),
        ("linux/s390x", "s390x"),
        ("linux/loong64", "loongarch64"),
    ],
)
def test_the_machine_is_what_uname_prints(platform: str, machine: str) -> None:
    assert Platform.parse(platform).machine == machine


@pytest.mark.parametrize(
    ("offered", "wanted", "same"),
    [
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm", "linux/arm/v7", True),
        ("linux/amd64", "linux/amd64/v1", True),
        ("linux/arm/v6", "linux/arm", False),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/arm64/v7", "linux/arm64", False),
        ("linux/arm64", "linux/arm", False),
        ("windows/amd64", "linux/amd64", False),
    ],
)
def test_an_absent_variant_is_the_default_one(offered: str, wanted: str, same: bool) -> None:
    assert Platform.parse(offered).matches(Platform.parse(wanted)) is same
    assert Platform.parse(wanted).matches(Platform.parse(offered)) is same
