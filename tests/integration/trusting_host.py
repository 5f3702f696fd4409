"""A host whose /etc and /var/lib are a test's own, so that it can trust whom the test likes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.contract.checkout import ROOT
from tests.unit.trust.signers import signer

if TYPE_CHECKING:
    from pathlib import Path

_OWN = 'mount --bind "$0/etc" /etc && mount --bind "$0/lib" /var/lib && exec "$@"'
WITHIN_S = 120


@dataclass(frozen=True, slots=True)
class TrustingHost:
    """The host; `directory` holds its own /etc and /var/lib."""

    directory: Path

    @classmethod
    def made(cls, directory: Path) -> TrustingHost:
        """Make one that trusts nobody."""
        shutil.copytree("/etc", directory / "etc", symlinks=True, ignore=lambda *_: ["docker", "bundler"])
        (directory / "lib").mkdir()
        return cls(directory)

    def trust(self, *names: str, policy: dict[str, Any] | None = None) -> None:
        """Let it trust these, and nobody else."""
        trusted = self.trusted
        shutil.rmtree(trusted, ignore_errors=True)
        trusted.mkdir(parents=True)
        for name in names:
            (trusted / f"{name}.pem").write_bytes(signer(name).key.pem)
        if policy is not None:
            (trusted / "policy.json").write_text(json.dumps(policy, indent=2))

    @property
    def trusted(self) -> Path:
        """Its trusted.d."""
        return self.directory / "etc/bundler/trusted.d"

    @property
    def seen(self) -> Path:
        """Where it keeps which releases were brought in."""
        return self.directory / "lib/kubeedge-bundler/seen.json"

    def run(self, *command: object, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program on it."""
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", _OWN, str(self.directory), *map(str, command)],
            cwd=self.directory,
            env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_S,
        )
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done

    def bundler(self, *words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run our tool on it."""
        return self.run(sys.executable, "-m", "bundler", *words, code=code)
