"""The systemd unit and the rotation of its log, as text. Pure.

What the mirror relies on is what systemd 219 (EL7) knows. What came later only takes away rights that the mirror does
not use; 219 warns of each such line and goes on without it, so they stand apart, under a comment that says so. The
supervisor stays root with few capabilities, its workers give all of them up (ADR 10).
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mirror.settings import Settings

UNIT_NAME = "kubeedge-mirror.service"
_HOMES, _TEMPORARY = ("/home", "/root", "/run/user"), ("/tmp", "/var/tmp")  # noqa: S108 - where not to hide things
# to bind port 21, to make workers nobody, to stop them, and to read keys and directories that are not everybody's
_CAPABILITIES = "CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID CAP_KILL CAP_DAC_READ_SEARCH"
_OPEN_FILES = 65536
# The groups of system calls are of 231. A list of what is allowed would leave nothing on 219, which knows none of them;
# of a list of what is denied nothing is left there.
_DENIED_CALLS = "@clock @cpu-emulation @debug @module @mount @obsolete @raw-io @reboot @swap"
_LATER_DIRECTIVES = (
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectControlGroups=yes",
    "RestrictRealtime=yes",
    "RestrictNamespaces=yes",
    "LockPersonality=yes",
    "PrivateMounts=yes",
    "ProtectHostname=yes",
    "RestrictSUIDSGID=yes",
    "ProtectKernelLogs=yes",
    "ProtectClock=yes",
    "ProtectProc=invisible",
    f"SystemCallFilter=~{_DENIED_CALLS}",
)
_START_S = 300
_STOP_RESERVE_S = 15
_PLAIN = re.compile(r"[A-Za-z0-9_@%$+=:,./-]+")


def unit_text(
    program: Sequence[str], arguments: Sequence[str], settings: Settings, *, installation: str = "", selinux: bool
) -> bytes:
    """Return the unit.

    Arguments:
        program: what runs the mirror: an absolute path, and what comes before `serve`.
        arguments: of `mirror serve`, absolute paths in them.
        settings: the same, understood.
        installation: where the Python that runs it really is; it has to stay visible as well.
        selinux: it is on. There NoNewPrivileges would keep the mirror in systemd's own domain (EL7 knows no
            nnp_transition); the workers set it for themselves in any case.
    """
    command = [*program, "serve", *arguments]
    used = [program[0], installation, *map(str, _paths(settings))]
    # a mirror that hashes everything first takes as long as the disk does; 0 is what 219 writes for no limit
    start_s = 0 if settings.verify else _START_S
    lines = [
        "# Made by `mirror service install`; `mirror service remove` takes it away.",
        "[Unit]",
        "Description=Mirror of an offline bundle over HTTP and FTP",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        f"ExecStart={' '.join(unit_word(word) for word in command)}",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "KillMode=mixed",
        f"TimeoutStartSec={start_s}",
        f"TimeoutStopSec={round(settings.grace_s) + _STOP_RESERVE_S}",
        "Restart=on-failure",
        "RestartSec=2",
        "WorkingDirectory=/",
        "UMask=0027",
        f"LimitNOFILE={_OPEN_FILES}",
        f"CapabilityBoundingSet={_CAPABILITIES}",
        *([] if selinux else ["NoNewPrivileges=yes"]),
        "ProtectSystem=full",
        f"ProtectHome={_protect_home(used, settings)}",
        f"PrivateTmp={'no' if _any_below(used, _TEMPORARY) else 'yes'}",
        "PrivateDevices=yes",
        # netlink is how the resolver learns which addresses this host has
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
        "SystemCallArchitectures=native",
        "SystemCallErrorNumber=EPERM",
        "# systemd 219 (EL7) knows none of the following, says so, and goes on without them.",
        *_LATER_DIRECTIVES,
        "",
        "[Install]",
        "WantedBy=multi-user.target",
        "",
    ]
    return "\n".join(lines).encode()


def unit_word(text: str) -> str:
    """Return a word of ExecStart: quoted, and nothing in it expanded (systemd.service(5), "Command lines")."""
    escaped = text.replace("%", "%%").replace("$", "$$")
    if _PLAIN.fullmatch(escaped):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'


def rotation_text(log: str) -> bytes:
    """Return what logrotate does with the access log: SIGUSR1 makes the mirror open it anew (logrotate(8))."""
    lines = [
        "# Made by `mirror service install`; `mirror service remove` takes it away.",
        f'"{log}" {{',
        "    weekly",
        "    rotate 8",
        "    missingok",
        "    notifempty",
        "    compress",
        "    delaycompress",
        "    postrotate",
        f"        systemctl kill --kill-who=main --signal=USR1 {UNIT_NAME} >/dev/null 2>&1 || :",
        "    endscript",
        "}",
        "",
    ]
    return "\n".join(lines).encode()


def _protect_home(used: Sequence[str], settings: Settings) -> str:
    if _any_below([str(settings.access_log or "")], _HOMES):
        # the log is written there
        return "no"
    return "read-only" if _any_below(used, _HOMES) else "yes"


def _paths(settings: Settings) -> Iterable[object]:
    yield settings.root
    yield from (share.directory for share in settings.shares)
    yield from (*(settings.tls or ()), *settings.keys)
    yield from (path for path in (settings.users, settings.access_log) if path not in (None, "-"))


def _any_below(paths: Iterable[str], directories: Sequence[str]) -> bool:
    return any(PurePosixPath(path).is_relative_to(directory) for path in paths for directory in directories)
