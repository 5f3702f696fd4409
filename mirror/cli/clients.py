"""`mirror clients`: what to type on the machines that this mirror is for."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.errors import ErrorId, ServeError
from bundler.translation import tr
from mirror.cli.options import json_option, option, root_option
from mirror.client.offer import OfferPart, offer_in
from mirror.client.reach import Reach
from mirror.client.snippets import client_snippets
from mirror.settings import DEFAULT_FTP_PORT, DEFAULT_HTTP_PORT
from mirror.tree.roots import open_root
from mirror.tree.site_loading import load_site

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json
    from mirror.client.offer import Offer
    from mirror.client.reach import Snippet
    from mirror.tree.site import Site

MAX_PORT = 65535
_HOST_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_.])?")


def _port(_ctx: click.Context, _param: click.Parameter, value: str) -> int | None:
    if value == "off":
        return None
    if not value.isascii() or not value.isdigit() or not 0 < int(value) <= MAX_PORT:
        raise click.BadParameter(tr("{value!r} is neither a port nor `off`", value=value))
    return int(value)


def _optional_port(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    return None if value is None else _port(ctx, param, value)


def _host(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    host = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        if _HOST_NAME.fullmatch(value):
            return value
    raise click.BadParameter(
        tr("{value!r} is neither a host's name nor an address; ports have options of their own", value=value)
    )


@click.command()
@click.argument("name", required=False)
@root_option
@option(
    "--host",
    default=socket.gethostname,
    show_default=tr("this host's name"),
    callback=_host,
    help=tr("How clients call the mirror."),
)
@option(
    "--http-port", default=str(DEFAULT_HTTP_PORT), show_default=True, callback=_port, help=tr("`off` without HTTP.")
)
@option("--ftp-port", default=str(DEFAULT_FTP_PORT), show_default=True, callback=_port, help=tr("`off` without FTP."))
@option("--registry-port", callback=_optional_port, help=tr("A port of the registry alone; without it that of HTTP."))
@option("--tls", is_flag=True, help=tr("The mirror speaks TLS."))
@option("--login", variable="MIRROR_CLIENTS_LOGIN", is_flag=True, help=tr("The mirror asks for a name and a password."))
@json_option
def clients(
    name: str | None, root: Path, host: str, http_port: int | None, ftp_port: int | None, registry_port: int | None,
    tls: bool, login: bool, as_json: bool,
) -> None:  # fmt: skip
    """Print what clients of a mirror type or put into files: yum, dnf, Docker, containerd, podman,
    curl.

    With NAME (`mirror clients yum-http.repo`) nothing but that text, to be written into a file. A running mirror serves
    the same below /-/client/.
    """
    snippets = _snippets(root, Reach(host, http_port, tls, ftp_port, login, registry_port))
    if name is not None:
        snippets = tuple(snippet for snippet in snippets if snippet.name == name) or _unknown(name, snippets)
    text = snippets[0].text.rstrip("\n") if name else "\n\n".join(map(_text, snippets))
    console.answer(text, _value(snippets), schema="mirror.clients/1", as_json=as_json)


def _snippets(root: Path, reach: Reach) -> tuple[Snippet, ...]:
    opened = open_root(root)
    try:
        return client_snippets(_offer(load_site(opened, (), parts=(OfferPart(),)), root), reach)
    finally:
        os.close(opened.descriptor)


def _offer(site: Site, root: Path) -> Offer:
    """Return what the bundle at `/` has. Raises ServeError (SERVE_ROOT_UNUSABLE) where there is none."""
    if (offer := offer_in(site)) is not None:
        return offer
    if site.bundles:
        what = tr("no bundle is current: clients would find nothing at `/`")
        remedy = tr("Choose one with `bundler activate NAME --root {root}`.", root=root)
    else:
        what = tr("it holds no bundle, so clients have nothing to fetch")
        remedy = tr(
            "Unpack one with `bundler unpack ARCHIVE -C {root}`, or name the mirror's root with --root.", root=root
        )
    why = "".join(f"; {problem}" for problem in site.problems)
    raise ServeError(ErrorId.SERVE_ROOT_UNUSABLE, f"{what}{why}", where=str(root), remedy=remedy)


def _unknown(name: str, snippets: tuple[Snippet, ...]) -> tuple[Snippet, ...]:
    raise click.UsageError(
        tr(
            "there is no {name!r}; there are: {snippets}",
            name=name,
            snippets=", ".join(snippet.name for snippet in snippets),
        )
    )


def _text(snippet: Snippet) -> str:
    place = f", {snippet.path}" if snippet.path else ""
    return f"## {snippet.name}{place}: {snippet.title}\n{snippet.text}".rstrip("\n")


def _value(snippets: tuple[Snippet, ...]) -> dict[str, Json]:
    return {
        "snippets": [
            {
                "name": snippet.name,
                "tool": snippet.tool,
                "title": snippet.title,
                "title_zh": snippet.title_zh,
                "commands": snippet.commands,
                "path": snippet.path,
                "text": snippet.text,
            }
            for snippet in snippets
        ]
    }
