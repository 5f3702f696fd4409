"""The host as far as the service's steps touch it, and what there is to know of it before deciding anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

SYSTEMD_RUNS = "/run/systemd/system"
SELINUX = "/sys/fs/selinux/enforce"
LOGROTATE = "/etc/logrotate.d"
# iptables-services of EL systems, and what it restores at every start
RULES_SERVICE = "/usr/libexec/iptables/iptables.init"
SAVED_RULES = {"iptables": "/etc/sysconfig/iptables", "ip6tables": "/etc/sysconfig/ip6tables"}


class Outcome(NamedTuple):
    """How a command ended; 127 when there is no such program."""

    code: int
    output: str
    complaints: str


class Health(NamedTuple):
    """What the mirror says of itself: HTTP status and text."""

    status: int
    text: str


class Host(Protocol):
    """Commands and files of one host. Files raise StorageError."""

    def run(self, command: Sequence[str]) -> Outcome:
        """Run a program with these arguments, without a shell or input."""

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None when there is no such file."""

    def write(self, path: str, data: bytes, mode: int) -> None:
        """Replace a file in one step, making the directories above it."""

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens when it is gone."""

    def exists(self, path: str) -> bool:
        """Tell whether there is anything at a path."""

    def is_root(self) -> bool:
        """Tell whether changes are allowed."""

    def listens(self, address: str, port: int) -> bool:
        """Tell whether somebody accepts a TCP connection."""

    def health(self, address: str, port: int, *, tls: bool) -> Health | None:
        """Ask the mirror on this host for /-/health; None when nothing answers."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan depends on.

    Arguments:
        systemd: it runs this host.
        firewalld: it is in charge of the firewall.
        filters: those of iptables and ip6tables that work.
        saved_rules: those of them whose rules are restored from a file at every start.
        selinux: it is on.
        logrotate: it looks after logs.
        interpreter: the Python that runs the mirror.
        installation: where that one really is when `interpreter` is a link, as in a virtual environment.
    """

    systemd: bool
    firewalld: bool
    filters: tuple[str, ...]
    saved_rules: tuple[str, ...]
    selinux: bool
    logrotate: bool
    interpreter: str
    installation: str = ""


def facts_of(host: Host, interpreter: str, installation: str = "") -> Facts:
    """Look at a host; changes nothing."""
    filters = tuple(tool for tool in SAVED_RULES if host.run((tool, "-w", "-n", "-L", "INPUT")).code == 0)
    kept = host.exists(RULES_SERVICE)
    return Facts(
        systemd=host.exists(SYSTEMD_RUNS),
        firewalld=host.run(("firewall-cmd", "--state")).code == 0,
        filters=filters,
        saved_rules=tuple(tool for tool in filters if kept and host.exists(SAVED_RULES[tool])),
        selinux=host.exists(SELINUX),
        logrotate=host.exists(LOGROTATE),
        interpreter=interpreter,
        installation=installation,
    )
