"""`mirror serve`: one unpacked bundle, or several, over HTTP and FTP."""

from __future__ import annotations

import copy
import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from bundler import console
from bundler.console import FILE
from bundler.shell_completion import complete_files
from bundler.translation import tr
from mirror.cli.options import networks, option, root_option
from mirror.settings import (
    DEFAULT_FTP,
    DEFAULT_FTP_CONNECTIONS,
    DEFAULT_GRACE_S,
    DEFAULT_HTTP,
    DEFAULT_PASSIVE_PORTS,
    DEFAULT_USER,
    ListenAddress,
    Settings,
    ShareOption,
    TlsFiles,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mirror.tree.site_packing import SitePart

MAX_WORKERS = 64
MAX_PORT = 65535
MAX_GRACE_S = 24 * 3600


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MAX_PORT:
        raise click.BadParameter(tr("{text!r} is not a port", text=text))
    return int(text)


def _endpoint(_ctx: click.Context, _param: click.Parameter, value: str) -> ListenAddress | None:
    if value == "off":
        return None
    host, _, port = value.rpartition(":")
    if "]" in port or (":" in host and not (host.startswith("[") and host.endswith("]"))):
        raise click.BadParameter(tr("{value!r} is not HOST:PORT; write an IPv6 address as [::1]:8088", value=value))
    return ListenAddress(host.strip("[]") if host != "*" else "", _port(port))


def _passive_ports(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[int, int]:
    first, dash, last = value.partition("-")
    ports = (_port(first), _port(last if dash else first))
    if not 0 < ports[0] <= ports[1]:
        raise click.BadParameter(tr("{value!r} is not FIRST-LAST", value=value))
    return ports


def _public_address(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    try:
        # what PASV can tell is an IPv4 address (RFC 959)
        return str(ipaddress.IPv4Address(value)) if value else ""
    except ValueError as error:
        raise click.BadParameter(tr("{value!r} is not an IPv4 address", value=value)) from error


def _shares(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[ShareOption, ...]:
    shares = []
    for value in values:
        path, equals, directory = value.partition("=")
        name = "/".join(segment for segment in path.split("/") if segment)
        if not equals or not path.startswith("/") or not name or not directory:
            raise click.BadParameter(tr("{value!r} is not /PATH=DIR", value=value))
        shares.append(ShareOption(name, Path(directory)))
    return tuple(shares)


def _seconds(_ctx: click.Context, _param: click.Parameter, value: float) -> float:
    # neither nan nor inf is
    if not 0 <= value <= MAX_GRACE_S:
        raise click.BadParameter(
            tr("{value} is not a number from 0 to {max_grace_s}", value=value, max_grace_s=MAX_GRACE_S)
        )
    return value


def _tls(certificate: Path | None, key: Path | None) -> TlsFiles | None:
    if certificate is None and key is None:
        return None
    if certificate is None:
        raise click.UsageError(tr("--tls-key needs --tls-cert"))
    return TlsFiles(certificate, key or certificate)


@click.command()
@root_option
@option(
    "--http",
    default=str(DEFAULT_HTTP),
    show_default=True,
    callback=_endpoint,
    metavar="HOST:PORT",
    help=tr("Where HTTP listens; `off` for nowhere."),
)
@option(
    "--ftp",
    default=str(DEFAULT_FTP),
    show_default=True,
    callback=_endpoint,
    metavar="HOST:PORT",
    help=tr("Where FTP listens; `off` for nowhere."),
)
@option(
    "--registry",
    default="off",
    show_default=True,
    callback=_endpoint,
    metavar="HOST:PORT",
    help=tr("A further port where only the images are, /v2/; the port of --http has them as well."),
)
@option(
    "--workers",
    type=click.IntRange(1, MAX_WORKERS),
    default=lambda: len(os.sched_getaffinity(0)),
    show_default=tr("one per core"),
    help=tr("Processes for each protocol."),
)
@option("--tls-cert", type=FILE, help=tr("PEM file: HTTP speaks TLS only, FTP on demand."))
@option("--tls-key", type=FILE, help=tr("PEM file of its key, when that is not in the same file."))
@option("--users", type=FILE, help=tr("htpasswd file (bcrypt) of those who may read; everybody without it."))
@option(
    "--passive-ports",
    default="{}-{}".format(*DEFAULT_PASSIVE_PORTS),
    show_default=True,
    callback=_passive_ports,
    metavar="A-B",
    help=tr("Ports of FTP's data connections."),
)
@option(
    "--public-address",
    default="",
    callback=_public_address,
    metavar="IP",
    help=tr("IPv4 address that FTP clients are told, behind a NAT."),
)
@option("--rate-limit", type=click.IntRange(1024), metavar="BYTES/S", help=tr("For everything together."))
@option(
    "--allow",
    multiple=True,
    callback=networks,
    metavar="CIDR",
    help=tr("Only these networks may connect, and loopback (repeatable)."),
)
@option(
    "--share",
    multiple=True,
    callback=_shares,
    metavar="/PATH=DIR",
    help=tr("Serve a further directory as it is, not verified (repeatable)."),
)
@option("--all-files", is_flag=True, help=tr("Serve a root that holds no bundle, as it is."))
@option("--user", default=DEFAULT_USER, show_default=True, help=tr("Whom the workers become when started as root."))
@option(
    "--access-log",
    metavar="FILE",
    shell_complete=complete_files,
    help=tr("A line for every answer; `-` is stdout. SIGUSR1 opens it anew."),
)
@option(
    "--log-format",
    type=click.Choice(["combined", "json"]),
    default="combined",
    show_default=True,
    help=tr("How the access log's lines look."),
)
@option(
    "--verify",
    is_flag=True,
    help=tr("Compare every digest before serving and before a reload takes over, and ask for signatures."),
)
@option(
    "--key",
    "keys",
    type=FILE,
    multiple=True,
    metavar="PEM",
    help=tr(
        "With --verify: a public key, one of which has to have signed, instead of those of /etc/bundler/trusted.d "
        "(repeatable)."
    ),
)
@option("--allow-unsigned", is_flag=True, help=tr("With --verify: serve what nobody whom this host trusts has signed."))
@option(
    "--grace",
    type=float,
    callback=_seconds,
    default=DEFAULT_GRACE_S,
    show_default=True,
    metavar="SECONDS",
    help=tr("How long transfers may go on after SIGTERM."),
)
@option(
    "--ftp-connections",
    type=click.IntRange(1),
    default=DEFAULT_FTP_CONNECTIONS,
    show_default=True,
    help=tr("FTP connections that one address may hold at once."),
)
def serve(**given: Any) -> None:
    """Serve unpacked bundles over HTTP and FTP: only what they list, and only while it is unchanged.

    Started as root it binds its ports and goes on without rights. A bundle that is unpacked beside, activated or
    removed is followed within seconds; SIGHUP takes over new certificates and users too. No connection is dropped.
    """
    from mirror.supervisor.serve import serve as run_mirror

    settings = _settings(**given)
    run_mirror(settings, _runs(settings), _parts(settings), say=console.say, warn=console.warn)


def serve_settings(arguments: Sequence[str]) -> Settings:
    """Return what a command line of `mirror serve` asks for; a usage error when it is wrong.

    The environment has no say: whoever starts the mirror with this command line later will have another one.
    """
    plain = copy.copy(serve)
    # what is told beside the answer is the journal's of a service
    plain.params = [copy.copy(parameter) for parameter in serve.params if parameter.expose_value]
    for parameter in plain.params:
        parameter.envvar = None
    return _settings(**plain.make_context("mirror serve", list(arguments)).params)


def _settings(
    tls_cert: Path | None, tls_key: Path | None, share: tuple[ShareOption, ...], all_files: bool, grace: float,
    access_log: str | None, root: Path, **given: Any,
) -> Settings:  # fmt: skip
    if given["http"] is None and given["ftp"] is None and given["registry"] is None:
        raise click.UsageError(tr("with --http off and --ftp off nothing would be served"))
    if given["keys"] and not given["verify"]:
        raise click.UsageError(tr("--key needs --verify: without it nothing is asked of a bundle"))
    return Settings(
        root=root,
        tls=_tls(tls_cert, tls_key),
        shares=(*share, *([ShareOption("", root)] if all_files else [])),
        all_files=all_files,
        grace_s=grace,
        access_log=_access_log(access_log),
        **given,
    )


def _access_log(name: str | None) -> Path | Literal["-"] | None:
    if not name:
        return None
    return "-" if name == "-" else Path(name)


def _runs(settings: Settings) -> dict[str, Any]:
    """Return what serves each protocol; loaded before the first fork, so that the workers share its pages."""
    runs: dict[str, Any] = {}
    if settings.http is not None or settings.registry is not None:
        from mirror.http.worker import run as run_http

        runs["http"] = run_http
    if settings.ftp is not None:
        from mirror.ftp.worker import run as run_ftp

        runs["ftp"] = run_ftp
    return runs


def _parts(settings: Settings) -> Callable[[], Sequence[SitePart]]:
    """Return what makes the parts of a packed site that the protocols need: FTP has no use for any."""
    if settings.http is None and settings.registry is None:
        return tuple
    from mirror.http.site_parts import site_parts

    return site_parts
