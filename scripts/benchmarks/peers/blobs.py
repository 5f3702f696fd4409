"""Blobs over several connections from registries, and the same bytes as files from web servers, by both clients."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from typing import TYPE_CHECKING

from scripts.benchmarks.bulk_client import RECEIVERS
from scripts.benchmarks.framework import FRAMEWORKS
from scripts.benchmarks.peers.programs import found, missing
from scripts.benchmarks.registry import BLOB_CLIENTS, blob_row_name
from scripts.benchmarks.registry_images import make_images
from scripts.benchmarks.registry_sides import PEER, check_digest, registry_side
from scripts.benchmarks.serve import spread
from scripts.benchmarks.serve_load import Load, Measured, large_files
from scripts.benchmarks.serve_sides import OURS, default_mirror, free_port, http_side, mirror_side, nginx_side
from scripts.benchmarks.serve_tree import ServedTree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from scripts.benchmarks.registry_images import ServedImage
    from scripts.benchmarks.serve_sides import Side

NGINX_CONNECTIONS = 1024
WORKERS = 2
# what is asked for -> server -> program that it needs, none for what is always there
REGISTRIES: Mapping[str, str] = {PEER: "docker-registry", "distribution v3": "registry"}
FILE_SERVERS: Mapping[str, str] = {"nginx": "nginx", "caddy": "caddy", "http.server": "python3"}

Rates = dict[tuple[str, str], list[Measured]]


def blob_rates(directory: Path, blob_bytes: int, rounds: int, seconds: float) -> Rates:
    """Measure, in turn; row and server -> rates.

    Arguments:
        directory: a new one, which others may enter: the mirror's workers become somebody else.
    """
    rates: Rates = {}
    images = make_images(directory / "tree", blob_bytes)
    paths = {"blobs": [image.blob_path for image in images], "files": [_file_path(image) for image in images]}
    tree = ServedTree(directory / "tree", blob_bytes, 0, {})
    with ExitStack() as started:
        ours = started.enter_context(mirror_side(default_mirror(), tree.root, WORKERS, directory))
        sides = {
            "blobs": [ours, *_registries(started, directory, images)],
            "files": [ours, *_file_servers(started, directory, tree.root)],
        }
        for what, servers in sides.items():
            for side in servers:
                for image, path in zip(images, paths[what], strict=True):
                    check_digest(side, path, image.layer.hex)
        for number in range(rounds):
            for what, servers in sides.items():
                load = Load(tree, WORKERS, seconds, None, tuple(paths[what]))
                # whoever comes first finds other caches
                turn = servers[number % len(servers) :] + servers[: number % len(servers)]
                for receiver in RECEIVERS:
                    for clients in BLOB_CLIENTS:
                        name = blob_row_name(blob_bytes, clients, receiver).replace("blobs", what)
                        for side in turn:
                            measured = large_files(side, load, clients, receiver=receiver)
                            rates.setdefault((name, side.name), []).append(measured)
    return rates


def _file_path(image: ServedImage) -> str:
    return f"k8simage/blobs/sha256/{image.layer.hex}"


def _registries(started: ExitStack, directory: Path, images: Sequence[ServedImage]) -> list[Side]:
    installed = {name: found(needed) for name, needed in REGISTRIES.items()}
    return [
        started.enter_context(registry_side(name.replace(" ", "-"), command, directory, images))
        for name, command in installed.items()
        if command
    ]


def _file_servers(started: ExitStack, directory: Path, root: Path) -> list[Side]:
    sides = []
    if not missing(["nginx"]):
        sides.append(started.enter_context(nginx_side(root, WORKERS, directory, NGINX_CONNECTIONS)))
    for name, arguments in (
        ("caddy", ["file-server", "--root", str(root), "--listen", "127.0.0.1:{port}"]),
        ("http.server", ["-c", FRAMEWORKS["http.server"].source, str(root), "{port}"]),
    ):
        program = found(FILE_SERVERS[name])
        if program:
            port = free_port()
            command = [program, *(argument.replace("{port}", str(port)) for argument in arguments)]
            sides.append(started.enter_context(http_side(name, command, port, directory)))
    return sides


def print_rates(rates: Rates) -> None:
    """Print a table; ours compared: how many times the peer's rate."""
    print("| | server | GB/s | lowest to highest | its processor time | the clients' | rate of ours compared |")
    print("|---|---|---|---|---|---|---|")
    medians = {key: statistics.median(one.rate for one in rounds) for key, rounds in rates.items()}
    for name in dict.fromkeys(name for name, _ in rates):
        for server in [server for row, server in rates if row == name]:
            rounds = rates[name, server]
            own, clients = (
                f"{statistics.median(costs) * 1e9:.3g} s/GB"
                for costs in ([one.cost_s for one in rounds], [one.client_cost_s for one in rounds])
            )
            compared = "" if server == OURS else f"{medians[name, OURS] / medians[name, server]:.2f}x"
            print(
                f"| {name} | {server} | {spread([one.rate / 1e9 for one in rounds])} | {own} | {clients} | {compared} |"
            )
