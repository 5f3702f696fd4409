"""Every example manifest is read without a complaint, and the published schema accepts it."""

from __future__ import annotations

import jsonschema
import pytest
import yaml

from bundler.kinds import KINDS
from bundler.manifest.reader import load_manifest
from bundler.manifest.schema import manifest_schema
from tests.contract.checkout import ROOT

MANIFESTS = sorted(path.name for path in (ROOT / "manifests").glob("*.yaml"))
READERS = tuple(KINDS.values())


def test_the_real_one_and_the_demo_are_there() -> None:
    assert {"demo.yaml", "kubeedge-1.11.1.yaml"} <= set(MANIFESTS)


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifest_is_read_without_a_warning(name: str) -> None:
    found = load_manifest(ROOT / "manifests" / name, READERS, {})
    assert found.warnings == ()
    assert any(found.entries.values())


@pytest.mark.parametrize("name", MANIFESTS)
def test_published_schema_accepts_it(name: str) -> None:
    value = yaml.safe_load((ROOT / "manifests" / name).read_text())
    jsonschema.validate(value, dict(manifest_schema(READERS)), jsonschema.Draft202012Validator)
