"""`bundler site fleet` without its command line, for tests: runs as the master, in a place of its own, and prints rows.

Arguments: JSON with `action`, `edges` (name -> address), `root`, `port`, `program`, `forks`, `max_fail`, `limit`,
`script` (a file) and `environment`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from bundler.host.local_host import LocalHost
from bundler.site.config.model import SiteConfig, SiteHost
from bundler.site.fleet.playbook import FleetPlay
from bundler.site.fleet.running import PLACE, FleetOrder, run_fleet
from bundler.site.invitation.inviting import invited
from bundler.site.invitation.listener import Reception, opened_port, receive_edges
from bundler.site.invitation.offering import join_answer
from bundler.site.invitation.use_log import UseLog

MASTER = "127.0.0.1"


def main(value: dict[str, Any]) -> None:
    """Run one fleet."""
    edges = tuple(SiteHost(name, "edge", address) for name, address in value["edges"].items())
    config = SiteConfig((SiteHost("master", "cloud", MASTER), *edges))
    play = FleetPlay(value["root"], f"http://{MASTER}:1", value["port"], "", value["forks"], value["max_fail"])
    here = LocalHost()
    made = invited([host.name for host in edges], here.elapsed() + 600)
    order = FleetOrder(
        value["action"], edges, play, Path(value["script"]).read_bytes(), value["limit"], value["program"],
        value["environment"],
    )  # fmt: skip
    with opened_port(MASTER, value["port"]) as listening:
        reception = Reception(
            here, made.certificate, made.book,
            lambda edge: join_answer(here, config, edge=edge, bundle="", token=lambda: f"token-of-{edge}"),
            "", UseLog(here, value["port"]), lambda _: None,
        )  # fmt: skip
        rows = run_fleet(
            here, order, made.codes if value["action"] == "apply" else {},
            lambda over: receive_edges(replace(reception, ends_early=over), listening),
        )  # fmt: skip
    left = here.exists(PLACE)
    sys.stdout.write(json.dumps({"rows": [row.value for row in rows], "left": left, "endings": made.book.endings}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
