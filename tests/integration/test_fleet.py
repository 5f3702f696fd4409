"""A fleet over real ssh with real Ansible: hosts that need no Python, codes that do not stay, one row for each host."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bundler.site.fleet.playbook import FLEET_ACTIONS, FleetPlay
from bundler.site.fleet.running import fleet_files
from tests.contract.checkout import ROOT
from tests.integration.ansible_program import ansible_playbook
from tests.integration.ssh_hosts import REMOTE, SshHosts, ssh_hosts
from tests.unit.site.sites import SITE

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.integration,
    pytest.mark.xdist_group("fleet"),
    pytest.mark.skipif(os.geteuid() != 0, reason="hosts with mounts of their own want root"),
]
# edge.sh: it brings the tool
SCRIPT = """#!/bin/sh
mkdir -p /run/bundles/current/bin
printf '#!/bin/sh\\nPYTHONPATH=%s exec %s %s "$@"\\n' {root} {python} {played} >/run/bundles/current/bin/bundler
chmod 755 /run/bundles/current/bin/bundler
echo "$@" >/run/called
"""
WITHIN_S = 300


def run_fleet(scratch: Path, hosts: SshHosts, action: str, **changes: Any) -> dict[str, Any]:
    """Run the driver where /run and /var are its own, and return what it printed."""
    played = ROOT / "tests/integration/played_edge.py"
    script = scratch / "edge.sh"
    script.write_text(SCRIPT.format(root=ROOT, python=sys.executable, played=played))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    order = {
        "action": action, "edges": dict(hosts.addresses), "root": "/run/bundles", "port": port, "forks": 5,
        "max_fail": None, "limit": "", "script": str(script), "program": str(ansible_playbook()),
        "environment": dict(hosts.environment), **changes,
    }  # fmt: skip
    command = 'mount -t tmpfs none /run && mount -t tmpfs none /var/lib && exec "$0" "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", command, sys.executable, "-m", "tests.integration.fleet_driver",
         json.dumps(order)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=WITHIN_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    assert not value["left"]
    value["shown"] = done.stderr
    return value


def test_every_host_joins_with_a_code_of_its_own(tmp_path: Path) -> None:
    with ssh_hosts(tmp_path, "edge1", "edge2") as hosts:
        fresh = run_fleet(tmp_path, hosts, "plan")
        assert [row["outcome"] for row in fresh["rows"]] == ["failed", "failed"], fresh["shown"]
        assert "is not there yet" in fresh["rows"][0]["what"]
        value = run_fleet(tmp_path, hosts, "apply")
        assert [(row["host"], row["outcome"], row["what"]) for row in value["rows"]] == [
            ("edge1", "done", "1 step, 1 change"),
            ("edge2", "done", "1 step, 1 change"),
        ]
        assert value["endings"] == {"edge1": "used", "edge2": "used"}
        for name in ("edge1", "edge2"):
            assert hosts.read(name, "/run/called") == "--root /run/bundles\n"
            assert hosts.read(name, "/run/played-token") == f"token-of-{name}"
            assert hosts.read(name, "/run/played-mode") == "600"
            assert hosts.names(name, "/run/kubeedge-bundler") == []
            # nor in what Ansible brought
            assert hosts.names(name, REMOTE) == []
        looked = run_fleet(tmp_path, hosts, "check")
        assert [row["what"] for row in looked["rows"]] == ["1 step, 1 to do"] * 2


def test_what_fails_is_told_by_host_and_stops_the_rest(tmp_path: Path) -> None:
    with ssh_hosts(tmp_path, "edge1bad", "edge2", "edge3") as hosts:
        addresses = {"edge0": "127.0.0.99", **hosts.addresses}
        value = run_fleet(tmp_path, hosts, "apply", edges=addresses, forks=2, max_fail=2)
        rows = {row["host"]: (row["outcome"], row["what"]) for row in value["rows"]}
        assert rows["edge0"][0] == "unreachable"
        assert rows["edge1bad"] == ("failed", "/var: no room [site-unmet]")
        # the lot after that in which two had failed
        assert rows["edge2"] == rows["edge3"] == ("not-run", None)
        limited = run_fleet(tmp_path, hosts, "apply", limit="edge3")
        assert [row["outcome"] for row in limited["rows"]] == ["not-run", "not-run", "done"]


def test_what_is_written_is_what_ansible_reads(tmp_path: Path) -> None:
    for name, content in fleet_files(SITE.edges, FleetPlay("/opt", "http://192.0.2.1:8088", 8090), b"").items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "none.cfg").touch()
    for action in FLEET_ACTIONS:
        done = subprocess.run(
            [str(ansible_playbook()), "-i", "inventory.yaml", "--syntax-check", f"{action}.yaml"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8", "ANSIBLE_CONFIG": str(tmp_path / "none.cfg")},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert f"playbook: {action}.yaml" in done.stdout
