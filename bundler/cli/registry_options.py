"""The registry of a command: the options for its address and credentials, and the clients for it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

from bundler import console
from bundler.cli.options import FILE, option
from bundler.errors import ErrorId, PublishError
from bundler.model.reference import Reference
from bundler.net.harbor.login_doubt import LoginDoubt
from bundler.net.harbor.projects import HarborApi
from bundler.net.http.direct_transport import DirectTransport
from bundler.net.http.observed_transport import ObservedTransport
from bundler.net.http.tls_trust import Trust
from bundler.net.outage import Outage
from bundler.net.registry.concurrency_limit import AdaptiveLimit
from bundler.net.registry.credentials import Logins, OneLogin, RegistryLogin
from bundler.net.registry.docker_config import DockerLogins
from bundler.net.registry.push import RegistryPusher
from bundler.net.retry import Retry
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bundler.errors import SourceError
    from bundler.model.progress import Progress
    from bundler.model.robot import RobotLogin
    from bundler.net.http.transport import RequestsTransport

F = TypeVar("F", bound="Callable[..., Any]")
PASSWORD_VARIABLE = "BUNDLER_PASSWORD"  # noqa: S105 - its name
MAX_PASSWORD_BYTES = 64 * 1024
# a registry of the site is near; a name may have two addresses, and each is tried for so long
CONNECT_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class RegistryOptions:
    """The registry's address, how it is reached, and the account. `wait` is in seconds."""

    host: str
    plain_http: bool
    ca_file: Path | None
    insecure: bool
    username: str | None
    password_stdin: bool
    wait: float


def _registry(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if "://" in value or "/" in value:
        raise click.BadParameter(
            tr("{value!r} is no HOST or HOST:PORT; write it as in the name of an image", value=value)
        )
    try:
        return Reference(value, "any", "any").host
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


registry_option = option(
    "--registry", required=True, callback=_registry, metavar="HOST[:PORT]", help=tr("The registry, Harbor or another.")
)
connection_options = (
    option(
        "--plain-http", is_flag=True, help=tr("Speak HTTP to the registry; anybody in between can read and change it.")
    ),
    option("--ca-file", type=FILE, help=tr("PEM file of authorities to trust beside the system's.")),
    option("--insecure", is_flag=True, help=tr("Accept any certificate of the registry.")),
    option("--username", help=tr("The account; otherwise what `docker login` has stored.")),
    option("--password-stdin", is_flag=True, help=tr("Read the password from stdin; otherwise from BUNDLER_PASSWORD.")),
    option(
        "--wait",
        type=click.FloatRange(0),
        default=0,
        show_default=True,
        metavar="SECONDS",
        help=tr("How long to wait for the registry, and for Harbor to be healthy."),
    ),
)


def connected(command: F) -> F:
    """Add `connection_options` to a command."""
    for decorate in reversed(connection_options):
        command = decorate(command)
    return command


def gathered_registry(given: dict[str, Any]) -> RegistryOptions:
    """Remove the values of `registry_option` and `connection_options` from a command's arguments, and return them.

    Raises click.UsageError when they contradict each other.
    """
    names = ("registry", "plain_http", "ca_file", "insecure", "username", "password_stdin", "wait")
    options = RegistryOptions(*(given.pop(name) for name in names))
    if options.plain_http and (options.insecure or options.ca_file):
        raise click.UsageError(tr("--plain-http knows no certificates: leave --insecure and --ca-file out."))
    if options.ca_file and not options.ca_file.is_file():
        raise click.UsageError(tr("--ca-file {ca_file}: there is no such file", ca_file=options.ca_file))
    return options


@dataclass(frozen=True, slots=True)
class OpenRegistry:
    """The clients for a registry, and the credentials.

    Arguments:
        pusher: for the registry itself.
        harbor: for Harbor's own API, where it is a Harbor.
        accepts: tells whether the registry accepts other credentials.
    """

    pusher: RegistryPusher
    harbor: HarborApi
    logins: Logins
    accepts: Callable[[RobotLogin], bool]


@contextmanager
def open_registry(options: RegistryOptions, progress: Progress, *, jobs: int = 1) -> Iterator[OpenRegistry]:
    """Create the clients for a registry.

    Arguments:
        progress: is told when the registry is waited for.
        jobs: how many requests are sent at once.
    """
    trust = Trust(
        str(options.ca_file) if options.ca_file else None,
        frozenset({options.host, urlsplit(f"//{options.host}").hostname or ""}) if options.insecure else frozenset(),
    )
    direct = DirectTransport(lambda: _requests_transport(trust), trust, connect_timeout_s=CONNECT_TIMEOUT_S)
    transport = ObservedTransport(direct, console.request_log())
    logins, retry = _logins(options), Retry(outage=Outage(progress.note))

    def doubt(error: SourceError) -> str:
        return doubts.why(error)

    def pusher_of(logins: Logins) -> RegistryPusher:
        return RegistryPusher(
            options.host,
            transport,
            plain_http=options.plain_http,
            logins=logins,
            retry=retry,
            limit=AdaptiveLimit(jobs),
            doubt=doubt,
            announce=progress.note,
        )

    def accepts(login: RobotLogin) -> bool:
        given = RegistryLogin(login.username, login.secret, tr("the file"))
        try:
            pusher_of(OneLogin(options.host, given)).check()
        except PublishError as error:
            if error.id != ErrorId.PUSH_UNAUTHORIZED:
                raise
            return False
        return True

    try:
        pusher = pusher_of(logins)
        harbor = HarborApi(lambda: pusher.endpoint, transport, logins, retry)
        doubts = LoginDoubt(harbor)
        yield OpenRegistry(pusher, harbor, logins, accepts)
    finally:
        transport.close()


def _requests_transport(trust: Trust) -> RequestsTransport:
    # requests takes a tenth of a second to load: not before there is something to send
    from bundler.net.http.transport import RequestsTransport

    return RequestsTransport(trust, connect_timeout_s=CONNECT_TIMEOUT_S)


def _logins(options: RegistryOptions) -> Logins:
    """Return the given credentials, else those that `docker login` has stored."""
    if options.username is None:
        if options.password_stdin:
            raise click.UsageError(tr("--password-stdin wants --username"))
        return DockerLogins(os.environ, default_port=80 if options.plain_http else 443)
    if options.password_stdin:
        # the registry gets the bytes as they were typed, in any encoding
        typed = sys.stdin.buffer.read(MAX_PASSWORD_BYTES).decode(errors="surrogateescape")
        secret, found_in = typed.removesuffix("\n").removesuffix("\r"), "--password-stdin"
    else:
        secret, found_in = os.environ.get(PASSWORD_VARIABLE, ""), PASSWORD_VARIABLE
    if not secret:
        raise click.UsageError(
            tr(
                "--username wants a password: give --password-stdin or {password_variable}",
                password_variable=PASSWORD_VARIABLE,
            )
        )
    return OneLogin(options.host, RegistryLogin(options.username, secret, found_in))
