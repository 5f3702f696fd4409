"""Image references in Docker's grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.model.digest import Digest
from bundler.model.reference import Reference, docker_host
from tests.unit.model.values import digests

DIGEST = Digest("sha256", "0123456789abcdef" * 4)
COMPONENTS = st.from_regex(r"[a-z0-9]{1,4}((\.|_|__|-{1,3})[a-z0-9]{1,3}){0,2}", fullmatch=True)
HOSTS = st.sampled_from(
    ("docker.io", "registry.k8s.io", "localhost", "localhost:5000", "10.0.0.1:80", "[::1]:5000", "A.example")
)


@st.composite
def references(draw: st.DrawFn) -> Reference:
    """References as `parse` makes them."""
    host = draw(HOSTS)
    parts = draw(st.lists(COMPONENTS, min_size=2 if host == "docker.io" else 1, max_size=4))
    tag = draw(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True) | st.just(""))
    digest = draw(digests()) if not tag else draw(st.none() | digests())
    return Reference(host, "/".join(parts), tag, digest)


@given(references())
def test_text_and_back(reference: Reference) -> None:
    assert Reference.parse(str(reference)) == reference


@given(st.text(max_size=40) | st.text("ab.:/@-_A0", max_size=20))
def test_any_text_is_a_reference_or_a_value_error(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except ValueError:
        return
    assert Reference.parse(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("pause:3.5", "docker.io/library/pause:3.5"),
        ("docker.io/pause:3.5", "docker.io/library/pause:3.5"),
        ("index.docker.io/library/pause:3.5", "docker.io/library/pause:3.5"),
        ("kubeedge/cloudcore:v1.11.1", "docker.io/kubeedge/cloudcore:v1.11.1"),
        ("registry.k8s.io/pause:3.5", "registry.k8s.io/pause:3.5"),
        ("quay.io/coreos/flannel:v0.14.0", "quay.io/coreos/flannel:v0.14.0"),
        ("localhost/a:1", "localhost/a:1"),
        ("host:5000/a:1", "host:5000/a:1"),
        ("host/a:1", "docker.io/host/a:1"),
        ("[::1]:5000/a:1", "[::1]:5000/a:1"),
        (f"a/b@{DIGEST}", f"docker.io/a/b@{DIGEST}"),
        (f"a/b:1@{DIGEST}", f"docker.io/a/b:1@{DIGEST}"),
    ],
)
def test_what_a_person_writes_is_spelled_out(text: str, full: str) -> None:
    assert str(Reference.parse(text)) == full


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "repository path"),
        ("pause", "'pause' has neither tag nor digest; write pause:TAG or pause@sha256:DIGEST"),
        ("pause:", "empty tag"),
        ("pause:3.5:1", "not a tag"),
        ("pause:-1", "not a tag"),
        ("pause:" + "1" * 129, "not a tag"),
        ("pause:3.5\n", "not a tag"),
        ("Pause:3.5", "lower case"),
        ("a//b:1", "repository path"),
        ("/a:1", "repository path"),
        ("a_-b:1", "repository path"),
        ("a___b:1", "repository path"),
        ("https://registry.k8s.io/pause:3.5", "begins with https://, .* write 'registry.k8s.io/pause:3.5'"),
        ("docker://registry.k8s.io/pause:3.5", "begins with docker://, .* write 'registry.k8s.io/pause:3.5'"),
        ("registry.k8s.io:x/pause:3.5", "registry host"),
        ("-bad.example/pause:3.5", "registry host"),
        ("a@sha256:0", "hex digits"),
        ("a@", "not a digest"),
        ("a/" * 128 + "a:1", "at most 255"),
        ("\uff41:1", "lower case"),
    ],
)
def test_anything_else_is_no_reference(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Reference.parse(text)


def test_the_parts_of_a_reference() -> None:
    reference = Reference.parse(f"quay.io/coreos/flannel:v1@{DIGEST}")
    assert (reference.name, reference.tagged) == ("quay.io/coreos/flannel", "quay.io/coreos/flannel:v1")
    assert Reference.parse(f"quay.io/coreos/flannel@{DIGEST}").tagged == ""


@pytest.mark.parametrize(
    ("host", "plain_http", "called"),
    [
        ("master", False, "master:443"),
        ("master", True, "master:80"),
        ("master:5000", True, "master:5000"),
        ("master.example", False, "master.example"),
        ("localhost", False, "localhost"),
        ("198.51.100.1", True, "198.51.100.1"),
    ],
)
def test_a_host_of_one_word_is_no_namespace_of_docker_io(host: str, plain_http: bool, called: str) -> None:
    assert docker_host(host, plain_http=plain_http) == called
