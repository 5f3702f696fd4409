"""Whether this host has joined this site, and where its certificates are from. Looks at its files alone.

edgecore fetches the cloud's authority once, holds it to the first part of its token, and from then on trusts what it
finds in ca/ and certs/ without asking the token again: certificates of another join make any token "work". The token
stays in edgecore.yaml, so what it says of the authority can be held against what is there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

from bundler.manifest.yaml_edit import read_plain, value_at
from bundler.site.edits.kubeedge_yaml import TOKEN, joins
from bundler.site.kubeedge_places import (
    EDGE_CA,
    EDGE_CERT,
    EDGE_KEY,
    EDGECORE,
    EDGECORE_YAML,
    KUBEEDGE,
    go_name,
    tree_name,
)
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.host.interface import Host
    from bundler.site.step import StepContext

_SHOWN = 12


def certificates_lack(at: StepContext) -> str:
    """Return "" when the certificates here are those of this node's join to this cloud host, else why not."""
    content = at.host.read(EDGECORE_YAML)
    if content is None:
        return tr("it has not joined yet")
    try:
        document = read_plain(content)
    except ValueError as error:
        return f"{EDGECORE_YAML}: {error}"
    if other := joins(document, at.config, at.this):
        return other
    if absent := [path for path in (EDGE_CA, EDGE_CERT, EDGE_KEY) if not at.host.read(path)]:
        return tr("{absent} is missing", absent=absent[0])
    wanted = str(value_at(document, TOKEN) or "").partition(".")[0]
    if (found := authority_digest(at.host)) != wanted:
        return tr(
            "its authority ({found}…) is not that of its token ({wanted}…)",
            found=found[:_SHOWN],
            wanted=wanted[:_SHOWN],
        )
    return ""


def join_lacks(at: StepContext) -> str:
    """Return "" when this host has joined with the site's version of KubeEdge, else why not."""
    if lacking := certificates_lack(at):
        return lacking
    tree = tree_name(at.config.kubeedge.version, go_name(at.host.machine()))
    unpacked, placed = at.host.status(f"{KUBEEDGE}/{tree}/edge/edgecore"), at.host.status(EDGECORE)
    # a cut of the power may leave files that are empty
    if unpacked is None or placed is None or not placed.size or unpacked.size != placed.size:
        return tr("{edgecore} is not that of KubeEdge {version}", edgecore=EDGECORE, version=at.config.kubeedge.version)
    return ""


def authority_digest(host: Host) -> str:
    """Return the SHA-256, in hex, of the cloud's authority as this edge has it; "" where it has none."""
    content = host.read(EDGE_CA)
    if content is None:
        return ""
    lines = content.strip().splitlines()
    if lines and lines[0].startswith(b"-----BEGIN"):
        try:
            content = base64.b64decode(b"".join(lines[1:-1]), validate=True)
        except binascii.Error:
            return ""
    return hashlib.sha256(content).hexdigest()
