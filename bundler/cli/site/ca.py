"""`bundler site ca`: the site's own authority, and the registry's certificate by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.options import json_option
from bundler.cli.site.site_options import config_option, load_site
from bundler.host.local_host import LocalHost
from bundler.site.applying import StepListener, apply_site
from bundler.site.authority import SiteAuthority
from bundler.site.certificates import summary
from bundler.site.registry_files import AUTHORITY, REGISTRY_CERTIFICATE
from bundler.site.step import StepContext
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json
    from bundler.site.certificates import CertificateSummary

_FILES = {"authority": AUTHORITY, "certificate": REGISTRY_CERTIFICATE}


@click.command()
@config_option
@json_option
def ca(config: Path | None, as_json: bool) -> None:
    """Make the site's authority once, and the registry's certificate whenever it ends soon or lacks a name.

    The key, /etc/bundler/ca/ca.key, is root's alone and never leaves this host; ca.crt is what clients are to trust.
    A second time it changes nothing. The step `harbor` does the same where it needs it.
    """
    site, here = load_site(config), LocalHost()
    listener = StepListener(lambda *_: None, console.remark, lambda _: None)
    reports = apply_site(StepContext(here, site, site.cloud), "cloud", (SiteAuthority(),), listener)
    made = any(report.changed for report in reports)
    found = {name: summary(here.read(path) or b"") for name, path in _FILES.items()}
    lines = [
        tr("{files}: until {end:%Y-%m-%d}, SHA-256 {sha256}", files=_FILES[name], end=one.end, sha256=one.sha256)
        for name, one in found.items()
    ]
    value: dict[str, Json] = {"changed": made, **{name: _value(name, one) for name, one in found.items()}}
    console.answer(lines, value, schema="bundler.site-ca/1", as_json=as_json)


def _value(name: str, found: CertificateSummary) -> dict[str, Json]:
    return {
        "file": _FILES[name],
        "subject": found.subject,
        "names": list(found.names),
        "begin": f"{found.begin:%Y-%m-%d}",
        "end": f"{found.end:%Y-%m-%d}",
        "sha256": found.sha256,
    }
