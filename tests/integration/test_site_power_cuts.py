"""The power is cut while KubeEdge's steps are taken: the same command ends in the same state, and undoing works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bundler.site.kubeedge_places import CLOUDCORE_YAML, EDGECORE_YAML
from bundler.site.roles import CLOUD, EDGE
from bundler.site.step import ApplyOptions
from bundler.site.step_plan import plan_site
from tests.stand_ins.kubeedge_programs import kubeedge_files
from tests.unit.site.kubeedge_host import KubeEdgeHost, cloud_host, edge_host, token_text
from tests.unit.site.sites import applied, context, undone

if TYPE_CHECKING:
    from bundler.host.interface import CommandResult, FileOwner
    from bundler.site.config.model import Role
    from bundler.site.step import StepContext

pytestmark = pytest.mark.integration
BUNDLED = kubeedge_files(b"cloudcore", b"edgecore")
TOKEN_FILE = "/root/token"


class PowerCutError(Exception):
    """The power is cut."""


@dataclass(slots=True)
class CutHost(KubeEdgeHost):
    """A host whose power is cut before the n-th thing that changes it.

    Arguments:
        left: how many are left.
    """

    left: int = 10**6

    def write(self, path: str, data: bytes, mode: int | None = None, owner: FileOwner | None = None) -> None:
        self._count()
        KubeEdgeHost.write(self, path, data, mode, owner)

    def copy(self, source: str, path: str, mode: int) -> None:
        self._count()
        KubeEdgeHost.copy(self, source, path, mode)

    def remove(self, path: str) -> None:
        self._count()
        KubeEdgeHost.remove(self, path)

    def run(self, command: Any, **options: Any) -> CommandResult:
        if command[0] in ("systemctl", "kill"):
            self._count()
        return KubeEdgeHost.run(self, command, **options)

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise PowerCutError

    def boot(self) -> None:
        """Come up again: nothing runs but what is enabled."""
        self.left = 10**6
        self.running = [one for one in self.running if one.name == "mosquitto"]
        self.connections, self.active = set(), set()
        self.ports = {port for port in self.ports if port[0] == "198.51.100.1"}
        self.loaded = {unit: self.files[f"/etc/systemd/system/{unit}"] for unit in self.names("/etc/systemd/system")}
        for unit in self.enabled & set(self.loaded):
            self.run(("systemctl", "start", unit))


def fresh(role: Role) -> tuple[CutHost, StepContext]:
    made = cloud_host() if role == "cloud" else edge_host()
    host = CutHost(made.files, modes=made.modes, running=made.running, ports=made.ports)
    host.files[TOKEN_FILE] = token_text(host.time + 3600).encode()
    host.modes[TOKEN_FILE] = 0o600
    own = EDGECORE_YAML if role == "edge" else CLOUDCORE_YAML
    # somebody has set something before, in a file of a set-up that is gone
    host.files[own] = b"modules:\n  edgeHub:\n    heartbeat: 20\n  cloudHub:\n    nodeLimit: 7\n"
    return host, context(host, role=role, files=BUNDLED, options=ApplyOptions(token_file=TOKEN_FILE))


@pytest.mark.parametrize("role", ["cloud", "edge"])
@pytest.mark.parametrize("part", range(6))
def test_whenever_it_is_cut_the_same_command_ends_in_the_same_state(role: Role, part: int) -> None:
    steps = CLOUD if role == "cloud" else EDGE
    steps = steps[[step.name for step in steps].index("kubeedge-files") :]
    host, at = fresh(role)
    before = {path: data for path, data in host.files.items() if not path.startswith("/opt/")}
    applied(at, steps, role)
    wanted = {path: data for path, data in host.files.items() if path.startswith("/etc/kubeedge")}
    own = EDGECORE_YAML if role == "edge" else CLOUDCORE_YAML
    assert b"heartbeat: 20" in wanted[own] or b"nodeLimit: 7" in wanted[own]
    count = 10**6 - host.left
    for number in range(1 + part, count, 24 if role == "cloud" else 36):
        host, at = fresh(role)
        host.left = number
        with pytest.raises(PowerCutError):
            applied(at, steps, role)
        host.boot()
        applied(at, steps, role)
        states = {plan.name: plan.state for plan in plan_site(at, steps)}
        assert set(states.values()) == {"done"}, (number, states)
        found = {path: data for path, data in host.files.items() if path.startswith("/etc/kubeedge")}
        certificates = {path for path in wanted if "/stream" in path}
        assert {path: found[path] for path in wanted.keys() - certificates} == {
            path: wanted[path] for path in wanted.keys() - certificates
        }, number
    undone(at, steps, role)
    left = {
        path: data for path, data in host.files.items() if not path.startswith(("/opt/", "/var/lib/kubeedge-bundler/"))
    }
    assert left == before
