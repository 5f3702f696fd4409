"""Runs in which all is there already load nothing that sends or fetches. What commands load at all: tests/contract."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.placed_images import AMD64, place_images
from tests.integration.registries import plain_registry

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
NEEDED_TO_SEND = {"requests", "urllib3", "charset_normalizer", "concurrent.futures", "docker", "logging", "tqdm"}
RUN = """
import sys
from bundler.__main__ import main
try:
    main()
except SystemExit as end:
    print(end.code, *sys.modules)
"""


def _loaded(words: list[str], directory: Path) -> set[str]:
    """Return the modules of one successful run of bundler."""
    environment = {**os.environ, "HOME": str(directory), "DOCKER_HOST": f"unix://{directory}/no-engine.sock"}
    environment = {name: text for name, text in environment.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words], capture_output=True, text=True, check=True, env=environment
    )
    code, *modules = done.stdout.splitlines()[-1].split()
    assert code == "0", done.stderr
    return set(modules)


@pytest.mark.parametrize("options", [[], ["--via", "registry", "--plain-http"]], ids=["auto", "straight"])
def test_a_push_in_which_all_is_there_asks_once_a_name_and_loads_nothing_that_sends(
    tmp_path: Path, options: list[str]
) -> None:
    names = [f"docker.io/demo/app{number}:1" for number in range(3)]
    root = place_images(tmp_path / "made", dict.fromkeys(names, (AMD64,))).write_bundle(tmp_path / "root")
    with plain_registry(tmp_path / "registry") as registry:
        push = ["push-images", "--registry", registry.host, "--root", str(root), *options]
        # what is sent goes the same way as what is asked, over http.client, on threads
        assert {"http.client", "threading"} <= _loaded(push, tmp_path)
        before = len(registry.requests())
        loaded = _loaded(push, tmp_path)
        asked = [line.split()[:2] for line in registry.requests()[before:]]
    assert loaded & NEEDED_TO_SEND == set()
    heads = [path for method, path in asked if method == "HEAD"]
    assert sorted(heads) == [f"/v2/demo/app{number}/manifests/1" for number in range(3)]
    # whether a registry answers there (on loopback also which scheme), and whether it is a Harbor
    others = sorted({path for method, path in asked if method != "HEAD"})
    assert others == ["/api/v2.0/systeminfo", "/v2/"]
    assert len(asked) <= len(heads) + 3


def test_a_push_in_which_one_image_is_missing_asks_once_for_each_of_its_blobs(tmp_path: Path) -> None:
    names = [f"docker.io/demo/app{number}:1" for number in range(3)]
    root = place_images(tmp_path / "made", dict.fromkeys(names, (AMD64,))).write_bundle(tmp_path / "root")
    with plain_registry(tmp_path / "registry") as registry:
        push = ["push-images", "--registry", registry.host, "--root", str(root), "--via", "registry", "--plain-http"]
        _loaded(push, tmp_path)
        shutil.rmtree(registry.directory / "storage/docker/registry/v2/repositories/demo/app1")
        before = len(registry.requests())
        _loaded(push, tmp_path)
        asked = [line.split()[:2] for line in registry.requests()[before:]]
    about_blobs = [(method, path) for method, path in asked if "/blobs/" in path]
    heads = [path for method, path in about_blobs if method == "HEAD"]
    assert len(heads) == len(set(heads)) == 3
    # for each blob that it lacks one request that begins (or mounts), and one that sends
    began = [path for method, path in about_blobs if method == "POST"]
    sent = [path for method, path in about_blobs if method == "PUT"]
    mounted = [path for path in began if "mount=" in path]
    assert len(began) == 3
    assert len(sent) == len(began) - len(mounted)
    assert all(path.startswith("/v2/demo/app1/") for _, path in about_blobs)
    manifests = sorted((method, path) for method, path in asked if "/manifests/" in path)
    assert manifests == [
        ("HEAD", "/v2/demo/app0/manifests/1"),
        ("HEAD", "/v2/demo/app1/manifests/1"),
        ("HEAD", "/v2/demo/app1/manifests/1"),
        ("HEAD", "/v2/demo/app2/manifests/1"),
        ("PUT", "/v2/demo/app1/manifests/1"),
    ]
