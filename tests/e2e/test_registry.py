"""The whole way of an image without any Harbor: from the mirror on an air-gapped master into an edge node's engines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.air_gap import AirGap, air_gap
from tests.e2e.mirror_on_master import mirror_on_master
from tests.integration.containerd_engine import containerd_engine
from tests.integration.docker_engine import docker_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.demo_run import Demo

pytestmark = pytest.mark.xdist_group("demo")
MASTER = "master:8088"


@pytest.fixture(scope="module")
def gap() -> Iterator[AirGap]:
    with air_gap() as made:
        yield made


@pytest.fixture(scope="module")
def served(gap: AirGap, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, whose unpacked bundle is served on the master."""
    log = tmp_path_factory.mktemp("mirror") / "mirror.log"
    with mirror_on_master(gap, demo.unpacked, log, "--ftp", "off"):
        yield demo


def test_docker_pulls_every_image_for_every_platform(gap: AirGap, served: Demo, tmp_path: Path) -> None:
    # what the documentation tells an operator to write
    (tmp_path / "daemon.json").write_text(json.dumps({"insecure-registries": [MASTER]}))
    options = (f"--config-file={tmp_path / 'daemon.json'}",)
    with docker_engine(tmp_path / "engine", runner=gap.on_edge_with_cgroups, options=options) as engine:
        for artifact in served.images:
            for reference in (artifact["reference"], *artifact["as"]):
                name = f"{MASTER}/{reference.partition('/')[2]}"
                for image in artifact["manifests"]:
                    said = engine.docker("pull", "--platform", image["platform"], name)
                    assert artifact["digest"] in said
                    told = json.loads(engine.docker("inspect", name))[0]
                    assert told["Id"] == image["config"]["digest"]
                    assert told["RepoDigests"] == [f"{name.rpartition(':')[0]}@{artifact['digest']}"]
                    engine.docker("rmi", "-f", told["Id"])


def test_containerd_pulls_every_image_for_every_platform(gap: AirGap, served: Demo, tmp_path: Path) -> None:
    wanted: dict[str, str] = {}
    with containerd_engine(tmp_path / "containerd", runner=gap.on_edge) as engine:
        for artifact in served.images:
            for reference in (artifact["reference"], *artifact["as"]):
                registry = reference.partition("/")[0]
                if not (engine.hosts / registry).exists():
                    engine.mirrors(registry, f"http://{MASTER}")
                for image in artifact["manifests"]:
                    engine.pull(reference, image["platform"])
                    manifest_and_layers = {image[key]["digest"] for key in ("manifest", "config")}
                    manifest_and_layers |= {layer["digest"] for layer in image["layers"]}
                    assert manifest_and_layers <= engine.blobs()
                wanted[reference] = artifact["digest"]
        assert engine.images() == wanted
