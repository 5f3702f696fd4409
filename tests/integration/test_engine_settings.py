"""A real dockerd starts with every daemon.json that the site's settings were merged into, and has them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from bundler.host.local_host import LocalHost
from bundler.site.edits.daemon_json import EngineWish, merged_settings
from bundler.site.edits.engine_options import VALIDATES, Version, is_reloadable, version_in
from tests.integration.docker_engine import docker_engine
from tests.unit.site.daemon_files import AWKWARD, REGISTRY

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


def engine_version() -> Version:
    done = subprocess.run(
        [os.environ.get("DOCKERD", "dockerd"), "--version"], capture_output=True, text=True, check=True
    )
    version = version_in(done.stdout)
    assert version is not None, done.stdout
    return version


@pytest.mark.parametrize("name", AWKWARD)
def test_dockerd_starts_with_what_an_awkward_file_becomes(name: str, tmp_path: Path) -> None:
    file, version = AWKWARD[name], engine_version()
    merged = merged_settings(file.content, EngineWish(plain_registry=REGISTRY, version=version, flags=file.flags))
    settings = tmp_path / "daemon.json"
    settings.write_bytes(merged.content)
    flags = [f"--{key}={value}" for key, values in file.flags.items() for value in values]
    with docker_engine(tmp_path / "engine", options=(f"--config-file={settings}", *flags)) as engine:
        registries = engine.docker(
            "info", "--format", "{{range $name, $_ := .RegistryConfig.IndexConfigs}}{{$name}} {{end}}"
        )
        assert REGISTRY in registries.split()
        kept = engine.docker("info", "--format", "{{.LiveRestoreEnabled}} {{.LoggingDriver}}").split()
        assert kept == [
            str(file.options["live-restore"]).lower(),
            file.options.get("log-driver", *file.flags.get("log-driver", ())),
        ]


def test_a_reload_alone_brings_live_restore_and_registries(tmp_path: Path) -> None:
    settings, there = tmp_path / "daemon.json", b'{"live-restore": false}'
    settings.write_bytes(there)
    wish = EngineWish({"live-restore": True}, plain_registry=REGISTRY, version=engine_version())
    merged = merged_settings(there, wish)
    with docker_engine(tmp_path / "engine", options=(f"--config-file={settings}",)) as engine:
        host = LocalHost()
        environment = {name: engine.environment[name] for name in ("DOCKER_HOST", "DOCKER_CONFIG")}

        def asked(question: str) -> str:
            return host.run(("docker", "info", "--format", question), environment=environment).stdout.strip()

        assert (asked("{{.LiveRestoreEnabled}}"), asked("{{.Swarm.LocalNodeState}}")) == ("false", "inactive")
        settings.write_bytes(merged.content)
        os.kill(int((engine.socket.parent / "pid").read_text()), signal.SIGHUP)
        deadline = time.monotonic() + 60
        while asked("{{.LiveRestoreEnabled}}") != "true":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert REGISTRY in asked("{{json .RegistryConfig}}")
    assert not is_reloadable(merged.changed)


@pytest.mark.parametrize("content", [b'{"debug": "true"}', b'{"log-drivr": "x"}', b'{"log-opts": {"nonsense": "1"}}'])
def test_dockerd_refuses_what_our_table_refuses(content: bytes, tmp_path: Path) -> None:
    settings = tmp_path / "daemon.json"
    settings.write_bytes(content)
    with pytest.raises(AssertionError, match="ended before it listened"):
        docker_engine(tmp_path / "engine", options=(f"--config-file={settings}",)).__enter__()
    if engine_version() >= VALIDATES:
        done = subprocess.run(
            ["dockerd", "--validate", "--config-file", "/dev/stdin"], input=content, capture_output=True, check=False
        )
        assert done.returncode != 0
