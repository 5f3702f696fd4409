"""A site on booted hosts: master and edge with a carried bundle, and `bundler site` typed on them.

What is played is named in PLAYED; steps whose programs cannot be had are left out, each with its reason, and so are
those that find on the stage what they cannot do without.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.site.roles import steps_of
from tests.hosts.stage import HostPlan
from tests.integration.carried_demo import ARCHIVE

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.host.interface import CommandResult
    from bundler.site.config.model import Role
    from tests.hosts.nspawn_host import NspawnHost

PACKAGES = ("dnf", "rpm", "wget", "sudo", "procps")
CONFIG = "/root/site.yaml"
KUBECTL, KUBECONFIG = "/usr/local/bin/kubectl", "/root/.kube/config"
LONG_S = 300
PLAYED = {
    "dnf": "Debian's, as the yum of an EL host; rpm's database is empty at first",
    "kubectl": "a script that says that the API server is ready",
    "cloudcore": "a process of that name which listens on its four ports",
    "the registry": "docker-registry, beside the hosts",
}
CANNOT_BE_HAD = {
    "compose": "Docker Compose is no package here",
    "harbor": "Harbor's images cannot be had",
    "affinity": "there is no API server on the stage",
    "keadm-init": "keadm cannot be had",
    "stream-certs": "certgen.sh and a cluster's authority cannot be had",
    "cloudcore-config": "cloudcore cannot be had",
    "cloudcore-service": "cloudcore cannot be had",
    "ports": "cloudcore cannot be had",
    "keadm-join": "keadm cannot be had",
    "edgecore-config": "edgecore cannot be had",
    "tunnel": "edgecore cannot be had",
}
SITE = """\
version: 1
hosts:
- {name: master, role: cloud, address: 198.51.100.1, machine: x86_64}
- {name: edge1, role: edge, address: 198.51.100.2}
mirror: {http: HTTP_PORT}
registry: {kind: existing, host: beside, port: 5000, https: false}
docker: {tools: [demo-tool, lrzsz]}
"""
_KUBECTL = """\
#!/bin/sh
# played: a cluster that is ready
case "$*" in *--raw*/readyz*) echo ok ;; *) echo "played: $*" >&2; exit 1 ;; esac
"""
_CLOUDCORE = """\
import pathlib, socket, time
pathlib.Path("/proc/self/comm").write_text("cloudcore")
held = [socket.create_server(("", port)) for port in (10000, 10002, 10003, 10004)]
pathlib.Path("/run/played-cloudcore").touch()
time.sleep(1e6)
"""
# what a boot, or the network of the stage, writes by itself
_VOLATILE = ("/etc/.updated", "/etc/.pwd.lock", "/etc/resolv.conf", "/etc/mtab", "/etc/ld.so.cache")
_LISTED = """
cd / && find etc -xdev ! -type d -printf '%p %y %m %U:%G %l\\n' | sort
find etc -xdev -type f -print0 | sort -z | xargs -0 sha256sum
"""


def plans(*, disks: tuple[str, ...] = ()) -> tuple[HostPlan, HostPlan]:
    """Return what the master and the edge are to be."""
    return HostPlan("master", PACKAGES, disks), HostPlan("edge", PACKAGES, disks)


def carry(host: NspawnHost, archive: Path) -> None:
    """Put the bundle and the site's description on a host that is on, as a person does; and the played kubectl."""
    host.copy_in(archive, f"/root/{ARCHIVE}")
    host.sh(f"tar -zxf /root/{ARCHIVE} -C /opt && rm /root/{ARCHIVE}")
    write(host, CONFIG, SITE.replace("HTTP_PORT", "8088"))
    write(host, KUBECTL, _KUBECTL)
    write(host, KUBECONFIG, "played: true\n")
    # on an EL host rpm has had its database for long
    host.sh(f"chmod 755 {KUBECTL} && rpm --initdb && sync")


def write(host: NspawnHost, path: str, text: str) -> None:
    """Write a file on a host."""
    host.sh('mkdir -p "$(dirname "$TARGET")" && cat >"$TARGET"', stdin=text.encode(), env={"TARGET": path})


def start_cloudcore(master: NspawnHost) -> None:
    """Have a process on the master that edges take for cloudcore."""
    write(master, "/root/cloudcore.py", _CLOUDCORE)
    master.sh("systemd-run --quiet --unit=played-cloudcore python3 /root/cloudcore.py")
    master.sh("until test -e /run/played-cloudcore; do sleep 0.1; done")


def site_command(host: NspawnHost, *words: str) -> CommandResult:
    """Type a `bundler site` command on a host."""
    return host.run("/opt/bin/bundler", "site", *words, "--config", CONFIG, timeout_s=LONG_S)


def answer(host: NspawnHost, *words: str) -> Any:
    """Return the JSON answer of a `bundler site` command that succeeds."""
    done = site_command(host, *words, "--json")
    assert done.code == 0, f"{words}: {done.code}\n{done.stdout}{done.stderr}"
    return json.loads(done.stdout)


@dataclass(frozen=True, slots=True)
class PlayedRole:
    """A role on its host, as far as the stage has what it takes."""

    host: NspawnHost
    role: Role
    options: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """All of its steps, in order."""
        return [step.name for step in steps_of(self.role)]

    def plan(self) -> list[Any]:
        """Return the plan's steps."""
        steps: list[Any] = answer(self.host, "plan", self.role, *self.options)["steps"]
        return steps

    def left_out(self, name: str) -> str:
        """Return why a step cannot be taken on the stage; "" when it can."""
        if name in CANNOT_BE_HAD:
            return CANNOT_BE_HAD[name]
        (step,) = answer(self.host, "plan", self.role, "--only", name, *self.options)["steps"]
        unmet = [finding["what"] for finding in step["findings"] if finding["weight"] == "unmet"]
        return "; ".join(unmet)

    def apply(self, *names: str) -> dict[str, list[str]]:
        """Take steps, all that can be taken by default; return name -> the changes that were made."""
        made: dict[str, list[str]] = {}
        for name in names or self.names:
            if reason := self.left_out(name):
                sys.stdout.write(f"{self.role}: {name} is left out: {reason}\n")
                continue
            (step,) = answer(self.host, "apply", self.role, "--only", name, *self.options)["steps"]
            made[name] = step["changed"]
        return made


def configuration(host: NspawnHost) -> str:
    """Return every file of /etc: name, kind, mode, owner, target and digest."""
    listed = host.sh(_LISTED).splitlines()
    return "\n".join(line for line in listed if not any(f"{path.lstrip('/')}" in line for path in _VOLATILE))


def state(host: NspawnHost, role: Role) -> str:
    """Return what the steps bring about, without the times at which they did, and what was there before in any case."""
    journal = json.loads(host.sh(f"cat /var/lib/kubeedge-bundler/{role}/journal.json"))
    undone = [record for record in journal["made"] if not record.get("stays")]
    made = sorted(({**record, "at": 0} for record in undone), key=json.dumps)
    asked = "uname -n; rpm -qa | sort; demo-tool 2>&1 || true; systemctl is-enabled kubeedge-mirror 2>&1 || true"
    return "\n".join([configuration(host), json.dumps(made, indent=1), host.sh(asked)])
