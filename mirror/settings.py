"""What `mirror serve` was asked for, as one frozen value. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_ROOT = "/opt"
DEFAULT_HTTP_PORT = 8088
DEFAULT_FTP_PORT = 21
DEFAULT_PASSIVE_PORTS = (21100, 21299)
DEFAULT_USER = "nobody"
DEFAULT_GRACE_S = 30.0
DEFAULT_FTP_CONNECTIONS = 200
LogFormat = Literal["combined", "json"]
Network = IPv4Network | IPv6Network


class ListenAddress(NamedTuple):
    """Where to listen; an empty host means every address, IPv6 and IPv4."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host or '*'}:{self.port}"


DEFAULT_HTTP = ListenAddress("", DEFAULT_HTTP_PORT)
DEFAULT_FTP = ListenAddress("", DEFAULT_FTP_PORT)


class TlsFiles(NamedTuple):
    """PEM files: the certificate with its chain, and its key (which may be the same file)."""

    certificate: Path
    key: Path


class ShareOption(NamedTuple):
    """`--share /PATH=DIR`; the path without slashes at its ends, "" for a root that is served as it is."""

    path: str
    directory: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """The command line of `mirror serve`.

    Arguments:
        root: the directory that holds one bundle, or bundles one level below.
        http, ftp: None for `off`.
        registry: a further place of HTTP's where only the registry is answered; None for none.
        workers: processes of each protocol.
        tls: certificate for HTTPS and for FTPS; the HTTP port then speaks TLS only.
        users: an htpasswd file of bcrypt lines, or None for anyone.
        passive_ports: first and last port of FTP's data connections.
        public_address: IPv4 address that FTP tells its clients, "" for the one that they reached.
        rate_limit: bytes per second for everything together, None for no limit.
        allow: networks that may connect, empty for all; loopback may always.
        shares: further directories, not verified.
        all_files: the root holds no bundle and is served as it is.
        user: whom the workers become when the mirror was started as root.
        access_log: a file, `-` for stdout, None for none.
        verify: compare every digest before serving, and ask for signatures.
        keys: public keys, one of which has to have signed, instead of those that this host trusts.
        allow_unsigned: whether what nobody whom this host trusts has signed is served all the same.
        grace_s: how long a transfer may go on after SIGTERM, in seconds.
        ftp_connections: how many FTP connections one address may hold at once.
    """

    root: Path
    http: ListenAddress | None = DEFAULT_HTTP
    ftp: ListenAddress | None = DEFAULT_FTP
    registry: ListenAddress | None = None
    workers: int = 1
    tls: TlsFiles | None = None
    users: Path | None = None
    passive_ports: tuple[int, int] = DEFAULT_PASSIVE_PORTS
    public_address: str = ""
    rate_limit: int | None = None
    allow: tuple[Network, ...] = ()
    shares: tuple[ShareOption, ...] = ()
    all_files: bool = False
    user: str = DEFAULT_USER
    access_log: Path | Literal["-"] | None = None
    log_format: LogFormat = "combined"
    verify: bool = False
    keys: tuple[Path, ...] = ()
    allow_unsigned: bool = False
    grace_s: float = DEFAULT_GRACE_S
    ftp_connections: int = DEFAULT_FTP_CONNECTIONS
