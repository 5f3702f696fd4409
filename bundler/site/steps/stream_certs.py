"""The certificate for logs and exec, made by KubeEdge's certgen.sh, which destroys the working one when it fails.

So it works in a directory of ours, with a copy of the cluster's certificate beside which it leaves its serial number;
what it has made is judged, and only then takes the old one's place. The guide appends to top.so and sources it.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bundler.host.changes import Unrecorded, failed_command
from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.foreseen_files import Foreseen
from bundler.site.edits.kubeedge_yaml import advertised_addresses
from bundler.site.installer import STATE
from bundler.site.kubeedge.stream_pair import StreamPair
from bundler.site.kubeedge_places import (
    CERTGEN,
    CLUSTER_CA,
    CLUSTER_CA_KEY,
    STREAM_CA,
    STREAM_CERT,
    STREAM_KEY,
)
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host

PAIR = StreamPair(STREAM_CA, STREAM_CERT, STREAM_KEY)
_SCRATCH = f"{STATE}/cloud/stream"
# certgen.sh has this one name for it
_EXTENSIONS = "/tmp/server-extfile.cnf"  # noqa: S108 - the script's
_MODES = {"authority": 0o644, "certificate": 0o644, "key": 0o600}
_NO_PROGRAM = 127


class StreamCerts(Step):
    """Made when it is absent, near its end, broken, or for other addresses."""

    name = "stream-certs"
    title = tr("the certificate for logs and exec")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Name what certgen.sh needs."""
        if not at.config.kubeedge.stream or not lacking(at, at.host):
            return ()
        remedy = tr("Run this on the host that has it, or turn the streams off: kubeedge.stream in site.yaml.")
        found = [
            StepFinding("cluster-ca-missing", tr("the cluster's authority is not here"), path, remedy)
            for path in (CLUSTER_CA, CLUSTER_CA_KEY)
            if not at.host.exists(path)
        ]
        if at.host.run(("openssl", "version")).code == _NO_PROGRAM:
            found.append(StepFinding("openssl-missing", tr("is not installed"), "openssl", tr("Install it.")))
        return found

    def changes(self, at: StepContext) -> Sequence[Change]:
        """Nothing where the site has no streams."""
        if not at.config.kubeedge.stream:
            return ()
        right = partial(_is_right, at)
        files = (Foreseen(STREAM_CA, right), Foreseen(STREAM_CERT, right), Foreseen(STREAM_KEY, right))
        return (*files, MakeStreamPair(advertised_addresses(at.config)))


def lacking(at: StepContext, host: Host) -> list[str]:
    """Return what is wrong with the certificate that is in place."""
    return PAIR.faults(host, advertised_addresses(at.config), CLUSTER_CA)


def _is_right(at: StepContext, host: Host) -> bool:
    return not lacking(at, host)


@dataclass(frozen=True, slots=True)
class MakeStreamPair(Unrecorded):
    """A new certificate for some IP addresses, put in the old one's place when it is right."""

    addresses: tuple[str, ...]

    @property
    def title(self) -> str:
        """The command as it would be typed, without where it works."""
        return f"CLOUDCOREIPS='{' '.join(self.addresses)}' {CERTGEN} stream"

    def describe(self, host: Host) -> str:
        """Return the command, and why it is run."""
        return "\n".join([self.title, *(f"    # {fault}" for fault in self._faults(host))])

    def is_done(self, host: Host) -> bool:
        """Judge what is there; a key that an interruption has left where it was made is not left there."""
        return not self._faults(host) and not host.exists(_SCRATCH)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[str, ...]:
        """Make it apart, judge it, and put it in place; where that is done, clear up."""
        del ours, force
        if not self._faults(host):
            _clear(host)
            return ()
        made = StreamPair(f"{_SCRATCH}/ca/streamCA.crt", f"{_SCRATCH}/certs/stream.crt", f"{_SCRATCH}/certs/stream.key")
        try:
            self._make(host)
            if faults := made.faults(host, self.addresses, CLUSTER_CA):
                what = tr("certgen.sh has made what cannot be used; the old one stays")
                failure = ChangeFailure(Reason.COMMAND_FAILED, what, where=CERTGEN, lines=tuple(faults))
                raise ChangeFailedError(failure)
            for part, mode in _MODES.items():
                host.write(getattr(PAIR, part), host.read(getattr(made, part)) or b"", mode)
        finally:
            _clear(host)
        return (STREAM_CA, STREAM_CERT, STREAM_KEY)

    def _make(self, host: Host) -> None:
        _clear(host)
        for name in ("ca", "certs", "cluster"):
            host.make_directory(f"{_SCRATCH}/{name}", 0o700)
        host.copy(CLUSTER_CA, f"{_SCRATCH}/cluster/ca.crt", 0o644)
        environment = {
            "CA_PATH": f"{_SCRATCH}/ca",
            "CERT_PATH": f"{_SCRATCH}/certs",
            "CLOUDCOREIPS": " ".join(self.addresses),
            "K8SCA_FILE": f"{_SCRATCH}/cluster/ca.crt",
            "K8SCA_KEY_FILE": CLUSTER_CA_KEY,
        }
        command = (CERTGEN, "stream")
        done = host.run(command, environment=environment)
        if done.code != 0:
            raise ChangeFailedError(
                failed_command(command, done, remedy=tr("The old certificate stays. Mend it, then again."))
            )

    def _faults(self, host: Host) -> list[str]:
        return PAIR.faults(host, self.addresses, CLUSTER_CA)


def _clear(host: Host) -> None:
    """Remove what certgen.sh has left; what lies in /tmp could be anybody's when it begins."""
    host.remove(_EXTENSIONS)
    for name in ("ca", "certs", "cluster"):
        for file in host.names(f"{_SCRATCH}/{name}"):
            host.remove(posixpath.join(_SCRATCH, name, file))
        host.remove_directory(f"{_SCRATCH}/{name}")
    host.remove_directory(_SCRATCH)
