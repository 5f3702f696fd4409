"""The stand-ins of cloudcore and edgecore do what was seen of the real ones: in a host's namespaces, without a host."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.stand_ins.core_program import core_program
from tests.stand_ins.kubeedge_programs import HERE
from tests.stand_ins.recordings import recording, settings_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
# /etc and /run are the test's own in here, and so are the network and the processes
BEGIN = r"""
mount -t tmpfs none /run
mkdir -p /run/upper /run/work /run/bin /run/root
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc
ip link set lo up
export PATH=/run/bin:$PATH STAND_IN_ROOT=/run/root
cp "$DIRECTORY/core" /run/bin/cloudcore; cp "$DIRECTORY/core" /run/bin/edgecore
cp "$DIRECTORY/kubectl" "$DIRECTORY/docker" /run/bin/
mkdir -p /etc/kubeedge/config /etc/kubeedge/ca /etc/kubeedge/certs /etc/stand-ins
cp "$DIRECTORY/cloudcore.yaml" "$DIRECTORY/edgecore.yaml" /etc/kubeedge/config/
cluster=/run/root/var/lib/stand-ins/cluster
mkdir -p $cluster
until_true() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { echo "never: $*"; exit 1; }
    sleep .1
  done
}
open_ports() {
  awk '$4 == "0A" { split($2, part, ":"); print part[2] }' /proc/net/tcp /proc/net/tcp6 | sort -u | tr '\n' ' '
}
connected() { awk -v port=":$1" '$4 == "01" && index($3, port)' /proc/net/tcp | grep -q .; }
begin_cloud() { /run/bin/cloudcore 2>/run/cloud.log & cloud=$!; until_true listens 2710; }
listens() { open_ports | grep -q "$1"; }
set_token() { sed -i "s|^    token: .*|    token: $1|" /etc/kubeedge/config/edgecore.yaml; }
fresh() { kubectl -n kubeedge get secret tokensecret -o 'jsonpath={.data.tokendata}' | base64 -d; }
"""
# the kernel's hexadecimal of 10000, 10002, 10003, 10004
HUB, ALL = "2710 2712", "2710 2712 2713 2714"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "core").write_bytes(core_program(tmp_path))
    (tmp_path / "kubectl").write_bytes((HERE / "kubectl.sh").read_bytes())
    (tmp_path / "docker").write_text("#!/bin/sh\ntest -e /run/no-engine && exit 1\necho cgroupfs\n")
    for name in ("core", "kubectl", "docker"):
        (tmp_path / name).chmod(0o755)
    for name in ("cloudcore.yaml", "edgecore.yaml"):
        text = settings_file(name).replace("CLOUD_IP", "127.0.0.1").replace("EDGE_NAME", "edge1")
        (tmp_path / name).write_text(text)
    return tmp_path


def inside(directory: Path, script: str) -> list[str]:
    """Run a script in namespaces of its own, which end with it, and return the lines that it printed."""
    if os.geteuid() != 0:
        pytest.skip("only root may make namespaces")
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-euc"]
    environment = {**os.environ, "DIRECTORY": str(directory), "LC_ALL": "C"}
    done = subprocess.run(
        [*command, BEGIN + script], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_ports_open_together_after_a_while_and_an_edge_joins(directory: Path) -> None:
    lines = inside(
        directory,
        r"""
        echo 1500 >/etc/stand-ins/delay-ms
        /run/bin/cloudcore 2>/run/cloud.log &
        until_true test -s /run/stand-ins/token
        echo "before: $(open_ports)"
        until_true listens 2712
        echo "after: $(open_ports)"
        set_token "$(fresh)"
        /run/bin/edgecore 2>/run/edge.log &
        until_true test -s $cluster/nodes
        until_true connected 2710
        until_true listens 286E
        head -n 1 /etc/kubeedge/ca/rootCA.crt
        stat -c %a /etc/kubeedge/certs/server.crt /etc/kubeedge/certs/server.key
        cat $cluster/nodes
        """,
    )
    assert lines[:2] == ["before: ", f"after: {HUB} "]
    assert lines[2:5] == ["-----BEGIN CERTIFICATE-----", "644", "600"]
    assert '"name":"edge1"' in lines[5]
    assert '"node-role.kubernetes.io/edge":""' in lines[5]


def test_streams_need_certificates_and_bring_two_ports_and_a_tunnel(directory: Path) -> None:
    lines = inside(
        directory,
        r"""
        sed -i '/cloudStream:/{n;s/false/true/}' /etc/kubeedge/config/cloudcore.yaml
        sed -i '/edgeStream:/{n;s/false/true/}' /etc/kubeedge/config/edgecore.yaml
        /run/bin/cloudcore 2>&1 | cut -d']' -f2- || true
        echo text | tee /etc/kubeedge/ca/streamCA.crt >/etc/kubeedge/certs/stream.key
        : >/etc/kubeedge/certs/stream.crt
        /run/bin/cloudcore 2>&1 | cut -d']' -f2- || true
        echo text >/etc/kubeedge/certs/stream.crt
        begin_cloud
        until_true listens 2714
        open_ports; echo
        set_token "$(fresh)"
        /run/bin/edgecore 2>/run/edge.log &
        until_true connected 2714
        """,
    )
    assert lines[0].endswith("streamCA.crt not exist")
    assert lines[1].strip() in recording("cloudcore-stream-empty-cert").stdout
    assert lines[2].strip() == ALL


def test_a_secret_that_cannot_be_read_makes_a_new_authority(directory: Path) -> None:
    lines = inside(
        directory,
        r"""
        begin_cloud
        sha256sum <$cluster/secrets/casecret/cadata | cut -c1-12
        kill $cloud; wait $cloud || true
        begin_cloud
        sha256sum <$cluster/secrets/casecret/cadata | cut -c1-12
        kill $cloud; wait $cloud || true
        touch $cluster/forbidden
        begin_cloud
        sha256sum <$cluster/secrets/casecret/cadata | cut -c1-12
        cut -d']' -f2- /run/cloud.log
        kill $cloud; wait $cloud || true
        touch $cluster/down
        /run/bin/cloudcore 2>&1 | cut -d']' -f2-
        """,
    )
    first, same, other, words, down = lines
    assert first == same != other
    recorded = recording("cloudcore-makes-a-new-CA-when-the-secret-cannot-be-read").stdout
    assert words.strip() in recorded
    assert down.strip() == "failed to create Namespace kubeedge"


def test_what_ends_an_edge(directory: Path) -> None:
    lines = inside(
        directory,
        r"""
        begin_cloud
        last() { /run/bin/edgecore 2>&1 | tail -n 1 | sed 's/.*\] //'; }
        set_token 0000.aaaa.bbbb.cccc; last
        sed -i 's/cgroupDriver: cgroupfs/cgroupDriver: systemd/' /etc/kubeedge/config/edgecore.yaml; last
        sed -i 's/cgroupDriver: systemd/cgroupDriver: cgroupfs/' /etc/kubeedge/config/edgecore.yaml
        touch /run/no-engine; last; rm /run/no-engine
        cp /bin/sleep /run/bin/kube-proxy; /run/bin/kube-proxy 60 & proxy=$!
        # a process has its program's name from execve on
        until grep -qx kube-proxy /proc/$proxy/comm; do :; done
        last
        kill $proxy; wait $proxy || true
        # with old certificates a wrong token "works"
        touch /etc/kubeedge/certs/server.crt /etc/kubeedge/certs/server.key
        /run/bin/edgecore 2>/run/edge.log &
        until_true connected 2710
        """,
    )
    names = ("join-wrong-token", "edgecore-cgroup-mismatch", "edgecore-docker-down", "edgecore-with-kube-proxy-process")
    for line, name in zip(lines, names, strict=True):
        words = line.partition("CAhash: ")[0]
        assert words in recording(name).stdout, name
