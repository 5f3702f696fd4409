"""A host in memory on which KubeEdge's steps can be taken: keadm, systemctl, kubectl, openssl, certgen.sh are played.

keadm answers what the recordings say; a certificate is a text of lines `ca: …`, `key: …`, `for: ADDRESSES`, `ends: …`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.host.interface import COMMAND_WITHIN_S, NO_ENVIRONMENT, CommandResult, Process
from bundler.site.kubeedge_places import (
    CERTGEN,
    CLOUDCORE,
    CLOUDCORE_YAML,
    CLUSTER_CA,
    CLUSTER_CA_KEY,
    EDGE_CA,
    EDGE_CERT,
    EDGE_KEY,
    EDGECORE,
    EDGECORE_YAML,
    KEADM,
    KUBEEDGE,
)
from tests.fakes.host import MemoryHost
from tests.stand_ins.kubeedge_programs import CRDS
from tests.stand_ins.recordings import recording, settings_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AUTHORITY = b"the cloud's authority"
CA_PEM = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(AUTHORITY) + b"\n-----END CERTIFICATE-----\n"
CA_HASH = hashlib.sha256(AUTHORITY).hexdigest()
KUBECONFIG = "/root/.kube/config"
TREE = f"{KUBEEDGE}/kubeedge-v1.11.1-linux-amd64"
OK = CommandResult(0, "", "")
FAILED = CommandResult(1, "", "")


def token_text(expires: float, authority: str = CA_HASH) -> str:
    """Return a join token, of the form that the recordings have: 64.36.24.43 characters."""
    payload = base64.urlsafe_b64encode(json.dumps({"exp": int(expires)}, separators=(",", ":")).encode()).decode()
    return f"{authority}.{'h' * 36}.{payload.rstrip('=')}.{'s' * 43}"


def answer(name: str) -> CommandResult:
    """Return what keadm answered in a recording."""
    recorded = recording(name)
    return CommandResult(recorded.keadm_code, recorded.keadm_stdout, recorded.stderr)


@dataclass(slots=True)
class KubeEdgeHost(MemoryHost):
    """A host.

    Arguments:
        active, enabled: units.
        loaded: units whose file systemd has read, with what it held then.
        secrets: of the cluster; None where it may not be read.
        ready: whether the API answers.
        keadm_answers: what keadm answers instead of success.
        link: what `ln` of the unit complains of; "" when it works.
        certgen_fails: certgen.sh ends as it does on a wrong list of addresses.
        words: what edgecore writes to its journal when it is started, and then ends.
        calls: the calls of keadm, with their tokens.
        resources: names of the cluster's custom resources.
    """

    active: set[str] = field(default_factory=set)
    enabled: set[str] = field(default_factory=set)
    loaded: dict[str, bytes | None] = field(default_factory=dict)
    secrets: dict[str, dict[str, bytes] | None] = field(default_factory=dict)
    ready: bool = True
    keadm_answers: CommandResult | None = None
    link: str = ""
    certgen_fails: bool = False
    words: str = ""
    driver: str = "cgroupfs"
    calls: list[tuple[str, ...]] = field(default_factory=list)
    resources: set[str] = field(default_factory=set)
    pid: int = 100

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] = NO_ENVIRONMENT,
        within_s: float = COMMAND_WITHIN_S,
        stop_at: bytes = b"",
        shows_progress: bool = False,
    ) -> CommandResult:
        del shows_progress
        words = tuple(command)
        player = {
            KEADM: self._keadm,
            "kubectl": self._kubectl,
            "openssl": self._openssl,
            CERTGEN: lambda _: self._certgen(environment),
            "systemctl": self._systemctl,
            "docker": self._docker,
        }.get(words[0])
        if player is not None and words not in self.failing:
            if words[0] in (KEADM, CERTGEN) or (words[0] == "systemctl" and not _only_asks(words)):
                self.ran.append(" ".join(words))
            return player(words[1:])
        if words[0] == "sha512sum":
            return CommandResult(0, f"{hashlib.sha512(self.files[words[1]]).hexdigest()}  {words[1]}\n", "")
        if words[0] == "pidof":
            return OK if self._alive(words[1]) else FAILED
        if words[:2] == ("kill", "-TERM"):
            self.running = [one for one in self.running if str(one.pid) != words[2]]
        if words[:2] == ("test", "-d"):
            return OK if self.names(words[2]) else FAILED
        if words[:2] == ("rm", "-r"):
            for path in [path for path in self.files if path.startswith(f"{words[2]}/")]:
                del self.files[path]
            return OK
        if words[0] == "journalctl":
            return CommandResult(0, self.words, "")
        if words[0] == "pkill":
            self.running = [one for one in self.running if one.name != words[2]]
            return OK
        return MemoryHost.run(self, command, stdin=stdin, environment=environment, within_s=within_s, stop_at=stop_at)

    def start(self, name: str) -> int:
        """Let a program run, and return its number."""
        self.pid += 1
        self.running.append(Process(self.pid, name, "S", f"/usr/local/bin/{name}"))
        if name == "cloudcore":
            self.ports |= {("::", port) for port in (10000, 10002, 10003, 10004)}
            self.secrets.setdefault("casecret", {"cadata": AUTHORITY})
        return self.pid

    def _alive(self, name: str) -> list[Process]:
        return [one for one in self.running if one.name == name and one.state != "Z"]

    def _keadm(self, words: tuple[str, ...]) -> CommandResult:
        self.calls.append(words)
        if self.keadm_answers is not None:
            return self.keadm_answers
        options = dict(word.removeprefix("--").split("=", 1) for word in words if "=" in word)
        edge = words[1] == "join"
        for path in (f"{TREE}/edge/edgecore", f"{TREE}/cloud/cloudcore/cloudcore", f"{TREE}/version"):
            self.write(path, b"a program")
        if edge:
            return self._join(options)
        self.resources |= set(CRDS.values())
        text = settings_file("cloudcore.yaml").replace(
            "    - CLOUD_IP\n", self._addresses(options["advertise-address"])
        )
        self.write(CLOUDCORE_YAML, text.replace(KUBECONFIG, options["kube-config"]).encode())
        self.write(CLOUDCORE, b"a program", 0o755)
        self.start("cloudcore")
        return CommandResult(0, recording("init-good-rerun-overwrites-config").stdout, "")

    def _addresses(self, text: str) -> str:
        return "".join(f"    - {address}\n" for address in text.split(","))

    def _join(self, options: dict[str, str]) -> CommandResult:
        text = settings_file("edgecore.yaml").replace("token: TOKEN", f"token: {options['token']}")
        text = text.replace("CLOUD_IP", options["cloudcore-ipport"].rpartition(":")[0])
        text = text.replace("EDGE_NAME", options["edgenode-name"]).replace("EDGE_IP", "192.0.2.11")
        text = text.replace("cgroupDriver: cgroupfs", f"cgroupDriver: {options.get('cgroupdriver', 'cgroupfs')}")
        # it writes into a file that is there, which keeps its mode
        self.write(EDGECORE_YAML, text.encode())
        self.write(EDGECORE, b"a program", 0o755)
        unit = "/etc/systemd/system/edgecore.service"
        if self.link or self.exists(unit):
            name = "join-hard-link-across-filesystems" if self.link else "rejoin-unit-exists"
            return answer(name)
        self.write(unit, self.files[f"{KUBEEDGE}/edgecore.service"])
        self._systemctl(("daemon-reload",))
        self._systemctl(("enable", "edgecore.service"))
        self._systemctl(("start", "edgecore.service"))
        return answer("join-good")

    def _edgecore(self) -> None:
        """Play a start of edgecore: it fetches its certificates where it has none, and connects."""
        text = self.files[EDGECORE_YAML].decode()
        token = text.partition("token: ")[2].split()[0]
        if EDGE_CERT not in self.files:
            if token.partition(".")[0] != CA_HASH:
                self.words = recording("join-wrong-token").stdout.splitlines()[-1]
                return
            # all three within a moment, in which no power is cut here
            MemoryHost.write(self, EDGE_CA, CA_PEM)
            MemoryHost.write(self, EDGE_CERT, b"a certificate")
            MemoryHost.write(self, EDGE_KEY, b"a key", 0o600)
        if self.words:
            return
        self.start("edgecore")
        self.connections |= {10000}
        self.connections = self.connections | {10004} if "edgeStream:\n    enable: true" in text else {10000}
        self.ports.add(("127.0.0.1", 10350))

    def _systemctl(self, words: tuple[str, ...]) -> CommandResult:
        verb, unit = words[0], words[-1]
        name, file = unit.removesuffix(".service"), f"/etc/systemd/system/{unit}"
        if verb == "daemon-reload":
            self.loaded = {
                unit: self.files.get(f"/etc/systemd/system/{unit}") for unit in self.names("/etc/systemd/system")
            }
        elif verb == "show":
            there = self.files.get(file)
            stale = "yes" if self.loaded.get(unit) != there else "no"
            pid = next((one.pid for one in self._alive(name)), 0) if unit in self.active else 0
            state = "active" if unit in self.active else "inactive"
            known = "loaded" if self.loaded.get(unit) else "not-found"
            shown = {"MainPID": pid, "LoadState": known, "NeedDaemonReload": stale, "ActiveState": state}
            wanted = [word.removeprefix("--property=") for word in words if word.startswith("--property=")]
            return CommandResult(0, "".join(f"{key}={shown[key]}\n" for key in wanted), "")
        elif "is-active" in words:
            return OK if unit in self.active else FAILED
        elif "is-enabled" in words:
            # a link to a file that is gone enables nothing, and stays
            return OK if unit in self.enabled and self._has_file(unit) else FAILED
        elif verb in ("enable", "disable"):
            self.enabled = self.enabled | {unit} if verb == "enable" else self.enabled - {unit}
            if "--now" in words:
                self._switch(name, unit, on=verb == "enable")
        elif verb in ("start", "stop", "restart"):
            if verb != "start":
                self._switch(name, unit, on=False)
            if verb != "stop":
                self._switch(name, unit, on=True)
        return OK

    def _has_file(self, unit: str) -> bool:
        return unit.partition(".")[0] not in ("cloudcore", "edgecore") or f"/etc/systemd/system/{unit}" in self.files

    def _switch(self, name: str, unit: str, *, on: bool) -> None:
        if on:
            self.active.add(unit)
            self._edgecore() if name == "edgecore" else self.start(name)
            if name == "edgecore" and not self._alive(name):
                # it waits for its next start
                self.active.discard(unit)
            return
        if unit in self.active:
            self.running = [one for one in self.running if one.name != name]
        self.active.discard(unit)

    def _kubectl(self, words: tuple[str, ...]) -> CommandResult:
        if not self.ready:
            return CommandResult(1, "", "The connection to the server 10.99.0.1:6443 was refused\n")
        if "/readyz" in words:
            return CommandResult(0, "ok", "")
        if "crd" in words:
            prefix = "customresourcedefinition.apiextensions.k8s.io/"
            return CommandResult(0, "".join(f"{prefix}{name}\n" for name in sorted(self.resources)), "")
        if "secret" in words:
            return self._secret(words[words.index("secret") + 1], words[-1])
        return OK

    def _secret(self, name: str, form: str) -> CommandResult:
        if name not in self.secrets:
            return CommandResult(1, "", f'Error from server (NotFound): secrets "{name}" not found\n')
        values = self.secrets[name]
        if values is None:
            return CommandResult(1, "", f'Error from server (Forbidden): secrets "{name}" is forbidden\n')
        coded = {key: base64.b64encode(value).decode() for key, value in values.items()}
        if form.startswith("jsonpath"):
            return CommandResult(0, coded[form.removeprefix("jsonpath={.data.").removesuffix("}")], "")
        return CommandResult(0, json.dumps({"data": coded, "type": "Opaque"}), "")

    def _openssl(self, words: tuple[str, ...]) -> CommandResult:
        facts = dict(
            line.split(": ", 1) for line in self.files.get(words[-1], b"").decode().splitlines() if ": " in line
        )
        if words[0] == "verify":
            right = facts.get("ca") == self.files[words[2]].decode()
            return CommandResult(0, f"{words[-1]}: OK\n" if right else "error\n", "")
        if words[0] == "version":
            return OK
        content = self.files[words[words.index("-in") + 1]].decode()
        facts = dict(line.split(": ", 1) for line in content.splitlines() if ": " in line)
        if "-checkend" in words:
            return FAILED if facts.get("ends") == "soon" else OK
        if "-text" in words:
            found = ", ".join(f"IP Address:{address}" for address in facts.get("for", "").split())
            return CommandResult(0, f"X509v3 Subject Alternative Name:\n {found}\n", "")
        return CommandResult(0, facts.get("key", ""), "")

    def _certgen(self, environment: Mapping[str, str]) -> CommandResult:
        certs = environment["CERT_PATH"]
        self.pid += 1
        self.write("/tmp/server-extfile.cnf", b"subjectAltName")
        self.write(f"{environment['K8SCA_FILE'].removesuffix('crt')}srl", b"serial")
        self.write(f"{certs}/stream.key", f"key: {self.pid}".encode())
        self.write(f"{environment['CA_PATH']}/streamCA.crt", self.files[environment["K8SCA_FILE"]])
        if self.certgen_fails or CLUSTER_CA_KEY not in self.files:
            self.write(f"{certs}/stream.crt", b"")
            return CommandResult(1, "", recording("certgen-commas").stderr)
        ca = self.files[environment["K8SCA_FILE"]].decode()
        text = f"ca: {ca}\nkey: {self.pid}\nfor: 127.0.0.1 {environment['CLOUDCOREIPS']}\n"
        self.write(f"{certs}/stream.crt", text.encode())
        return OK

    def _docker(self, words: tuple[str, ...]) -> CommandResult:
        if words[0] == "info":
            return CommandResult(0, f"{self.driver}\n", "") if self.driver else FAILED
        if words[:2] == ("image", "inspect"):
            return OK if ("docker", words[-1]) in self.succeeding else FAILED
        self.ran.append(" ".join(("docker", *words)))
        image = ("docker", words[-1])
        self.succeeding = self.succeeding | {image} if words[0] == "pull" else self.succeeding - {image}
        return OK


def _only_asks(words: tuple[str, ...]) -> bool:
    return words[1] == "show" or "is-active" in words or "is-enabled" in words


def cloud_host() -> KubeEdgeHost:
    """Return a master with a cluster, and nothing of KubeEdge."""
    files = {KUBECONFIG: b"server", CLUSTER_CA: b"cluster", CLUSTER_CA_KEY: b"key"}
    return KubeEdgeHost(dict(files), modes={CLUSTER_CA_KEY: 0o600})


def edge_host() -> KubeEdgeHost:
    """Return an edge whose mosquitto runs and whose cloud host answers."""
    host = KubeEdgeHost(host_name="edge1")
    host.running.append(Process(7, "mosquitto", "S", "/usr/sbin/mosquitto"))
    host.ports = {("198.51.100.1", 10000), ("198.51.100.1", 10002)}
    return host
