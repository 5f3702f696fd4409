"""A disk that is full at any one write: with room again the same command finishes, and undo gives all back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bundler.errors import BundlerError, ErrorId, StorageError
from bundler.site.installer import STATE
from bundler.site.kubeedge_places import (
    CLOUDCORE,
    CLOUDCORE_YAML,
    EDGE_CA,
    EDGE_CERT,
    EDGE_KEY,
    EDGECORE,
    EDGECORE_YAML,
    KEADM,
    STREAM_CA,
    STREAM_CERT,
    STREAM_KEY,
)
from bundler.site.roles import steps_of
from bundler.site.step import ApplyOptions
from tests.stand_ins.kubeedge_programs import kubeedge_files
from tests.stand_ins.recordings import settings_file
from tests.unit.site.kubeedge_host import KubeEdgeHost, cloud_host, edge_host, token_text
from tests.unit.site.sites import applied, context, undone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.interface import CommandResult, FileOwner
    from bundler.site.config.model import Role
    from bundler.site.step import Step, StepContext

BUNDLED = kubeedge_files(b"cloudcore", b"edgecore")
TOKEN_FILE = "/root/token"
UNITS = {role: f"/etc/systemd/system/{role}core.service" for role in ("cloud", "edge")}
# what earlier hands have left, all of it to come back
LEFT: dict[Role, dict[str, bytes]] = {
    "cloud": {
        CLOUDCORE_YAML: settings_file("cloudcore.yaml").replace("nodeLimit: 1000", "nodeLimit: 77").encode(),
        CLOUDCORE: b"an old program",
        KEADM: b"an old keadm",
        UNITS["cloud"]: b"[Unit]\n",
    },
    "edge": {
        EDGECORE_YAML: settings_file("edgecore.yaml").encode(),
        EDGECORE: b"an old program",
        UNITS["edge"]: b"[Unit]\n",
        EDGE_CA: b"old",
        EDGE_CERT: b"old",
        EDGE_KEY: b"old",
    },
}


@dataclass(slots=True)
class FullHost(KubeEdgeHost):
    """A host on which there is no room for our n-th write; programs of others find some.

    Arguments:
        left: writes until then; -1 for never.
        inside: a program runs.
    """

    left: int = -1
    written: int = 0
    inside: bool = False

    def run(self, command: Sequence[str], **how: Any) -> CommandResult:
        self.inside = True
        try:
            return KubeEdgeHost.run(self, command, **how)
        finally:
            self.inside = False

    def write(self, path: str, data: bytes, mode: int | None = None, owner: FileOwner | None = None) -> None:
        self._count(path)
        KubeEdgeHost.write(self, path, data, mode, owner)

    def copy(self, source: str, path: str, mode: int) -> None:
        self._count(path)
        KubeEdgeHost.copy(self, source, path, mode)

    def _count(self, path: str) -> None:
        if self.inside:
            return
        self.written += 1
        if self.written == self.left:
            raise StorageError(ErrorId.DISK_FULL, "no room", where=path, remedy="Make room.")


def found(role: Role, *, left: int = -1) -> tuple[FullHost, StepContext]:
    plain = cloud_host() if role == "cloud" else edge_host()
    host = FullHost({**plain.files, **LEFT[role]}, modes=plain.modes, host_name=plain.host_name, left=left)
    host.running, host.ports = plain.running, plain.ports
    host.files["/etc/hosts"] = b"127.0.0.1 localhost"
    host.files[TOKEN_FILE] = token_text(host.time + 3600).encode()
    host.modes[TOKEN_FILE] = 0o600
    options = ApplyOptions(token_file=TOKEN_FILE if role == "edge" else "")
    return host, context(host, role=role, files=BUNDLED, options=options)


def steps(role: Role) -> Sequence[Step]:
    all_steps = steps_of(role)
    begin = next(number for number, step in enumerate(all_steps) if step.name == "kubeedge-files")
    return (*(step for step in all_steps if step.name == "hosts"), *all_steps[begin:])


def outside(host: FullHost) -> dict[str, tuple[bytes, int]]:
    """Return everything that is not this tool's own, but for keys that are new each time."""
    made = (STREAM_CA, STREAM_CERT, STREAM_KEY)
    return {
        path: (b"" if path in made else data, host.modes.get(path, 0o644))
        for path, data in host.files.items()
        if not path.startswith(STATE)
    }


@pytest.mark.parametrize("role", ["cloud", "edge"])
def test_whichever_write_fails_the_same_command_finishes_and_undo_gives_every_byte_back(role: Role) -> None:
    host, at = found(role)
    before = outside(host)
    applied(at, steps(role), role)
    count, wanted = host.written, outside(host)
    assert count > 40
    secrets = {path for path in host.files if path.startswith(STATE) and path.endswith(".key")}
    for number in range(1, count + 1):
        host, at = found(role, left=number)
        with pytest.raises(BundlerError):
            applied(at, steps(role), role)
        applied(at, steps(role), role)
        assert outside(host) == wanted, number
        assert {path for path in host.files if path.startswith(STATE) and path.endswith(".key")} == secrets, number
        undone(at, steps(role), role)
        assert outside(host) == before, number
