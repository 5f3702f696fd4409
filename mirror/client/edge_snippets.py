"""An edge node: joined to the site with one line, or only its part of the bundle, by the mirror's edge.sh."""

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


# an edge of the site's own file; docs/site.md calls it so too
_EXAMPLE = "edge1"


def edge_snippets(offer: Offer, reach: Reach) -> Iterator[Snippet]:
    """Yield how to fetch the script and run it, where the mirror speaks HTTP."""
    if not reach.http_url:
        return
    if offer.joins_edges:
        yield _joining(reach)
    yield _files(offer, reach)


def _options(reach: Reach) -> str:
    """Return what edge.sh has to know beside its address."""
    options = " --ca-file FILE.pem" if reach.tls else ""
    return options + (" --netrc-file ~/.netrc" if reach.login else "")


def _joining(reach: Reach) -> Snippet:
    url = f"{reach.http_url}/-/{EDGE_SCRIPT}"
    # without brackets that curl could take for a pattern the line is that of `bundler site invite`
    begin = curl(reach, "http") if "[" in url else curl(reach, "http").replace("-gfsS", "-fsS")
    lines = [
        f"# On the master first: bundler site invite --host {_EXAMPLE}",
        "# It prints this line for the edge, and a code that the edge asks for. On the edge, as root:",
        *curl_remarks(reach),
        f"{begin} {word(url)} | sh -s -- --join --host {_EXAMPLE}{_options(reach)}",
        "",
    ]
    return Snippet(
        name="edge-join.sh",
        tool="kubeedge",
        title="Join a KubeEdge edge to the site, with one line",
        title_zh="用一行命令把 KubeEdge 边缘节点加入站点",
        text="\n".join(lines),
        commands=True,
    )


def _files(offer: Offer, reach: Reach) -> Snippet:
    lines = [
        "# Brings this node, below /opt, the tool for its machine and the files for edges, each held to its sum.",
        "# Run again, it does nothing, or goes on where it was cut short. It needs sh and curl, wget or busybox.",
        *(() if reach.tls else _PLAIN),
        *curl_remarks(reach),
        f"{curl(reach, 'http')} -o {EDGE_SCRIPT} {word(f'{reach.http_url}/-/{EDGE_SCRIPT}')}",
        f"sh {EDGE_SCRIPT} --id {offer.bundle_id}{_options(reach)}",
        "",
    ]
    return Snippet(
        name="edge-node.sh",
        tool="kubeedge",
        title="An edge node's part of the bundle, held to its id and digests",
        title_zh="边缘节点所需的部分，按标识和摘要校验",
        text="\n".join(lines),
        commands=True,
    )
