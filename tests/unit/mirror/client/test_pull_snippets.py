"""The lines that pull one image, for each engine and each way of reaching the mirror."""

from __future__ import annotations

from mirror.client.pull_snippets import GivenName, pull_snippets
from mirror.client.reach import Reach

PAUSE = GivenName("registry.k8s.io/pause:3.5", "library/pause:3.5", by_original=True)
ALIAS = GivenName("docker.io/kubeedge/pause:3.5", "kubeedge/pause:3.5", by_original=False)
REACH = Reach("master", 8088, False, None)


def _lines(reach: Reach, *names: GivenName) -> dict[str, list[str]]:
    return {snippet.tool: snippet.text.splitlines() for snippet in pull_snippets(names, reach)}


def test_every_engine_has_its_lines() -> None:
    assert _lines(REACH, PAUSE, ALIAS) == {
        "docker": [
            "docker pull master:8088/library/pause:3.5",
            "docker tag master:8088/library/pause:3.5 registry.k8s.io/pause:3.5",
            "docker tag master:8088/library/pause:3.5 docker.io/kubeedge/pause:3.5",
        ],
        "containerd": [
            "crictl pull registry.k8s.io/pause:3.5",
            "ctr -n k8s.io images pull --plain-http master:8088/library/pause:3.5",
        ],
        "podman": [
            "podman pull registry.k8s.io/pause:3.5",
            "podman pull --tls-verify=false master:8088/library/pause:3.5",
        ],
    }


def test_with_tls_nothing_is_plain_and_with_a_login_a_name_is_asked_for() -> None:
    found = _lines(Reach("2001:db8::1", 8443, True, None, login=True), PAUSE)
    everything = "\n".join(line for lines in found.values() for line in lines)
    assert "plain-http" not in everything
    assert "tls-verify" not in everything
    assert found["docker"][0] == "docker login --username @NAME@ '[2001:db8::1]:8443'"
    assert found["containerd"][-1].startswith("ctr -n k8s.io images pull --user @NAME@ '[2001:db8::1]:8443/library/")


def test_the_registry_s_own_port_is_the_one() -> None:
    found = _lines(Reach("master", 8088, False, None, registry=5000), PAUSE)
    assert found["docker"][0] == "docker pull master:5000/library/pause:3.5"


def test_an_image_by_its_digest_alone_gets_no_name() -> None:
    digest = f"sha256:{'0' * 64}"
    found = _lines(REACH, GivenName(f"quay.io/a/b@{digest}", f"a/b@{digest}", by_original=True))
    assert found["docker"] == [f"docker pull master:8088/a/b@{digest}"]


def test_what_is_given_out_by_no_name_has_no_lines() -> None:
    assert pull_snippets((), REACH) == ()
    assert pull_snippets((PAUSE,), Reach("master", None, False, 21)) == ()
