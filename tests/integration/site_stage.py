"""A site on booted hosts: master and edge, and `bundler site` typed on them.

The master has the carried bundle, as after `tar -zxf`. What is played is named in PLAYED; steps whose programs cannot
be had have nothing to do on this site, each for its reason.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.site.roles import steps_of
from tests.hosts.stage import HostPlan
from tests.integration.carried_demo import ARCHIVE
from tests.stand_ins.kubeedge_programs import HERE
from tests.unit.site.daemon_sets import flannel, kube_proxy

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.host.interface import CommandResult
    from bundler.site.config.model import Role
    from tests.hosts.nspawn_host import NspawnHost

# docker's and mosquitto's are the real ones; what else keadm runs, and what the bundle's repository is read with
PACKAGES = ("dnf", "rpm", "wget", "sudo", "procps", "docker.io", "mosquitto", "openssl", "curl", "faketime")
CONFIG, EDGE_CONFIG = "/root/site.yaml", "/etc/bundler/site.yaml"
TOOL, EDGE_TOOL = "/opt/bin/bundler", "/opt/current/bin/bundler"
CARRIED = "/srv/carried"
PRIVATE_TOKEN = "/root/token"
KUBECTL, KUBECONFIG = "/usr/local/bin/kubectl", "/root/.kube/config"
ENGINE_DISK = "/var/lib/docker"
LONG_S = 300
PLAYED = {
    "dnf": "Debian's, as the yum of an EL host; rpm's database is empty at first",
    "kubectl": "a script, with a cluster that is a few files: DaemonSets are patched, secrets kept, nodes created",
    "keadm": "a script that does and says what the recordings of the real one show",
    "cloudcore, edgecore": "a program that opens their ports, keeps their secrets and connects as they were seen to do",
    "certgen.sh": "a script of ours with the variables and faults of the real one; openssl makes the certificate",
    "the registry": "docker-registry, beside the hosts, in place of Harbor",
}
LEFT_OUT = {
    "compose": "this site has a registry already, which needs no Docker Compose",
    "harbor": "Harbor's images cannot be had: this site has a registry already",
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
_CLUSTER = """
mkdir -p /etc/kubernetes/pki /etc/stand-ins && cd /etc/kubernetes/pki
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=kubernetes -keyout ca.key -out ca.crt -days 3650 2>/dev/null
# between 0 and 9.5 s were seen
echo 1500 >/etc/stand-ins/delay-ms
"""
# what a boot, the engine or the network of the stage writes by itself; what an invitation brings and no step makes
_VOLATILE = (
    "etc/bundler/",
    "etc/.updated",
    "etc/.pwd.lock",
    "etc/resolv.conf",
    "etc/mtab",
    "etc/ld.so.cache",
    "etc/docker/key.json",
)
_LISTED = """
cd / && places='etc usr/local root/.docker opt/harbor'
find $places -xdev ! -type d -printf '%p %y %m %U:%G %l\\n' 2>/dev/null | sort
find $places -xdev -type f -print0 2>/dev/null | sort -z | xargs -0 sha256sum
"""
# what holds keys, certificates or a token, or is a digest of such files, is another one each time
_RANDOM = re.compile(
    r"/etc/kubeedge/(ca|certs)/.*|/etc/kubeedge/config/edgecore\.yaml|/var/lib/kubeedge-bundler/.*\.started-with"
)
_BEGUN = re.compile(r"\[(\d+)/\d+\] ")


def plans(*, disks: tuple[str, ...] = ()) -> tuple[HostPlan, HostPlan]:
    """Return what the master and the edge are to be."""
    there = (*disks, ENGINE_DISK)
    return HostPlan("master", PACKAGES, there), HostPlan("edge", PACKAGES, there)


def carry(host: NspawnHost, archive: Path, root: str = "/opt") -> None:
    """Put the bundle and the site's description on a host that is on, as a person does."""
    host.copy_in(archive, f"/root/{ARCHIVE}")
    host.sh(f"mkdir -p {root} && tar -zxf /root/{ARCHIVE} -C {root} && rm /root/{ARCHIVE}")
    write(host, CONFIG, SITE.replace("HTTP_PORT", "8088") + f"root: {root}\n")


def make_ready(master: NspawnHost, edge: NspawnHost) -> None:
    """Give the master its cluster; on the edge the engine is installed and does not run."""
    files = {"kubectl.sh": KUBECTL, "daemon_sets.py": "/usr/local/lib/stand-ins/daemon_sets.py"}
    for name, path in files.items():
        write(master, path, (HERE / name).read_text())
    write(master, KUBECONFIG, "server: https://198.51.100.1:6443\n")
    write(master, "/var/lib/stand-ins/cluster/daemonsets.json", json.dumps([flannel(), kube_proxy()]))
    master.sh(f"chmod 755 {KUBECTL}\n{_CLUSTER}")
    edge.sh("docker version >/dev/null && systemctl disable --now docker.service docker.socket 2>/dev/null")
    for host in (master, edge):
        # on an EL host rpm has had its database for long
        host.sh("rpm --initdb && sync")


def write(host: NspawnHost, path: str, text: str, mode: str = "644") -> None:
    """Write a file on a host, and have it reach its disk."""
    script = 'mkdir -p "$(dirname "$TARGET")" && cat >"$TARGET" && chmod "$MODE" "$TARGET" && sync'
    host.sh(script, stdin=text.encode(), env={"TARGET": path, "MODE": mode})


def bring_token(master: NspawnHost, edge: NspawnHost) -> None:
    """Carry a fresh join token to the edge by hand."""
    write(edge, PRIVATE_TOKEN, site_command(master, "token").stdout, "600")


def site_command(host: NspawnHost, *words: str, tool: str = TOOL, config: str = CONFIG) -> CommandResult:
    """Type a `bundler site` command on a host."""
    return host.run(tool, "site", *words, "--config", config, timeout_s=LONG_S)


@dataclass(frozen=True, slots=True)
class PlayedRole:
    """A role on its host.

    Arguments:
        options: of every command.
        applying: further ones of `apply`.
    """

    host: NspawnHost
    role: Role
    options: tuple[str, ...] = ()
    applying: tuple[str, ...] = ()
    tool: str = TOOL
    config: str = CONFIG

    @property
    def names(self) -> list[str]:
        """All of its steps, in order."""
        return [step.name for step in steps_of(self.role)]

    def words(self, command: str, *more: str) -> list[str]:
        """Return a whole command line."""
        further = self.applying if command == "apply" else ()
        return [self.tool, "site", command, self.role, *self.options, *further, *more, "--config", self.config]

    def type(self, command: str, *more: str) -> CommandResult:
        """Type a command."""
        return self.host.run(*self.words(command, *more), timeout_s=LONG_S)

    def answer(self, command: str, *more: str) -> Any:
        """Return the JSON answer of a command that succeeds."""
        done = self.type(command, *more, "--json")
        assert done.code == 0, f"{command} {more}: {done.code}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def failure(self, command: str, *more: str) -> Any:
        """Return the JSON answer of a command that fails."""
        done = self.type(command, *more, "--json")
        assert done.code != 0, done.stdout
        return json.loads(done.stdout)

    def plan(self, *more: str) -> list[Any]:
        """Return the plan's steps."""
        steps: list[Any] = self.answer("plan", *more)["steps"]
        return steps

    def apply(self, *more: str) -> dict[str, list[str]]:
        """Apply with one command; return step -> the changes that were made."""
        return {step["name"]: step["changed"] for step in self.answer("apply", *more)["steps"]}

    def cut_after(self, name: str) -> None:
        """Begin to apply, and cut the power when a step is over; the host is on again then."""
        number = self.names.index(name) + 1
        with self.host.started(*self.words("apply")) as applying:
            assert applying.stderr is not None
            for line in applying.stderr:
                begun = _BEGUN.match(line.decode())
                if begun is not None and int(begun[1]) > number:
                    break
            self.host.kill()
        self.host.start()


def configuration(host: NspawnHost, *, own: bool = False) -> str:
    """Return every file of the configuration: name, kind, mode, owner, target and digest.

    Arguments:
        own: of files that are other ones each time, no digest.
    """
    lines = [line for line in host.sh(_LISTED).splitlines() if not any(path in line for path in _VOLATILE)]
    if own:
        lines = [line for line in lines if not _RANDOM.fullmatch("/" + line.partition("  ")[2])]
    return "\n".join(lines)


def state(host: NspawnHost, role: Role) -> str:
    """Return what the steps bring about, without the times at which they did, and what was there before in any case."""
    journal = json.loads(host.sh(f"cat /var/lib/kubeedge-bundler/{role}/journal.json"))
    # what a cut has left of a join is set aside
    undone = [record for record in journal["made"] if not record.get("stays") and record["step"] != "old-certs"]
    made = sorted(json.dumps(_steady(record), sort_keys=True, indent=1) for record in undone)
    units = "docker kubeedge-mirror cloudcore edgecore mosquitto"
    asked = f"""
uname -n; rpm -qa | sort; demo-tool 2>&1 || true
for unit in {units}; do echo $unit $(systemctl is-enabled $unit 2>/dev/null) $(systemctl is-active $unit); done
docker image ls --format '{{{{.Repository}}}}:{{{{.Tag}}}}' | sort
cat /var/lib/stand-ins/cluster/daemonsets.json 2>/dev/null || true
"""
    return "\n".join([configuration(host, own=True), *made, host.sh(asked)])


def differences(found: str, wanted: str) -> list[str]:
    """Return the lines in which two states differ."""
    lines = difflib.unified_diff(wanted.splitlines(), found.splitlines(), "wanted", "found", n=1, lineterm="")
    return list(lines)


def _steady(record: dict[str, Any]) -> dict[str, Any]:
    random: dict[str, Any] = {}
    if _RANDOM.fullmatch(record["file"]):
        original = record.get("original")
        random = {"sha256": "", "original": original and {**original, "sha256": ""}}
    # which file's record names a directory depends on which was first
    return {**record, "at": 0, "directories": [], **random}
