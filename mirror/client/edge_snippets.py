"""An edge node's part of the bundle, fetched and verified by the mirror's edge.sh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirror.client.edge_script import EDGE_SCRIPT
from mirror.client.reach import Snippet
from mirror.client.wording import curl, curl_remarks, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mirror.client.offer import Offer
    from mirror.client.reach import Reach

_PLAIN = (
    "# Whoever can change what comes over plain HTTP can change the script, its sums and the id below as well. What",
    "# finds him is an id that came another way: the one that `bundler inspect` told where the bundle was made.",
)


def edge_snippets(offer: Offer, reach: Reach) -> Iterator[Snippet]:
    """Yield how to fetch the script and run it, where the mirror speaks HTTP."""
    if not reach.http_url:
        return
    options = " --ca-file FILE.pem" if reach.tls else ""
    options += " --netrc-file ~/.netrc" if reach.login else ""
    lines = [
        "# Brings this node, below /opt, the tool for its machine and the files for edges, each held to its sum.",
        "# Run again, it does nothing, or goes on where it was cut short. It needs sh and curl, wget or busybox.",
        *(() if reach.tls else _PLAIN),
        *curl_remarks(reach),
        f"{curl(reach, 'http')} -o {EDGE_SCRIPT} {word(f'{reach.http_url}/-/{EDGE_SCRIPT}')}",
        f"sh {EDGE_SCRIPT} --id {offer.bundle_id}{options}",
        "",
    ]
    yield Snippet(
        name="edge-node.sh",
        tool="edge",
        title="An edge node's part of the bundle, held to its id and digests",
        title_zh="边缘节点所需的部分，按标识和摘要校验",
        text="\n".join(lines),
        commands=True,
    )
