"""A control plane on loopback: real etcd, kube-apiserver and kube-controller-manager, with no node but made ones.

    with control_plane(directory) as cluster:
        cluster.kubectl("get", "nodes")

`scripts/cluster-programs` has built the programs. Nodes are objects without a kubelet; nobody runs pods, so that
the test itself writes what a kubelet would have written.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LOOPBACK = "127.0.0.1"
TOKEN = "throw-away"
WITHIN_S = 120.0
PROGRAMS = Path(os.environ.get("BUNDLER_TEST_CLUSTER_BIN", "/nonexistent"))
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: test, cluster: {{server: "https://{loopback}:{port}", insecure-skip-tls-verify: true}}}}]
users: [{{name: test, user: {{token: {token}}}}}]
contexts: [{{name: test, context: {{cluster: test, user: test}}}}]
current-context: test
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running control plane."""

    kubeconfig: Path

    def kubectl(self, *words: str, stdin: str = "") -> str:
        """Run kubectl and return what it prints; AssertionError with its stderr when it fails."""
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={self.kubeconfig}", *words],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def read(self, *words: str) -> Any:
        """Return an object, or a list of them."""
        return json.loads(self.kubectl("get", *words, "--output=json"))

    def create(self, value: Any) -> None:
        """Make an object."""
        self.kubectl("create", "--filename=-", stdin=json.dumps(value))

    def add_node(self, name: str, labels: dict[str, str]) -> None:
        """Make a node that may be scheduled to."""
        metadata = {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", **labels}}
        self.create({"apiVersion": "v1", "kind": "Node", "metadata": metadata})
        # it has it from the admission until its kubelet tells that it is ready
        self.kubectl("patch", "node", name, "--type=merge", '--patch={"spec": {"taints": null}}')

    def run_pods(self) -> None:
        """Write of every pod what its kubelet would write once it runs."""
        for pod in self.read("pods", "--all-namespaces")["items"]:
            path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}/status"
            conditions = [{"type": "Ready", "status": "True"}]
            value = {**pod, "status": {"phase": "Running", "conditions": conditions}}
            # one that is gone meanwhile needs none
            subprocess.run(
                ["kubectl", f"--kubeconfig={self.kubeconfig}", "replace", f"--raw={path}", "--filename=-"],
                input=json.dumps(value),
                capture_output=True,
                text=True,
                check=False,
            )


def eventually(is_so: Callable[[], bool], what: str) -> None:
    """Wait for something of the control plane's own pace; AssertionError when it does not come."""
    deadline = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < deadline, f"not within {WITHIN_S:.0f} s: {what}"
        time.sleep(0.1)


@contextmanager
def control_plane(directory: Path) -> Iterator[Cluster]:
    """Run a control plane until the context ends; it yields once the API server is ready."""
    etcd, peer, api = (_free_port() for _ in range(3))
    kubeconfig = directory / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG.format(loopback=LOOPBACK, port=api, token=TOKEN))
    (directory / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n")
    key = directory / "service-accounts.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], capture_output=True, check=True)
    with ExitStack() as stack:
        client = f"http://{LOOPBACK}:{etcd}"
        stack.enter_context(
            _running(
                directory,
                "etcd",
                f"--data-dir={directory / 'etcd'}",
                f"--listen-client-urls={client}",
                f"--advertise-client-urls={client}",
                f"--listen-peer-urls=http://{LOOPBACK}:{peer}",
            )
        )
        stack.enter_context(_running(directory, "kube-apiserver", *_api_flags(directory, client, api, key)))
        cluster = Cluster(kubeconfig)
        eventually(lambda: _is_ready(cluster), "the API server is ready")
        stack.enter_context(
            _running(
                directory,
                "kube-controller-manager",
                f"--kubeconfig={kubeconfig}",
                "--controllers=daemonset-controller",
                "--leader-elect=false",
                "--secure-port=0",
            )
        )
        yield cluster


def _api_flags(directory: Path, etcd: str, port: int, key: Path) -> Sequence[str]:
    return (
        f"--etcd-servers={etcd}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        f"--cert-dir={directory / 'certificates'}",
        f"--token-auth-file={directory / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        "--allow-privileged=true",
        "--service-cluster-ip-range=198.51.100.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={key}",
        f"--service-account-key-file={key}",
    )


def _is_ready(cluster: Cluster) -> bool:
    command = ["kubectl", f"--kubeconfig={cluster.kubeconfig}", "get", "--raw=/readyz"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(directory: Path, program: str, *flags: str) -> Iterator[None]:
    with (
        (directory / f"{program}.log").open("wb") as log,
        subprocess.Popen([PROGRAMS / program, *flags], stdout=log, stderr=log) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
