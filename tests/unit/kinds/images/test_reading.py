"""Entries of `images:`, through the real manifest reader."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from bundler.errors import ManifestError
from bundler.kinds.images.entry import ImageEntry
from bundler.kinds.images.kind import ImagesKind
from bundler.manifest.reader import read_manifest
from bundler.model.manifest import ROLES, Manifest, entry_fingerprint
from bundler.model.platform import Platform
from bundler.model.scope import Scope
from bundler.model.source_text import Position, node_of

HEAD = "version: 1\nname: x\nplatforms: [linux/amd64, linux/arm64]\nvars: {v: '3.5'}\nimages:\n"
DIGEST = f"sha256:{'a' * 64}"


def manifest(images: str) -> Manifest:
    return read_manifest((HEAD + images).encode(), file="m.yaml", kinds=[ImagesKind()])


def entries(images: str) -> list[ImageEntry]:
    return [entry for entry in manifest(images).entries["images"] if isinstance(entry, ImageEntry)]


def problems(images: str) -> list[str]:
    """Return what is wrong, lines counted from `images:` on."""
    with pytest.raises(ManifestError) as caught:
        manifest(images)
    lines = []
    for problem in caught.value.problems:
        file, line, column, text = problem.split(":", 3)
        assert file == "m.yaml"
        lines.append(f"{int(line) - HEAD.count(chr(10))}:{column}:{text}")
    return lines


def test_a_reference_alone() -> None:
    (entry,) = entries("- pause:${v}\n")
    assert (entry.id, str(entry.reference)) == ("pause:${v}", "docker.io/library/pause:3.5")
    assert entry.key == "docker.io/library/pause:3.5"
    assert (entry.platforms, entry.roles) == ((Platform("linux", "amd64"), Platform("linux", "arm64")), ROLES)
    assert (entry.also_known_as, entry.targets()) == ((), ())
    assert str(entry.position) == "m.yaml:6:3"


def test_a_mapping() -> None:
    (entry,) = entries(
        f"- {{name: 'quay.io/a/b:1@{DIGEST}', as: ['c/d:${{v}}', 'e:2'], platforms: [linux/arm/v7], roles: [edge]}}\n"
    )
    assert str(entry.reference) == f"quay.io/a/b:1@{DIGEST}"
    assert [str(name) for name in entry.also_known_as] == ["docker.io/c/d:3.5", "docker.io/library/e:2"]
    assert (entry.platforms, entry.roles) == ((Platform("linux", "arm", "v7"),), ("edge",))


def test_the_meaning_counts_not_the_spelling() -> None:
    short, long = entries("- pause:${v}\n"), entries("- {name: docker.io/library/pause:3.5, roles: [edge, cloud]}\n")
    assert entry_fingerprint(short[0]) == entry_fingerprint(long[0])
    for other in (
        "- pause:3.6\n",
        "- {name: pause:3.5, platforms: [linux/amd64]}\n",
        "- {name: pause:3.5, roles: [edge]}\n",
        "- {name: pause:3.5, as: [a:1]}\n",
    ):
        assert entry_fingerprint(entries(other)[0]) != entry_fingerprint(short[0]), other


def test_an_item_that_another_entry_yields_is_read_like_one_of_the_manifest() -> None:
    scope = Scope({}, (Platform("linux", "amd64"), Platform("linux", "arm64")))
    position = Position("m.yaml", 6, 3)
    listed = {"name": "pause:3.5", "as": ["a:1"], "roles": ["edge"]}
    for item, text in (("pause:3.5", "pause:3.5"), (listed, json.dumps(listed))):
        assert [ImagesKind().read(node_of(item, position), scope)] == [
            replace(entry, position=position) for entry in entries(f"- {text}\n")
        ]
    assert not scope.problems.errors


@pytest.mark.parametrize(
    ("images", "where", "says"),
    [
        ("- pause\n", "1:3", "has neither tag nor digest"),
        ("- Pause:1\n", "1:3", "not a repository path"),
        ("- 'pause:'\n", "1:3", "empty tag"),
        ("- pause:1@sha256:1\n", "1:3", "64 lower-case hex digits"),
        (f"- pause@sha512:{'a' * 128}\n", "1:3", "known by their sha256"),
        ("- pause:${w}\n", "1:3", "undefined variable 'w'"),
        ("- pause:${arch}\n", "1:3", "undefined variable 'arch'"),
        ("- a__b/pause:1\n", "1:3", "no project named 'a__b'"),
        ("- 7\n", "1:3", "want a string"),
        ("- [pause:1]\n", "1:3", "want an images entry as a mapping"),
        ("- {as: [a:1]}\n", "1:3", "lacks the key 'name'"),
        ("- {name: pause:1, platform: [linux/amd64]}\n", "1:19", "did you mean 'platforms'?"),
        ("- {name: pause:1, roles: [egde]}\n", "1:27", "did you mean 'edge'?"),
        ("- {name: pause:1, platforms: [linux/x86_64]}\n", "1:31", "written amd64"),
        ("- {name: pause:1, as: a:1}\n", "1:23", "want a list"),
        ("- {name: pause:1, as: [a]}\n", "1:24", "neither tag nor digest"),
        (f"- {{name: pause:1, as: ['a@{DIGEST}']}}\n", "1:24", "with a tag and without a digest"),
        (f"- {{name: pause:1, as: ['a:1@{DIGEST}']}}\n", "1:24", "with a tag and without a digest"),
        ("- {name: pause:1, as: [library/pause:1]}\n", "1:24", "the name of the image itself"),
        ("- {name: pause:1, as: [a__b/c:1]}\n", "1:24", "no project named 'a__b'"),
        ("- pause:1\n- docker.io/library/pause:1\n", "2:3", "listed already at m.yaml:6:3"),
    ],
)
def test_faults_are_named_where_they_stand(images: str, where: str, says: str) -> None:
    (line,) = problems(images)
    assert line.startswith(f"{where}: "), line
    assert says in line


def test_all_problems_at_once() -> None:
    assert len(problems("- pause\n- {name: B:1, as: [c], roles: [x]}\n- good:1\n- {name: d:1, e: 1}\n")) == 5


def test_two_images_that_meet_on_the_site_are_a_warning() -> None:
    images = "- registry.k8s.io/pause:1\n- {name: a/b:1, as: [pause:1]}\n- {name: a/b:2, as: [a/b:3]}\n"
    (warning,) = manifest(images).warnings
    assert str(warning.position) == "m.yaml:7:3"
    assert "docker.io/library/pause:1 and registry.k8s.io/pause:1 (m.yaml:6:3) are both library/pause:1" in warning.text


@pytest.mark.parametrize(
    ("item", "valid"),
    [
        ("pause:1", True),
        ({"name": "pause:1", "as": ["a:1"], "platforms": ["linux/arm/v7"], "roles": ["edge"], "x-note": 1}, True),
        ({"as": ["a:1"]}, False),
        ({"name": "a:1", "role": ["edge"]}, False),
        ({"name": "a:1", "roles": ["node"]}, False),
        ({"name": "a:1", "as": []}, False),
        (7, False),
    ],
)
def test_the_schema(item: Any, valid: bool) -> None:
    schema = json.loads(json.dumps(ImagesKind().schema))
    assert jsonschema.Draft202012Validator(schema).is_valid(item) is valid
