"""Files that stand in the way of an engine's settings, by what is odd about them, and what becomes of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bundler.site.edits.daemon_json import GUIDE

if TYPE_CHECKING:
    from collections.abc import Mapping

REGISTRY = "master:8088"
WHOLE: Mapping[str, Any] = {**GUIDE, "oom-score-adjust": -1000, "insecure-registries": [REGISTRY]}
APPENDED = b"""{
 "log-driver": "json-file",
 "log-opts": {"max-size": "200m", "max-file": "5"},
 "live-restore": true,
 "oom-score-adjust": -1000
}
"""


@dataclass(frozen=True, slots=True)
class AwkwardFile:
    """A daemon.json before, and what of it differs from the guide's settings after.

    Arguments:
        content: None for no file.
        becomes: keys as they stand there then; None for one that does not.
        notes: parts of what is said of it.
        flags: what stands in the command line of dockerd.
    """

    content: bytes | None
    becomes: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """The settings that it ends with."""
        return {key: value for key, value in {**WHOLE, **self.becomes}.items() if value is not None}


AWKWARD = {
    "absent": AwkwardFile(None),
    "empty": AwkwardFile(b""),
    "byte-order-mark": AwkwardFile(b'\xef\xbb\xbf{"debug": false}', {"debug": False}, ("a byte order mark",)),
    "appended-twice": AwkwardFile(
        APPENDED * 2 + b'{"debug": true, "log-opts": {"max-size": "1m"}}',
        {"debug": True, "log-opts": {"max-size": "1m", "max-file": "5"}},
        ("3 objects stand one after the other",),
    ),
    "trailing-comma": AwkwardFile(
        b'{"labels": ["a=,}", "b=\\",]",],\n "debug": true,\n}\n',
        {"debug": True, "labels": ["a=,}", 'b=",]']},
        ("a comma stands before the end",),
    ),
    "other-log-driver": AwkwardFile(
        b'{"log-driver": "local", "log-opts": {"compress": "false"}}',
        {"log-driver": "local", "log-opts": {"compress": "false"}},
    ),
    "known-registries": AwkwardFile(
        b'{"insecure-registries": ["registry.plant:5000", "0.0.0.0/0"]}',
        {"insecure-registries": ["registry.plant:5000", "0.0.0.0/0", REGISTRY]},
        ("0.0.0.0/0 is an insecure registry: no registry at all is checked",),
    ),
    "live-restore-off": AwkwardFile(
        b'{"live-restore": false}', {"live-restore": False}, ("containers end whenever dockerd is restarted",)
    ),
    "keys-of-others": AwkwardFile(
        b'{"features": {"buildkit": true}, "default-address-pools": [{"base": "198.51.100.0/24", "size": 26}]}',
        {"features": {"buildkit": True}, "default-address-pools": [{"base": "198.51.100.0/24", "size": 26}]},
    ),
    "cgroup-driver": AwkwardFile(
        b'{"exec-opts": ["native.cgroupdriver=cgroupfs"], "max-concurrent-downloads": 3}',
        {"exec-opts": ["native.cgroupdriver=cgroupfs"], "max-concurrent-downloads": 3},
    ),
    "key-in-a-flag": AwkwardFile(
        b'{"shutdown-timeout": 20}',
        {"shutdown-timeout": 20, "log-driver": None, "max-concurrent-uploads": None},
        ("log-driver stays as dockerd's command line has it",),
        {"log-driver": ("json-file",), "max-concurrent-uploads": ("7",)},
    ),
}
