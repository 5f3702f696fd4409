"""Texts of modules.yaml: streams and defaults, as libmodulemd writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def stream_yaml(
    module: str,
    stream: str,
    artifacts: Sequence[str],
    *,
    version: int = 1,
    context: str = "c0ffee00",
    requires: Mapping[str, Sequence[str]] | None = None,
    arch: str = "x86_64",
) -> str:
    """Return one stream's document; artifacts are `name-epoch:version-release.arch`."""
    needs = {"platform": ["el8"], **(requires or {})}
    return "\n".join(
        [
            *("---", "document: modulemd", "version: 2", "data:"),
            *(f"  name: {module}", f'  stream: "{stream}"', f"  version: {version}", f"  context: {context}"),
            *(f"  arch: {arch}", "  summary: s", "  description: d", "  license:", "    module: [MIT]"),
            *("  dependencies:", "    - requires:"),
            *(f"        {needed}: [{', '.join(streams)}]" for needed, streams in needs.items()),
            *("  profiles:", "    default:", f"      rpms: [{module}]", "  artifacts:", "    rpms:"),
            *(f"      - {artifact}" for artifact in artifacts),
            *("...", ""),
        ]
    )


def default_yaml(module: str, stream: str, modified: int = 1) -> str:
    """Return the document that makes a stream its module's default."""
    return "\n".join(
        [
            *("---", "document: modulemd-defaults", "version: 1", "data:", f"  module: {module}"),
            *(
                f"  modified: {modified}",
                f'  stream: "{stream}"',
                "  profiles:",
                f'    "{stream}": [default]',
                "...",
                "",
            ),
        ]
    )
