"""What runs on each edge, as an Ansible playbook. Pure.

Codes never stand in it: each lies in a script of its own, which hands it over and which ssh brings over its stdin or by
its own transfer; the edge keeps it in a file in memory for as long as the joining takes.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bundler.manifest.yaml_text import yaml_text
from bundler.site.fleet.inventory import EDGES
from bundler.site.invitation.joining import EDGE_CONFIG, JOIN_PLACE

if TYPE_CHECKING:
    from bundler.model.json_value import Json

FleetAction = Literal["plan", "apply", "check"]
FLEET_ACTIONS: tuple[FleetAction, ...] = ("plan", "apply", "check")
CODE_FILE = f"{JOIN_PLACE}/join-code"
FILES_TASK, CODE_TASK = "the tool and the files of an edge", "the code"
_HERE = "{{ inventory_hostname }}"
_HEAD = """# Written by `bundler site fleet`. Its hosts need sh and what edge.sh needs, no Python.
"""
_APPLY_HEAD = """# Each host wants a code: NAME.sh in the directory `codes` beside this file, or in -e codes=DIR, as
# `bundler site invite --host NAME … --codes DIR` writes it; it counts as long as that listens.
"""


@dataclass(frozen=True, slots=True)
class FleetPlay:
    """How a fleet is worked on.

    Arguments:
        root: where bundles lie on every edge.
        mirror: its address, as edges reach it.
        port: where the master takes codes.
        bundle: id of the bundle that edges get; "" for whatever the mirror has.
        forks: how many hosts at once.
        max_fail: begin with no further hosts once so many have failed; None to go on.
    """

    root: str
    mirror: str
    port: int
    bundle: str = ""
    forks: int = 5
    max_fail: int | None = None


def playbook(action: FleetAction, play: FleetPlay) -> bytes:
    """Return the playbook of an action in YAML."""
    head: dict[str, Json] = {"name": f"bundler site {action} edge", "hosts": EDGES, "gather_facts": False}
    tasks = _apply_tasks(play) if action == "apply" else [_look_task(action, play)]
    if play.max_fail is not None:
        # what has failed is known between two lots of hosts, not within one
        head["serial"] = play.forks
        tasks = [_stop_task(play.max_fail), *tasks]
    comment = _HEAD + (_APPLY_HEAD if action == "apply" else "")
    return comment.encode() + yaml_text([{**head, "tasks": tasks}])


def hand_over_script(code: str) -> bytes:
    """Return the script that leaves a code on an edge, readable by root alone."""
    lines = [
        "#!/bin/sh",
        "# Leaves the code of `bundler site invite` on an edge; it counts once.",
        "set -eu",
        "umask 077",
        f"mkdir -p {JOIN_PLACE}",
        f"cat >{CODE_FILE} <<'CODE'",
        code,
        "CODE",
        "",
    ]
    return "\n".join(lines).encode()


def _apply_tasks(play: FleetPlay) -> list[Json]:
    files = f"edge.sh --root {shlex.quote(play.root)}" + (f" --id {play.bundle}" if play.bundle else "")
    join = _tool(play, "join", "--mirror", play.mirror, "--port", str(play.port), "--root", play.root)
    join = f"{join} --host {_HERE} --code-file {CODE_FILE} --json"
    return [
        {"name": FILES_TASK, "ansible.builtin.script": files},
        {
            "name": CODE_TASK,
            "ansible.builtin.script": f"{{{{ codes | default(playbook_dir ~ '/codes') }}}}/{_HERE}.sh",
            "no_log": True,
        },
        # however it ends, the code does not stay
        {"name": "apply", "ansible.builtin.raw": f"{join}; status=$?; rm -f {CODE_FILE}; exit $status"},
    ]


def _look_task(action: FleetAction, play: FleetPlay) -> Json:
    command = _tool(play, action, "edge", "--config", EDGE_CONFIG)
    return {"name": action, "ansible.builtin.raw": f"{command} --host {_HERE} --json", "changed_when": False}


def _tool(play: FleetPlay, *words: str) -> str:
    return shlex.join((f"{play.root.rstrip('/')}/current/bin/bundler", "site", *words))


def _stop_task(max_fail: int) -> Json:
    failed = "(ansible_play_hosts_all | difference(ansible_play_hosts)) | length"
    return {
        "name": "no further hosts once too many have failed",
        "ansible.builtin.meta": "end_play",
        "when": f"{failed} >= {max_fail}",
    }
