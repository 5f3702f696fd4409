"""The certificate with which cloudcore serves logs and exec: whether it is whole, of the cluster, and for whom.

openssl judges; EL7's has neither `-ext` nor, always, a status that says that verifying failed.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.interface import CommandResult, Host

# a month, in which somebody will have looked
_LEFT_S = 30 * 24 * 3600
_WITHIN_S = 30.0
_ADDRESS = re.compile(r"IP Address:([0-9A-Fa-f:.]+)")


@dataclass(frozen=True, slots=True)
class StreamPair:
    """Three files: the cluster's authority, the certificate, its key."""

    authority: str
    certificate: str
    key: str

    def faults(self, host: Host, addresses: Sequence[str], cluster_ca: str) -> list[str]:
        """Return what is wrong with it, as sentences without the file's name.

        Arguments:
            addresses: IP addresses that the certificate has to be for.
            cluster_ca: the cluster's authority as it is now.
        """
        absent = [path for path in (self.authority, self.certificate, self.key) if not host.read(path)]
        if absent:
            return [tr("{path} is missing or empty", path=path) for path in absent]
        faults = [
            *self._chain_faults(host),
            *self._key_faults(host),
            *self._address_faults(host, addresses),
        ]
        if host.exists(cluster_ca) and host.digest(cluster_ca) != host.digest(self.authority):
            faults.append(
                tr(
                    "{authority} is not the cluster's authority of now ({cluster_ca})",
                    authority=self.authority,
                    cluster_ca=cluster_ca,
                )
            )
        return faults

    def _chain_faults(self, host: Host) -> list[str]:
        faults = []
        verified = _openssl(host, "verify", "-CAfile", self.authority, self.certificate)
        if verified.code != 0 or not verified.stdout.strip().endswith("OK"):
            faults.append(
                tr("{certificate} is not signed by {authority}", certificate=self.certificate, authority=self.authority)
            )
        if _openssl(host, "x509", "-in", self.certificate, "-noout", "-checkend", str(_LEFT_S)).code != 0:
            faults.append(
                tr(
                    "{certificate} ends within {left_s} days, or has ended",
                    certificate=self.certificate,
                    left_s=_LEFT_S // 86400,
                )
            )
        return faults

    def _key_faults(self, host: Host) -> list[str]:
        public = _openssl(host, "x509", "-in", self.certificate, "-noout", "-pubkey")
        private = _openssl(host, "pkey", "-in", self.key, "-pubout")
        same = public.code == private.code == 0 and public.stdout.strip() == private.stdout.strip()
        return [] if same else [tr("{key} is not the key of {certificate}", key=self.key, certificate=self.certificate)]

    def _address_faults(self, host: Host, addresses: Sequence[str]) -> list[str]:
        text = _openssl(host, "x509", "-in", self.certificate, "-noout", "-text").stdout
        there = {ipaddress.ip_address(address) for address in _ADDRESS.findall(text)}
        missing = [address for address in addresses if ipaddress.ip_address(address) not in there]
        return (
            [tr("{certificate} is not for {missing}", certificate=self.certificate, missing=", ".join(missing))]
            if missing
            else []
        )


def _openssl(host: Host, *words: str) -> CommandResult:
    return host.run(("openssl", *words), within_s=_WITHIN_S)
