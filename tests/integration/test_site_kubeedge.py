"""KubeEdge's steps with the real tool, openssl and files, and the stand-ins of KubeEdge, in a host's namespaces."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.contract.checkout import ROOT
from tests.stand_ins.core_program import core_program
from tests.stand_ins.kubeedge_programs import HERE, kubeedge_files

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
# what the host has of its own in here: /etc, /usr/local, /var/lib, /run, its network and its processes
BEGIN = r"""
mount -t tmpfs none /run
for name in etc usr/local var/lib var/log root; do
  mkdir -p /run/upper/$name /run/work/$name
  mount -t overlay overlay -o lowerdir=/$name,upperdir=/run/upper/$name,workdir=/run/work/$name /$name
done
ip link set lo up
export PATH=/usr/local/sbin:/usr/local/bin:$PATH
for name in kubectl systemctl; do cp "$STAND_INS/$name.sh" /usr/local/bin/$name; done
ln -s ../../bin/env /usr/local/bin/sudo
printf '#!/bin/sh\necho cgroupfs\n' >/usr/local/bin/docker
printf '#!/bin/sh\ncat /run/stand-in-units/edgecore.log\n' >/usr/local/bin/journalctl
chmod 755 /usr/local/bin/*
mkdir -p /root/.kube /etc/kubernetes/pki /etc/systemd/system /etc/stand-ins
rm -rf /etc/kubeedge /etc/systemd/system/*core.service /root/.kube/config
echo 'server: https://127.0.0.1:6443' >/root/.kube/config
cd /etc/kubernetes/pki
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=kubernetes -keyout ca.key -out ca.crt -days 30 2>/dev/null
cd "$CHECKOUT"
echo /usr/sbin/mosquitto >/run/stand-in-mosquitto
state() { find /etc /usr/local/bin -newer /run/began -type f | sort | xargs -r sha256sum; }
touch /run/began
steps() { "$PYTHON" -m tests.integration.kubeedge_steps "$DIRECTORY/bundle" "$@"; }
token() {
  kubectl -n kubeedge get secret tokensecret -o 'jsonpath={.data.tokendata}' | base64 -d >/run/token
  chmod 600 /run/token
}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    core = core_program(tmp_path)
    for path, data in kubeedge_files(core, core).items():
        file = tmp_path / "bundle" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return tmp_path


def inside(directory: Path, script: str) -> str:
    """Run a script in namespaces of its own, which end with it, and return what it printed."""
    if os.geteuid() != 0:
        pytest.skip("only root may make namespaces")
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-euc"]
    given = {"DIRECTORY": str(directory), "STAND_INS": str(HERE), "CHECKOUT": str(ROOT), "PYTHON": sys.executable}
    ours = {"LC_ALL": "C", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**os.environ, **given, **ours}
    done = subprocess.run(
        [*command, BEGIN + script], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_master_comes_up_once_and_goes_without_a_trace(directory: Path) -> None:
    text = inside(
        directory,
        r"""
        state >/run/before
        echo 3000 >/etc/stand-ins/delay-ms
        steps apply-cloud
        echo again: $(steps apply-cloud)
        pgrep -c -x cloudcore
        openssl verify -CAfile /etc/kubeedge/ca/streamCA.crt /etc/kubeedge/certs/stream.crt
        ls /etc/kubernetes/pki
        stat -c '%a %n' /var/lib/kubeedge-bundler/cloud/secrets/* /etc/kubeedge/certs/stream.key
        rm /etc/stand-ins/delay-ms
        steps undo-cloud >/dev/null
        state | diff /run/before - && echo the same
        pgrep -c -x cloudcore || true
        ls /tmp/server-extfile.cnf 2>&1 | grep -c 'No such'
        """,
    )
    lines = text.splitlines()
    assert "systemctl restart cloudcore.service" in lines
    assert "wait for cloudcore on 10000, 10002, 10003, 10004" in lines
    assert "again:" in lines
    after = lines[lines.index("again:") + 1 :]
    assert after[:2] == ["1", "/etc/kubeedge/certs/stream.crt: OK"]
    assert "ca.srl" not in after
    assert all(line.startswith("600 ") for line in after if "/secrets/" in line or line.endswith("stream.key"))
    assert after[-3:] == ["the same", "0", "1"]


def test_an_edge_joins_is_left_alone_and_goes_without_a_trace(directory: Path) -> None:
    text = inside(
        directory,
        r"""
        steps apply-cloud >/dev/null
        token
        # what follows is another host, but for its network
        mv /etc/kubeedge /run/master
        mkdir -p /etc/kubeedge/config && cp /run/master/config/cloudcore.yaml /etc/kubeedge/config/
        state >/run/before
        steps apply-edge /run/token
        echo again: $(steps apply-edge)
        stat -c %a /etc/kubeedge/config/edgecore.yaml
        stat -c %h /etc/systemd/system/edgecore.service
        sort -u /var/lib/stand-ins/cluster/nodes | grep -c edge1
        grep -rl "$(cat /run/token)" /etc /var/lib/kubeedge-bundler | grep -v originals || true
        steps undo-edge >/dev/null
        state | diff /run/before - && echo the same
        pgrep -c -x edgecore || true
        """,
    )
    lines = text.splitlines()
    # the tunnel may be there before it is asked for
    assert "systemctl restart edgecore.service" in lines
    assert "again:" in lines
    after = lines[lines.index("again:") + 1 :]
    assert after[:3] == ["600", "2", "1"]
    assert after[3:] == ["/etc/kubeedge/config/edgecore.yaml", "the same", "0"]


def test_a_wrong_token_is_told_and_a_fresh_one_mends_it(directory: Path) -> None:
    text = inside(
        directory,
        r"""
        steps apply-cloud >/dev/null
        token
        { printf 0000000000000000; cut -c17- /run/token; } >/run/wrong; chmod 600 /run/wrong
        mv /etc/kubeedge /run/master
        mkdir -p /etc/kubeedge/config && cp /run/master/config/cloudcore.yaml /etc/kubeedge/config/
        steps apply-edge /run/wrong | tail -n 1
        steps apply-edge /run/token | tail -n 1
        """,
    )
    told, mended = text.splitlines()
    assert "is not the one that the token names (000000000000" in told
    assert mended.startswith("wait for ") or mended == "systemctl restart edgecore.service"


def test_a_question_ends_keadm_at_once_with_all_that_it_started(directory: Path) -> None:
    (checksum,) = (directory / "bundle/kubeedge").glob("checksum_*")
    text = inside(
        directory,
        r"""
        mkdir -p /etc/kubeedge && cp -r "$DIRECTORY/bundle/kubeedge/." /etc/kubeedge/
        rm /etc/kubeedge/checksum_*
        install -m 755 "$DIRECTORY/bundle/kubeedge/keadm" /usr/local/bin/keadm
        "$PYTHON" -c '
from bundler.host.local_host import LocalHost
done = LocalHost().run(
    ("/usr/local/bin/keadm", "deprecated", "join", "--cloudcore-ipport=127.0.0.1:10000", "--kubeedge-version=1.11.1"),
    stop_at=b"[y/N]", within_s=60)
from bundler.site.keadm_words import failure_of
print(done.stopped, len(done.stdout) < 2000, failure_of(done, "keadm").what)
'
        pgrep -c keadm || true
        """,
    )
    first, left = text.splitlines()
    assert first.startswith("True True keadm asks, and nobody is there to answer: ")
    assert left == "0"
    assert checksum.exists()
