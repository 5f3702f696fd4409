"""What edgecore's last words mean: why it ended, and what to do about it. Pure; asks the journal through a host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bundler.host.failure import ChangeFailure, Reason
from bundler.site.kubeedge_places import EDGECORE_UNIT
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.host.interface import Host

_SHOWN_LINES = 12
# klog: a letter for how bad it is, month and day, time, process, file and line
_KLOG = re.compile(r"(?P<weight>[EF])\d{4} \S+\s+\d+ (?P<place>[\w.]+:\d+)\] (?P<text>.*)")
_OTHER_AUTHORITY = re.compile(
    r"failed to validate CA certificate\. tokenCAhash: (?P<token>\S*), CAhash: (?P<found>\S+)"
)
_FRESH = tr("Fetch a fresh one with `bundler site token` on the master, and run the same command again with it.")
_ENDINGS: tuple[tuple[str, str], ...] = (
    (
        "should not running on edge node when running edgecore",
        tr("Stop kubelet and kube-proxy here for good; one that has ended and that nobody reaped counts as well."),
    ),
    (
        "kubelet cgroup driver",
        tr("Run the same command again: it takes over the driver that `docker info` tells."),
    ),
    (
        "failed to get docker version",
        tr("Start the engine (`systemctl status docker`), then run the same command again."),
    ),
    ("token credentials are in the wrong format", _FRESH),
    ("token is expired", _FRESH),
)


def journal_lines(host: Host, since: float) -> tuple[str, ...]:
    """Return the end of what edgecore has written since a time of day, in seconds since 1970."""
    shown = host.run(
        ("journalctl", "-u", EDGECORE_UNIT, "-o", "cat", "--no-pager", "-n", "200", f"--since=@{int(since)}")
    )
    return tuple(shown.stdout.splitlines()[-_SHOWN_LINES:]) if shown.code == 0 else ()


def ending(lines: tuple[str, ...]) -> ChangeFailure | None:
    """Return why edgecore has ended, and what to do; None where its words name no reason that stays."""
    for line in reversed(lines):
        found = _KLOG.search(line)
        if found is None:
            continue
        if other := _OTHER_AUTHORITY.search(found["text"]):
            what = tr(
                "the cloud's authority ({found}…) is not the one that the token names "
                "({named}…): the token is wrong, or of another site",
                found=other["found"][:12],
                named=other["token"][:12],
            )
            return _ended(what, _FRESH, lines)
        remedy = next((remedy for words, remedy in _ENDINGS if words in found["text"]), "")
        if remedy or found["weight"] == "F":
            return _ended(tr("edgecore has ended: {found}", found=found["text"]), remedy, lines)
    return None


def _ended(what: str, remedy: str, lines: tuple[str, ...]) -> ChangeFailure:
    return ChangeFailure(Reason.COMMAND_FAILED, what, where=EDGECORE_UNIT, remedy=remedy, lines=lines)
