"""The real client of a yum repository: `dnf --installroot`, with nothing of this machine's own configuration.

    installed = dnf_install(tmp_path / "root", "file:///srv/yum", ["app"], key=key_file)
    assert "app-1.0-1.noarch" in installed

The rpm database lies in the root; the cache beside it, so that roots do not share anything.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DNF_WITHIN_S = 300


class DnfError(AssertionError):
    """dnf failed; the text is all that it said."""


@dataclass(frozen=True, slots=True)
class DnfClient:
    """One target system.

    Arguments:
        root: its root directory; made when missing.
        repositories: id -> URL (or `mirrorlist:URL`, `metalink:URL`).
        key: the file with the keys that packages and metadata must be signed with; None with `gpgcheck` off only.
        arch: its architecture; another one than the machine's own is forced.
        releasever: what `$releasever` stands for.
        settings: further settings of every repository, e.g. `{"repo_gpgcheck": "1", "priority": "10"}`.
        runner: what its command lines begin with: `ip netns exec HOST` on another host.
    """

    root: Path
    repositories: Mapping[str, str]
    key: Path | None = None
    gpgcheck: bool = True
    arch: str = ""
    releasever: str = "8"
    settings: tuple[tuple[str, str], ...] = ()
    runner: tuple[str, ...] = ()

    def run(self, *arguments: str) -> str:
        """Run a dnf command here and return what it printed on stdout; DnfError when it fails."""
        self.root.mkdir(parents=True, exist_ok=True)
        command = [
            *self.runner,
            "dnf",
            "-y",
            f"--config={self._configuration()}",
            "--noplugins",
            f"--installroot={self.root}",
        ]
        command += [f"--releasever={self.releasever}", *([f"--forcearch={self.arch}"] if self.arch else [])]
        # scriptlets would want a shell in the root; nothing that a test installs relies on them
        return _run([*command, "--setopt=tsflags=noscripts", *arguments])

    def install(self, *names: str) -> frozenset[str]:
        """Install packages and return what is installed then; DnfError when dnf refuses."""
        self.run("install", *names)
        return self.installed()

    def installed(self) -> frozenset[str]:
        """Return the full names (epoch left out when 0) of what the root's rpm database holds."""
        form = "%{NAME}-%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}.%{ARCH}\n"
        listed = _run(["rpm", f"--root={self.root}", "-qa", "--queryformat", form])
        return frozenset(line for line in listed.splitlines() if not line.startswith("gpg-pubkey"))

    def _configuration(self) -> Path:
        """Write dnf.conf beside the root; a file holds what options on the command line cannot (spaces, globs)."""
        beside = self.root.parent / f"{self.root.name}.dnf"
        beside.mkdir(exist_ok=True)
        lines = ["[main]", "reposdir=/dev/null", "varsdir=/dev/null", f"cachedir={beside / 'cache'}"]
        lines += ["keepcache=0", "metadata_expire=0", "install_weak_deps=0", "retries=1", "timeout=20", "best=1"]
        lines += [f"gpgcheck={int(self.gpgcheck)}", f"logdir={beside}"]
        for repository, url in self.repositories.items():
            name, separator, rest = url.partition(":")
            mirrored = bool(separator) and name in ("mirrorlist", "metalink")
            lines += [f"[{repository}]", f"name={repository}", f"{name}={rest}" if mirrored else f"baseurl={url}"]
            lines += ["enabled=1", "skip_if_unavailable=0", f"gpgcheck={int(self.gpgcheck)}"]
            lines += [f"gpgkey=file://{self.key}"] if self.key else []
            lines += [f"{setting}={value}" for setting, value in self.settings]
        (beside / "dnf.conf").write_text("\n".join([*lines, ""]))
        return beside / "dnf.conf"


def dnf_install(
    root: Path,
    url: str,
    names: Sequence[str],
    key: Path | None = None,
    *,
    gpgcheck: bool = True,
    arch: str = "",
    settings: Mapping[str, str] | None = None,
) -> frozenset[str]:
    """Install from one repository into a root; return the full names of all that is installed then, or DnfError."""
    client = DnfClient(root, {"test": url}, key, gpgcheck, arch, settings=tuple((settings or {}).items()))
    return client.install(*names)


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DNF_WITHIN_S,
        check=False,
    )
    if done.returncode != 0:
        raise DnfError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout
