"""Run a playbook on a fleet: files in a place in memory, a listener beside it, and nothing of it left afterwards."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.site.fleet.fleet_results import FleetRow, fleet_rows
from bundler.site.fleet.inventory import inventory
from bundler.site.fleet.playbook import FLEET_ACTIONS, FleetAction, FleetPlay, hand_over_script, playbook
from bundler.site.invitation.joining import JOIN_PLACE
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bundler.host.interface import Host
    from bundler.site.config.model import SiteHost
    from bundler.site.invitation.join_code import JoinCode

INVENTORY, EDGE_SH = "inventory.yaml", "edge.sh"
PLACE = f"{JOIN_PLACE}/fleet"
CODES = "codes"
WITHIN_S = 24 * 3600.0
_CALLBACK = "callback_plugins/bundler_results.py"
_RESULTS = "results.jsonl"
_PRIVATE, _DIRECTORY = 0o600, 0o700


@dataclass(frozen=True, slots=True)
class FleetOrder:
    """What is to be done, on which hosts.

    Arguments:
        hosts: edge hosts of the site.
        limit: a pattern of Ansible's; "" for all of them.
        script: edge.sh.
        program: ansible-playbook.
        environment: beside what this process has.
    """

    action: FleetAction
    hosts: Sequence[SiteHost]
    play: FleetPlay
    script: bytes
    limit: str = ""
    program: str = "ansible-playbook"
    environment: Mapping[str, str] | None = None


def fleet_files(hosts: Sequence[SiteHost], play: FleetPlay, script: bytes) -> dict[str, bytes]:
    """Return what Ansible needs, by name: the inventory, a playbook for each action, edge.sh."""
    books = {playbook_name(action): playbook(action, play) for action in FLEET_ACTIONS}
    return {INVENTORY: inventory(hosts), EDGE_SH: script, **books}


def playbook_name(action: FleetAction) -> str:
    """Return the name of an action's playbook."""
    return f"{action}.yaml"


def run_fleet(
    master: Host, order: FleetOrder, codes: Mapping[str, JoinCode], listen: Callable[[Callable[[], bool]], object]
) -> tuple[FleetRow, ...]:
    """Run the playbook and return a row for each host.

    Arguments:
        codes: host -> its code; none where nobody joins.
        listen: waits for the hosts until what it is given says so; runs in a thread of its own.

    Raises StorageError, and what `listen` raises.
    """
    from importlib import resources  # takes long to load

    files = fleet_files(order.hosts, order.play, order.script)
    files[_CALLBACK] = (resources.files(__package__) / "data" / "results_callback.txt").read_bytes()
    files |= {f"{CODES}/{host}.sh": hand_over_script(code.text) for host, code in codes.items()}
    with _placed(master, files), _beside(listen):
        ended = master.run(
            _command(order),
            environment={**(order.environment or {}), "BUNDLER_FLEET_RESULTS": f"{PLACE}/{_RESULTS}"},
            within_s=WITHIN_S,
            shows_progress=True,
        )
        lines = master.read(f"{PLACE}/{_RESULTS}") or b""
    why = "" if lines or not ended.code else tr("ansible-playbook ended with {code} and did nothing", code=ended.code)
    return fleet_rows([host.name for host in order.hosts], lines, why_none=why)


def _command(order: FleetOrder) -> tuple[str, ...]:
    words = (order.program, "-i", f"{PLACE}/{INVENTORY}", "--forks", str(order.play.forks))
    limit = ("--limit", order.limit) if order.limit else ()
    # what Ansible says of its progress is no answer
    return ("sh", "-c", 'exec "$0" "$@" >&2', *words, *limit, f"{PLACE}/{playbook_name(order.action)}")


@contextmanager
def _placed(master: Host, files: Mapping[str, bytes]) -> Iterator[None]:
    """Write the files, and remove all that lies there in the end; what a killed run left goes first."""
    _clear(master)
    for directory in (JOIN_PLACE, PLACE, f"{PLACE}/{CODES}"):
        master.make_directory(directory, _DIRECTORY)
    try:
        for name, content in files.items():
            master.write(f"{PLACE}/{name}", content, _PRIVATE)
        yield
    finally:
        _clear(master)


def _clear(master: Host) -> None:
    for directory in (*(f"{PLACE}/{name}" for name in master.names(PLACE)), PLACE):
        status = master.status(directory)
        if status is not None and status.kind == "directory":
            for name in master.names(directory):
                master.remove(f"{directory}/{name}")
            master.remove_directory(directory)
        elif status is not None:
            master.remove(directory)


@contextmanager
def _beside(listen: Callable[[Callable[[], bool]], object]) -> Iterator[None]:
    """Listen while the block runs; what goes wrong with it is raised at its end."""
    over = threading.Event()
    wrong: list[Exception] = []

    def run() -> None:
        try:
            listen(over.is_set)
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            wrong.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if wrong:
        raise wrong[0]
