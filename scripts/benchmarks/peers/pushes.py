"""Pushing images that are all there, or of which one has changed: what each program does, what the registry holds."""

from __future__ import annotations

import http.client
import json
import shutil
from typing import TYPE_CHECKING

from bundler.model.image.oci import OCI_MANIFEST
from scripts.benchmarks.peers.content import CHANGED, IMAGES, layout_name, repository
from scripts.benchmarks.peers.rows import BUNDLER, OURS, PeerCommand, Timed, run_once_if_installed, time_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.benchmarks.peers.content import PeersContent
    from tests.integration.registries import Registry

# skopeo sync gives images of a directory this tag, the others the one that they are given
TAGS = ("1", "latest")
SYNC = "skopeo sync"
TIMEOUT_S = 30


class _RegistryState:
    """What a registry holds, to be put back: the small files of its repositories, and which blobs there are."""

    def __init__(self, registry: Registry) -> None:
        storage = registry.directory / "storage/docker/registry/v2"
        self._blobs, self._repositories = storage / "blobs/sha256", storage / "repositories"
        self._saved = registry.directory / "saved"
        shutil.rmtree(self._saved, ignore_errors=True)
        shutil.copytree(self._repositories, self._saved)
        self._kept = set(self._blobs.glob("*/*"))

    def put_back(self) -> None:
        """Take away what came since."""
        for blob in set(self._blobs.glob("*/*")) - self._kept:
            shutil.rmtree(blob)
        shutil.rmtree(self._repositories)
        shutil.copytree(self._saved, self._repositories)


def fill_as_before(content: PeersContent, registry: Registry) -> None:
    """Put all images into the registry, under all tags, the changed one as it was before."""
    for number in range(IMAGES):
        layout = content.before if number == CHANGED else content.layout(number)
        for tag in TAGS:
            registry.fill(layout, layout_name(number), f"bench/{repository(number)}:{tag}")


def pushed_rows(content: PeersContent, registry: Registry, rounds: int) -> list[Timed]:
    """Measure a push of which one image has changed, then one that finds everything; `fill_as_before` comes first."""
    state = _RegistryState(registry)
    changed = time_row(f"push, one of {IMAGES} changed", _commands(content, registry, state.put_back), rounds)
    for command in _commands(content, registry, state.put_back):
        state.put_back()
        if run_once_if_installed(command):
            _require_pushed(command, content, registry)
    there = time_row("push, all there", _commands(content, registry, lambda: None), rounds)
    return [there, changed]


def _commands(content: PeersContent, registry: Registry, clean: Callable[[], None]) -> list[PeerCommand]:
    host, numbers = registry.host, range(IMAGES)
    targets = [f"{host}/bench/{repository(number)}:1" for number in numbers]
    sources = [f"ocidir://{content.layout(number)}@{content.digest(number)}" for number in numbers]
    steps = content.directory / "regsync.json"
    copies = [
        {"source": source, "target": target, "type": "image"} for source, target in zip(sources, targets, strict=True)
    ]
    steps.write_text(json.dumps({"version": 1, "creds": [{"registry": host, "tls": "disabled"}], "sync": copies}))
    crane = "".join(f"$crane push --insecure {content.layout(n)} {target}\n" for n, target in enumerate(targets))
    regctl = f"$regctl --host reg={host},tls=disabled image copy"
    one_by_one = "".join(f"{regctl} {source} {target}\n" for source, target in zip(sources, targets, strict=True))
    sync = "$skopeo --insecure-policy sync --src dir --dest docker --dest-tls-verify=false"
    # a tag that stands for another image stops ours, unless it may be overwritten
    ours = f"{BUNDLER} push-images --registry {host} --root {content.root} --via registry --on-existing-tag overwrite"
    return [
        PeerCommand(OURS, (), ours, clean),
        PeerCommand("crane push, one by one", ("crane",), crane, clean),
        PeerCommand("regctl image copy, one by one", ("regctl",), one_by_one, clean),
        PeerCommand("regsync once", ("regsync",), f"$regsync once --config {steps}", clean),
        PeerCommand(SYNC, ("skopeo",), f"{sync} {content.dirs} {host}/bench", clean),
    ]


def _require_pushed(command: PeerCommand, content: PeersContent, registry: Registry) -> None:
    """End the benchmark where the registry does not have the image that was pushed."""
    name = f"{repository(CHANGED)}/manifests/{TAGS[command.name == SYNC]}"
    connection = http.client.HTTPConnection(registry.host, timeout=TIMEOUT_S)
    connection.request("HEAD", f"/v2/bench/{name}", headers={"Accept": OCI_MANIFEST})
    has = connection.getresponse().headers["Docker-Content-Digest"]
    connection.close()
    if has != content.digest(CHANGED):
        raise SystemExit(f"scripts/bench: after {command.name} the registry has {has} as {name}, which is another")
