"""The report as one file, with logs and settings of this host and without its secrets."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from bundler.host.redaction import redacted
from bundler.model.json_value import dump_pretty
from bundler.site.doctor.services import UNITS
from bundler.site.installer import journal_path
from bundler.site.kubectl import Kubectl
from bundler.site.kubeedge_places import CLOUDCORE_YAML, EDGECORE_YAML

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bundler.model.json_value import Json
    from bundler.site.step import StepContext

MAX_TEXT_BYTES = 2 * 1024 * 1024
LOG_LINES = 2000
FILES = (
    "/etc/hosts",
    "/etc/os-release",
    "/etc/docker/daemon.json",
    CLOUDCORE_YAML,
    EDGECORE_YAML,
    "/var/log/kubeedge/cloudcore.log",
    "/var/log/kubeedge/edgecore.log",
    "/var/log/kubeedge-mirror/access.log",
)
COMMANDS = {
    "uname": ("uname", "-a"),
    "addresses": ("ip", "addr"),
    "routes": ("ip", "route"),
    "disks": ("df", "-h"),
    "memory": ("free", "-m"),
    "docker-info": ("docker", "info"),
    "docker-ps": ("docker", "ps", "-a"),
}
CLOUD_COMMANDS = {
    "nodes": ("get", "nodes", "-o", "wide"),
    "pods": ("get", "pods", "--all-namespaces", "-o", "wide"),
    "daemonsets": ("get", "daemonsets", "--all-namespaces", "-o", "yaml"),
    "events": ("get", "events", "--all-namespaces"),
}


def packed(at: StepContext, report: Mapping[str, Json], site: bytes) -> bytes:
    """Return a tar.gz of the report and everything that belongs to it; what cannot be had is left out.

    Arguments:
        report: the answer of `--json`. site: the text of site.yaml.
    """
    buffer = io.BytesIO()
    moment = int(at.host.now())
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in _texts(at, report, site):
            member = tarfile.TarInfo(f"site-{at.this.name}/{name}")
            member.size, member.mode, member.mtime = len(data), 0o600, moment
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _texts(at: StepContext, report: Mapping[str, Json], site: bytes) -> Iterator[tuple[str, bytes]]:
    yield "report.json", _clean(dump_pretty(report))
    yield "site.yaml", _clean(site)
    for path in (*FILES, journal_path(at.this.role)):
        if (status := at.host.status(path)) is not None and status.kind == "file":
            yield f"files{path}", _clean(at.host.read(path) or b"")
    for name, command in COMMANDS.items():
        yield f"commands/{name}.txt", _output(at, command)
    if at.this.role == "cloud":
        kubectl = Kubectl(at.config.kubeedge.kubeconfig)
        for name, arguments in CLOUD_COMMANDS.items():
            yield f"commands/{name}.txt", _output(at, kubectl.command(*arguments))
    for unit in UNITS[at.this.role]:
        command = ("journalctl", "--no-pager", "-u", unit, "-n", str(LOG_LINES))
        yield f"logs/{unit}.txt", _output(at, command)


def _output(at: StepContext, command: tuple[str, ...]) -> bytes:
    done = at.host.run(command, within_s=60)
    return _clean(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}".encode())


def _clean(data: bytes) -> bytes:
    # the end of a log says more than its beginning
    return redacted(data[-MAX_TEXT_BYTES:].decode("utf-8", "replace")).encode()
