"""What the master gives an edge whose code counts, gathered at that moment; how to get a token is handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.json_value import load_foreign
from bundler.site.invitation.join_message import JoinAnswer
from bundler.site.invitation.public_part import public_part
from bundler.site.registry_files import PULL_LOGIN, trusted_file
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bundler.host.interface import Host
    from bundler.model.json_value import Json
    from bundler.site.config.model import SiteConfig


def join_answer(master: Host, config: SiteConfig, *, edge: str, bundle: str, token: Callable[[], str]) -> JoinAnswer:
    """Return what an edge gets. Raises what `token` raises, StorageError."""
    return JoinAnswer(
        host=edge,
        site=public_part(config),
        registry_ca=_authority(master, config),
        docker_config=None if config.registry.public else _login(master),
        bundle=bundle,
        token=token().strip(),
    )


def offering_lacks(master: Host, config: SiteConfig) -> list[str]:
    """Return what edges will want and the master does not have yet, a sentence each with what to do."""
    lacking = []
    if (path := trusted_file(config)) and not master.exists(path):
        lacking.append(
            tr("{path}: the registry's authority is not here yet; run `bundler site apply cloud` first", path=path)
        )
    if not config.registry.public and _login(master) is None:
        step = tr("`bundler site apply cloud --only images`")
        make = (
            step
            if config.registry.kind == "harbor"
            else tr("`bundler robot create` with `-o {pull_login}`", pull_login=PULL_LOGIN)
        )
        lacking.append(
            tr(
                "{pull_login}: the login that edges pull with is not here yet; make it by {make}",
                pull_login=PULL_LOGIN,
                make=make,
            )
        )
    return lacking


def _authority(master: Host, config: SiteConfig) -> str:
    path = trusted_file(config)
    found = master.read(path) if path else None
    return "" if found is None else found.decode("ascii", "replace")


def _login(master: Host) -> Mapping[str, Json] | None:
    found = master.read(PULL_LOGIN)
    if found is None:
        return None
    try:
        value = load_foreign(found)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
