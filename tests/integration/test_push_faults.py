"""Lines that break and registries that end while `bundler push-images` runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.cutting_proxy import cutting_proxy
from tests.integration.faulty_front import Fault, faulty_front
from tests.integration.mirror_program import eventually
from tests.integration.pushed_bundle import (
    TARGETS,
    WITHIN_S,
    PushedBundle,
    push,
    push_command,
    skopeo_copy,
    skopeo_digest,
    small_bundle,
)
from tests.integration.registries import Registry, plain_registry

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
LAYER_BYTES = 8 * 1024 * 1024
ENDS_WITH = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -signal.SIGKILL}
SAYS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGKILL: ""}


def test_a_line_that_is_cut_again_and_again(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path, filler_bytes=200_000)
    with plain_registry(tmp_path / "registry") as registry, cutting_proxy(registry.host, 900, 1, 400, 700, 50) as proxy:
        done = push(proxy.host, bundle.root, "--jobs", "2")
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
        for name, digest in bundle.digests.items():
            assert skopeo_digest(registry, name) == digest
            skopeo_copy(registry, name, tmp_path / name.replace("/", "-"))


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGKILL])
def test_a_registry_that_is_started_again_in_mid_push(tmp_path: Path, signal_: signal.Signals) -> None:
    bundle = small_bundle(tmp_path, filler_bytes=LAYER_BYTES)
    directory = tmp_path / "registry"
    with plain_registry(directory) as registry:
        running = started(registry, bundle, tmp_path, as_json=False)
        os.kill(registry.pid, signal_)
        assert running.stderr is not None
        said = b""
        # more tries than any request has without patience
        while b"waiting for it, 60 s at most" not in said:
            line = running.stderr.readline()
            assert line, said
            said += line
    with plain_registry(directory, address=registry.host) as again:
        _, complaints = running.communicate(timeout=WITHIN_S)
        assert running.returncode == 0, said + complaints
        assert b"it answers again" in complaints
        for name, digest in bundle.digests.items():
            assert skopeo_digest(again, name) == digest
            skopeo_copy(again, name, tmp_path / name.replace("/", "-"))


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_with_nobody_behind_it_for_a_while(tmp_path: Path, status: int) -> None:
    bundle = small_bundle(tmp_path)
    with (
        plain_registry(tmp_path / "registry") as registry,
        # three workers: eight failures each
        faulty_front(registry.host, Fault("HEAD /v2/", times=24, status=status)) as front,
    ):
        done = push(front.host, bundle.root)
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
        assert sum(line.endswith(f" {status}") for line in front.requests) == 24


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_push_that_is_killed_and_another_run(tmp_path: Path, signal_: signal.Signals) -> None:
    bundle = small_bundle(tmp_path, filler_bytes=LAYER_BYTES)
    directory = tmp_path / "registry"
    with plain_registry(directory) as registry:
        running = started(registry, bundle, tmp_path)
        running.send_signal(signal_)
        said, _ = running.communicate(timeout=WITHIN_S)
        assert running.returncode == ENDS_WITH[signal_]
        # a killed one says nothing any more
        assert (json.loads(said)["id"] if said else "") == SAYS[signal_]
    is_completed_by_another_run(directory, bundle, tmp_path)


def started(registry: Registry, bundle: PushedBundle, home: Path, *, as_json: bool = True) -> subprocess.Popen[bytes]:
    """Start a push and return once the first blob is there and many are still to come."""
    command = push_command(registry.host, bundle.root, "--jobs", "1", *(["--json"] if as_json else []))
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "HOME": str(home)}
    )
    eventually(lambda: any(line.startswith("PUT") for line in registry.requests()), "a blob is sent")
    return running


def is_completed_by_another_run(directory: Path, bundle: PushedBundle, scratch: Path) -> None:
    with plain_registry(directory) as registry:
        done = push(registry, bundle.root)
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
        assert 0 < done.answer["sent"]["blob_bytes"] < sum(path.stat().st_size for path in bundle.blobs)
        for name, digest in bundle.digests.items():
            assert skopeo_digest(registry, name) == digest
            skopeo_copy(registry, name, scratch / name.replace("/", "-"))


def test_nobody_listens(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with plain_registry(tmp_path / "registry") as registry:
        host = registry.host
    done = push(host, bundle.root)
    assert done.code == 7
    assert "[push-unreachable]" in done.stderr
