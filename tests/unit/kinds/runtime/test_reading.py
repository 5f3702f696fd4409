from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest

from bundler.errors import ManifestError
from bundler.kinds.runtime.schema import RUNTIME_SCHEMA
from bundler.manifest.reader import read_manifest
from bundler.model.artifact import HeldTo
from tests.unit.kinds.runtime.runtime_upstream import AMD64, ARM64

if TYPE_CHECKING:
    from bundler.kinds.runtime.entry import RuntimeEntry
    from tests.unit.kinds.runtime.runtime_upstream import Upstream

PLATFORMS = "[linux/amd64, linux/arm64, linux/arm/v7]"
URL = "url: 'https://h/${machine}.tgz'"


def read(upstream: Upstream, *items: str, platforms: str = PLATFORMS) -> list[RuntimeEntry]:
    lines = "".join(f"  - {item}\n" for item in items)
    text = f"version: 1\nname: t\nplatforms: {platforms}\nruntime:\n{lines}"
    return list(read_manifest(text.encode(), file="m", kinds=[upstream.kind]).entries["runtime"])  # type: ignore[arg-type]


def problems(upstream: Upstream, *items: str, platforms: str = PLATFORMS) -> str:
    with pytest.raises(ManifestError) as caught:
        read(upstream, *items, platforms=platforms)
    return "\n".join(caught.value.problems)


def test_an_entry_is_for_the_platforms_of_the_manifest_that_the_tool_runs_on(upstream: Upstream) -> None:
    [entry] = read(upstream, f"{{python: {{{URL}, checksum_url: 'https://h/SHA256SUMS'}}}}")

    assert (entry.id, entry.key, entry.tool) == ("runtime", "runtime/x86_64,aarch64", "")
    assert [item.platform for item in entry.runtimes] == [AMD64, ARM64]
    assert [item.python.urls for item in entry.runtimes] == [("https://h/x86_64.tgz",), ("https://h/aarch64.tgz",)]
    assert entry.runtimes[0].python.held_to == HeldTo("published-checksum", "https://h/SHA256SUMS")
    assert entry.targets() == ("runtime/x86_64/bin/python3", "runtime/aarch64/bin/python3")


def test_its_own_platforms_are_in_its_id(upstream: Upstream) -> None:
    amd64, arm64 = read(
        upstream,
        "{python: {url: a.tgz}, platforms: [linux/amd64]}",
        "{python: {url: b.tgz}, platforms: [linux/arm64], tool: dist/tool-1-py3-none-any.whl}",
    )

    assert (amd64.id, arm64.id) == ("runtime/x86_64", "runtime/aarch64")
    assert arm64.tool == "dist/tool-1-py3-none-any.whl"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("{}", "lacks the key 'python'"),
        ("{python: x.tgz}", "want 'python' of a runtime entry as a mapping"),
        ("{python: {}}", "lacks one of the keys url, urls"),
        ("{python: {url: x.tgz}}", "put ${machine} into its url"),
        (f"{{python: {{{URL}, path: x}}}}", "unknown key 'path' in 'python' of a runtime entry"),
        (f"{{python: {{{URL}}}, tools: x}}", "did you mean 'tool'"),
        (f"{{python: {{{URL}}}, tool: x.zip}}", "is not the name of a wheel"),
        (f"{{python: {{{URL}}}, platforms: [linux/arm/v7]}}", "linux/arm/v7: this tool runs on linux/amd64 and"),
        (f"{{python: {{{URL}}}, platforms: [linux/amd64, linux/amd64/v3]}}", "names x86_64 more than once"),
        (f"{{python: {{{URL}, sha256: '{'0' * 64}'}}}}", "one digest for 2 platforms"),
        ("{python: {url: 'ssh://${machine}'}}", "has the scheme 'ssh'"),
    ],
)
def test_what_is_wrong_is_said_once(upstream: Upstream, item: str, said: str) -> None:
    assert problems(upstream, item).count(said) == 1


def test_a_manifest_for_other_machines_has_no_runtime(upstream: Upstream) -> None:
    assert "no runtime" in problems(upstream, f"{{python: {{{URL}}}}}", platforms="[linux/arm/v7]")


def test_two_entries_for_one_machine_collide(upstream: Upstream) -> None:
    items = (f"{{python: {{{URL}}}}}", "{python: {url: b.tgz}, platforms: [linux/amd64]}")
    assert "runtime/x86_64/bin/python3" in problems(upstream, *items)


@pytest.mark.parametrize(
    ("item", "accepted"),
    [
        ('{"python": {"url": "a"}}', True),
        ('{"python": {"urls": ["a", "b"], "sha256": "0"}, "tool": "t", "platforms": ["linux/arm64"]}', True),
        ('{"python": {"url": "a", "sha256": "0", "checksum_url": "b"}}', False),
        ('{"python": {}}', False),
        ('{"tool": "t"}', False),
    ],
)
def test_the_schema_agrees(item: str, accepted: bool) -> None:
    validator = jsonschema.Draft202012Validator(dict(RUNTIME_SCHEMA))
    assert validator.is_valid(json.loads(item)) is accepted
