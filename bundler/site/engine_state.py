"""The container engine of a host, as it answers: version, command line, what runs in it. Asks, and changes nothing."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from bundler.host.changes import Await
from bundler.site.edits.engine_options import flags_in, version_in
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.host.interface import Host
    from bundler.site.edits.engine_options import Version

UNIT = "docker.service"
STARTS_WITHIN_S = 120.0
_LOG_LINES = "20"
_SHOW = ("systemctl", "show", UNIT, "--property=ExecStart", "--property=Environment", "--property=EnvironmentFiles")
# kubeadm's container is k8s_kube-apiserver_…, others call theirs just that; the filter takes a part of the name
_API_SERVER = "kube-apiserver"


def engine_version(host: Host) -> Version | None:
    """Return the version of the dockerd on this host; None where there is none."""
    asked = host.run(("dockerd", "--version"))
    return version_in(asked.stdout) if asked.code == 0 else None


def engine_answers(host: Host) -> bool:
    """Tell whether the engine runs and answers."""
    return host.run(("docker", "version", "--format", "{{.Server.Version}}")).code == 0


def keeps_containers(host: Host) -> bool:
    """Tell whether containers outlive a restart of the running engine."""
    return host.run(("docker", "info", "--format", "{{.LiveRestoreEnabled}}")).stdout.strip() == "true"


def is_in_a_swarm(host: Host) -> bool:
    """Tell whether the running engine is part of a swarm."""
    return host.run(("docker", "info", "--format", "{{.Swarm.LocalNodeState}}")).stdout.strip() == "active"


def runs_the_control_plane(host: Host) -> bool:
    """Tell whether the API server of a cluster is a container of this engine; of a silent one, whether one runs."""
    asked = host.run(("docker", "ps", "--quiet", "--filter", f"name={_API_SERVER}"))
    if asked.code != 0:
        return any(process.name == _API_SERVER for process in host.processes())
    return bool(asked.stdout.strip())


def engine_flags(host: Host) -> Mapping[str, tuple[str, ...]]:
    """Return what stands in the command line of the engine's unit, as keys of daemon.json."""
    shown = host.run(_SHOW)
    if shown.code != 0:
        return {}
    properties = [line.partition("=") for line in shown.stdout.splitlines()]
    starts = [value for name, _, value in properties if name == "ExecStart"]
    variables = _variables(host, [(name, value) for name, _, value in properties])
    words: list[str] = []
    for start in starts:
        # { path=… ; argv[]=/usr/bin/dockerd -H fd:// $OPTIONS ; ignore_errors=no ; … }
        line = start.partition("argv[]=")[2].partition(" ; ")[0]
        for word in _words(line):
            name = word.removeprefix("$").strip("{}")
            words += _words(variables.get(name, "")) if word.startswith("$") else [word]
    return flags_in(words)


def engine_log(host: Host) -> tuple[str, ...]:
    """Return the last lines that the engine has printed."""
    asked = host.run(("journalctl", "--unit", UNIT, "--lines", _LOG_LINES, "--no-pager", "--output", "cat"))
    return tuple(asked.stdout.splitlines()) if asked.code == 0 else ()


def engine_awaited() -> Await:
    """Return the change that is the engine's answer."""
    return Await(
        tr("wait until the engine answers"),
        lambda host: "" if engine_answers(host) else tr("docker does not answer"),
        STARTS_WITHIN_S,
        remedy=tr("Look at `journalctl -u {unit}`.", unit=UNIT),
        evidence=engine_log,
    )


def _variables(host: Host, properties: list[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in properties:
        lines = _words(value) if name == "Environment" else []
        if name == "EnvironmentFiles":
            # /etc/sysconfig/docker (ignore_errors=yes)
            lines = (host.read(value.partition(" (")[0]) or b"").decode(errors="replace").splitlines()
        for line in lines:
            variable, _, text = line.strip().partition("=")
            found[variable] = " ".join(_words(text)) if name == "EnvironmentFiles" else text
    return found


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
