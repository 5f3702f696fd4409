"""Whole manifests: what is read out of them, what `--set` does, what holds between entries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ManifestError
from bundler.manifest.entries import MAX_ENTRIES, MAX_PROBLEMS
from bundler.manifest.header import MAX_VARIABLES
from bundler.manifest.reader import load_manifest, read_manifest
from bundler.model.manifest import entry_fingerprint
from bundler.model.platform import Platform
from bundler.model.scope import MAX_EXPANDED_CHARACTERS
from tests.fakes.kinds import FAKE_KINDS, Box, Boxes, Labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.manifest import Manifest
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node

FULL = """\
version: 1
name: kubernetes_kubeedge_allinone
release: "${release}"
platforms: [linux/amd64, linux/arm64]
vars:
  kubeedge: "1.11.1"
  release: "2025.${kubeedge}"
  price: $$5
  none: ""
x-common: &common
  mode: "0755"
  roles: [edge]
boxes:
  - <<: *common
    path: kubeedge/keadm-${arch}
    url: https://example.org/v${kubeedge}/keadm-${arch}${none}
  - path: plain
    urls: [a, b]
    platforms: [linux/arm/v7]
    sealed: true
labels:
  - v${kubeedge} for ${price}
"""
HEADER = "version: 1\nname: sample\n"


def read(text: str, overrides: Mapping[str, str] | None = None) -> Manifest:
    return read_manifest(text.encode(), file="m", kinds=FAKE_KINDS, overrides=overrides or {})


def problems_of(text: str, overrides: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        read(text, overrides)
    assert caught.value.id is ErrorId.MANIFEST_INVALID
    return [problem.removeprefix("m:") for problem in caught.value.problems]


def test_a_full_manifest() -> None:
    manifest = read(FULL)
    keadm, plain = manifest.entries["boxes"]
    assert isinstance(keadm, Box)
    assert isinstance(plain, Box)
    assert manifest.archive_name == "kubernetes_kubeedge_allinone-2025.1.11.1.tar.gz"
    assert manifest.platforms == (Platform("linux", "amd64"), Platform("linux", "arm64"))
    assert manifest.variables == {"kubeedge": "1.11.1", "release": "2025.1.11.1", "price": "$5", "none": ""}
    assert (keadm.id, keadm.mode, keadm.roles) == ("kubeedge/keadm-${arch}", 0o755, ("edge",))
    assert keadm.targets() == ("kubeedge/keadm-amd64", "kubeedge/keadm-arm64")
    assert keadm.urls == ("https://example.org/v1.11.1/keadm-amd64",)
    assert (keadm.position.line, keadm.position.column) == (14, 5)
    assert (plain.urls, plain.platforms) == (("a", "b"), (Platform("linux", "arm", "v7"),))
    assert [entry.meaning() for entry in manifest.entries["labels"]] == ["v1.11.1 for $5"]
    assert [str(warning) for warning in manifest.warnings] == ["m:17:5: plain is sealed"]


def test_absent_platforms_are_linux_amd64() -> None:
    assert read(HEADER + "labels: [one]").platforms == (Platform("linux", "amd64"),)


def test_overrides_replace_values_literally_and_reach_later_variables() -> None:
    manifest = read(FULL, {"kubeedge": "1.12", "price": "${kubeedge}"})
    assert manifest.variables["release"] == "2025.1.12"
    assert manifest.variables["price"] == "${kubeedge}"
    assert manifest.archive_name.endswith("-2025.1.12.tar.gz")


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("kubedge", "1", "--set kubedge: the manifest declares no such variable; did you mean 'kubeedge'?"),
        ("zzz", "1", "--set zzz: the manifest declares no such variable; it declares kubeedge, release, price, none"),
        ("price", "a\nb", "--set price: 'a\\nb' holds a line break"),
        ("price", "\udcff", "--set price: '\\udcff' holds the control character U+DCFF"),
        ("price", "x" * (MAX_EXPANDED_CHARACTERS + 1), f"is longer than {MAX_EXPANDED_CHARACTERS} characters"),
    ],
)
def test_overrides_that_cannot_be(name: str, value: str, problem: str) -> None:
    told = problems_of(FULL, {name: value})
    assert told[0].startswith("6:3: 'vars': --set ")
    assert problem in told[0]


def test_an_override_where_nothing_is_declared() -> None:
    assert problems_of(HEADER + "labels: [one]", {"a": "b"}) == [
        "1:1: 'vars': --set a: the manifest declares no such variable; it declares none"
    ]


def test_the_digest_is_that_of_the_meaning() -> None:
    first = read(HEADER + "labels: [one]\n").digest
    assert read("# comment\nx-y: 1\nlabels:\n- 'one'\nname: sample\nversion: 1\n").digest == first
    assert read(HEADER + "vars: {n: one}\nlabels: ['${n}']\n").digest == first
    assert read(HEADER + "labels: [two]\n").digest != first
    assert read(HEADER + "release: '1'\nlabels: [one]\n").digest != first
    one, two = read(HEADER + "labels: [one, two]\n").entries["labels"]
    assert entry_fingerprint(one) != entry_fingerprint(two)


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    told = problems_of(
        "version: 1\nname: a/b\nnmae: x\nplatforms: [linux/amd46]\n"
        "boxes:\n  - {path: /a, ulr: b}\n  - {path: c, url: '${d}'}\nlabels: [1, two, two]\n"
    )
    assert [problem.split(": ")[0] for problem in told] == [
        "2:7",
        "3:1",
        "4:13",
        "6:5",
        "6:12",
        "6:16",
        "7:20",
        "8:10",
        "8:18",
    ]


def test_a_problem_in_an_anchor_is_told_once_however_often_it_is_used() -> None:
    told = problems_of(HEADER + "x-a: &a {url: '${b}'}\nboxes:\n  - {<<: *a, path: c}\n  - {<<: *a, path: d}\n")
    assert told == ["3:15: undefined variable 'b'"]


def test_a_faulty_variable_is_one_problem_not_one_per_use() -> None:
    assert len(problems_of(HEADER + "vars: {a: 7}\nlabels: ['${a}', 'x${a}']\n")) == 1


def test_a_path_without_its_platform_collides_with_itself() -> None:
    class TwiceBox(Boxes):
        def read(self, node: Node, scope: Scope) -> Box | None:
            box = super().read(node, scope)
            return box and replace(box, paths=box.paths * 2)

    with pytest.raises(ManifestError) as caught:
        read_manifest(
            (HEADER + "platforms: [linux/amd64, linux/arm64]\nboxes: [{path: a, url: b}]\n").encode(),
            file="m",
            kinds=(TwiceBox(), Labels()),
        )
    assert caught.value.problems == (
        "m:4:9: would place 'a' once per platform; put ${arch} (and ${os}, ${variant}) into the path",
    )


def test_deep_and_shallow_neighbours_do_not_collide() -> None:
    manifest = read(
        HEADER + "boxes: [{path: a/b, url: c}, {path: a/c, url: c}, {path: ab, url: c}, {path: B, url: c}]\n"
    )
    assert len(manifest.entries["boxes"]) == 4


@pytest.mark.parametrize("first", ["ΐ/a", "ß/a"])
def test_folding_that_leaves_the_normal_form_is_survived(first: str) -> None:
    assert read(HEADER + f"boxes: [{{path: {first}, url: c}}]\n").entries["boxes"][0].id == first


def test_a_reserved_key_is_read_when_a_kind_has_its_name() -> None:
    class Debs(Labels):
        name = "debs"

    text = HEADER + "debs: [one]\n"
    manifest = read_manifest(text.encode(), file="m", kinds=(Debs(),))
    assert [entry.id for entry in manifest.entries["debs"]] == ["one"]
    assert problems_of(text) == ["3:1: 'debs' is reserved for a later version; remove it"]


def test_a_newer_version_hides_every_other_problem() -> None:
    with pytest.raises(ManifestError) as caught:
        read("version: 3\nname: [x]\nfoo: 1\n")
    assert len(caught.value.problems) == 1
    assert caught.value.remedy == "Use a newer version of bundler."


def test_variables_cannot_grow_without_bound() -> None:
    doubling = "".join(f"  v{n}: '{f'${{v{n - 1}}}' * 8}'\n" for n in range(1, 40))
    told = problems_of(HEADER + f"vars:\n  v0: '12345678'\n{doubling}labels: ['${{v39}}']\n")
    assert told[0].endswith(f"expands to more than {MAX_EXPANDED_CHARACTERS} characters")


def test_there_is_a_limit_to_variables() -> None:
    many = "".join(f"  v{n}: x\n" for n in range(MAX_VARIABLES + 1))
    assert problems_of(HEADER + f"vars:\n{many}labels: [one]\n") == [
        f"4:3: 'vars': declares more than {MAX_VARIABLES} variables"
    ]


def test_there_is_a_limit_to_entries() -> None:
    many = "".join(f"- l{n}\n" for n in range(MAX_ENTRIES + 1))
    assert problems_of(HEADER + f"labels:\n{many}") == [f"4:1: 'labels': lists more than {MAX_ENTRIES} entries"]


def test_there_is_a_limit_to_problems_told() -> None:
    many = "".join(f"k{n}: x\n" for n in range(MAX_PROBLEMS + 5))
    told = problems_of(HEADER + f"labels: [one]\n{many}")
    assert len(told) == MAX_PROBLEMS + 1
    assert told[-1] == " … and 5 more"


def test_one_problem_is_singular() -> None:
    with pytest.raises(ManifestError) as caught:
        read(HEADER)
    assert caught.value.what == "has 1 problem"


def test_a_manifest_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(FULL)
    manifest = load_manifest(path, FAKE_KINDS, {"kubeedge": "2"})
    assert manifest == read_manifest(FULL.encode(), file=str(path), kinds=FAKE_KINDS, overrides={"kubeedge": "2"})


@pytest.mark.parametrize("name", ["absent.yaml", "", "nul\0.yaml"])
def test_a_manifest_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(ManifestError) as caught:
        load_manifest(path, FAKE_KINDS)
    assert caught.value.id is ErrorId.MANIFEST_UNREADABLE
    assert caught.value.where == str(path)


def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(ManifestError) as caught:
        load_manifest(Path("/dev/zero"), FAKE_KINDS)
    assert "is larger than" in caught.value.problems[0]
