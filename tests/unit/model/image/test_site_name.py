"""Names of images on the site, docs/design.md, 9."""

from __future__ import annotations

import pytest

from bundler.model.image.site_name import harbor_problem, site_name
from bundler.model.reference import Reference

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("registry.k8s.io/pause:3.5", "library/pause:3.5"),
        ("pause:3.5", "library/pause:3.5"),
        ("quay.io/coreos/flannel:v0.14.0", "coreos/flannel:v0.14.0"),
        ("registry.k8s.io/metrics-server/metrics-server:v0.4.1", "metrics-server/metrics-server:v0.4.1"),
        ("a.example/b/c/d:1", "b/c/d:1"),
        (f"a.example/b/c@{DIGEST}", f"b/c@{DIGEST}"),
        (f"a.example/b/c:1@{DIGEST}", "b/c:1"),
    ],
)
def test_the_source_host_is_dropped(text: str, name: str) -> None:
    reference = Reference.parse(text)
    assert site_name(reference) == name
    assert harbor_problem(reference) == ""


@pytest.mark.parametrize("project", ["a__b", "a--b"])
def test_projects_that_harbor_refuses(project: str) -> None:
    assert repr(project) in harbor_problem(Reference.parse(f"a.example/{project}/c:1"))


def test_the_project_counts_into_the_length() -> None:
    assert harbor_problem(Reference("a.example", "c" * 247, "1")) == ""
    assert "at most 255 characters, not 256" in harbor_problem(Reference("a.example", "c" * 248, "1"))
