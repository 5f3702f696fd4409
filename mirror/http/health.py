"""What `/-/health` and `/-/metrics` say, made of the shared counters and what this worker serves. Pure.

Metrics follow the Prometheus text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import json
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from mirror.shared.counters import LAST_BUNDLE_BIT, MAX_NAMED_FAULTS, PROTOCOLS, Counters, Field

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from mirror.shared.counters import Slot
    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.site import Site

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HEALTH_SCHEMA = "mirror.health/1"


def health(
    counters: Counters, site: Site, faults: Iterable[str], generation: int = 0, compared: Collection[int] = ()
) -> tuple[int, str]:
    """Return status and JSON text of the mirror's health: 200, or 503 when something is wrong.

    Arguments:
        faults: files that the answering worker cannot serve, each as `bundle/path`; what others of the same generation
            cannot serve is in the counters.
        compared: the numbers of the bundles whose digests were compared since they were loaded.

    `live`: somebody answers; `ready`: every worker of every protocol serves; `complete`: every listed file is there and
    unchanged, and there is a bundle or a share; `verified`: every digest was compared, at the start or since, and
    matched; null if nobody asked for it.
    """
    seen = max((slot.get(Field.FAULTS) for slot in counters.slots), default=0)
    others = [slot for slot in counters.slots if slot.get(Field.GENERATION) == generation]
    faults = sorted({*faults, *_named_by(others, site)})
    mask = reduce(or_, (slot.get(Field.FAULTY_BUNDLES) for slot in others), 0)
    faulty = {fault.partition("/")[0] for fault in faults}
    faulty |= {bundle.short_id for bundle in site.bundles if mask >> min(bundle.number, LAST_BUNDLE_BIT) & 1}
    empty = not site.bundles and not site.shares
    held_back = any(slot.get(Field.SUCCESSOR_FAILED) for slot in counters.slots)
    problems = [*site.problems, *([_HELD_BACK] if held_back else [])]
    complete = not faults and not seen and not problems and not empty
    ready = counters.ready()
    # faults, not what was true when the bundle was loaded: a file that was repaired is served again after it was hashed
    whole = [bundle.short_id not in faulty for bundle in site.bundles]
    asked = [bundle.verified is not None or bundle.number in compared for bundle in site.bundles]
    verified = complete if asked and all(asked) else None
    report = {
        "schema": HEALTH_SCHEMA,
        "live": True,
        "ready": ready,
        "complete": complete,
        "verified": verified,
        "bundles": [
            {
                "id": bundle.short_id,
                "name": bundle.name,
                "release": bundle.release,
                "current": bundle is site.current,
                "complete": is_whole,
                "verified": is_whole if was_asked else None,
                "left_out": bundle.left_out,
            }
            for bundle, is_whole, was_asked in zip(site.bundles, whole, asked, strict=True)
        ],
        "faults": faults[:_MAX_FAULTS],
        "problems": problems,
    }
    status = 200 if ready and complete and verified is not False else 503
    return status, json.dumps(report, ensure_ascii=False, indent=2) + "\n"


_MAX_FAULTS = MAX_NAMED_FAULTS
_HELD_BACK = "the mirror that the active bundle brings does not begin, and an earlier one goes on: its log says why"


def _named_by(slots: Iterable[Slot], site: Site) -> Iterator[str]:
    """Yield the files that workers cannot serve, each as `bundle/path`."""
    for number in {number for slot in slots for number in slot.faults()}:
        if (found := site.numbered(number)) is not None:
            bundle, file = found
            yield f"{bundle.short_id}/{file.path}"


def metrics(counters: Counters, site: Site) -> str:
    """Return all counters, summed over the workers, as Prometheus reads them."""
    lines: list[str] = []

    def family(name: str, kind: str, text: str, samples: list[tuple[str, int]]) -> None:
        lines.extend((f"# HELP {name} {text}", f"# TYPE {name} {kind}"))
        lines.extend(f"{name}{labels} {value}" for labels, value in samples)

    def by_protocol(field: Field) -> list[tuple[str, int]]:
        return [(f'{{protocol="{protocol}"}}', counters.total(protocol, field)) for protocol in PROTOCOLS]

    answers = [
        (f'{{protocol="{protocol}",status="{status or "other"}"}}', count)
        for protocol in PROTOCOLS
        for status, count in counters.answers(protocol).items()
    ]
    family("mirror_requests_total", "counter", "Answers, by protocol and status (FTP: reply code).", answers)
    sent = by_protocol(Field.SENT_BYTES)
    family("mirror_sent_bytes_total", "counter", "Bytes of content that were sent.", sent)
    family("mirror_connections_total", "counter", "Connections that were accepted.", by_protocol(Field.CONNECTIONS))
    refused = by_protocol(Field.REFUSED_CONNECTIONS)
    family("mirror_connections_refused_total", "counter", "Connections that were turned away.", refused)
    family("mirror_transfers_cut_total", "counter", "Answers that ended early.", by_protocol(Field.CUT_TRANSFERS))
    family("mirror_connections_open", "gauge", "Connections open now.", by_protocol(Field.OPEN_CONNECTIONS))
    workers = [(f'{{protocol="{protocol}"}}', counters.workers(protocol)[1]) for protocol in PROTOCOLS]
    family("mirror_workers_ready", "gauge", "Worker processes that serve.", workers)
    family(
        "mirror_worker_restarts_total", "counter", "Workers that died and were replaced.", by_protocol(Field.RESTARTS)
    )
    lost = by_protocol(Field.LOST_LOG_LINES)
    family("mirror_access_log_lines_lost_total", "counter", "Lines of the access log that could not be written.", lost)
    faults = max((slot.get(Field.FAULTS) for slot in counters.slots), default=0)
    family("mirror_faulty_files", "gauge", "Listed files that cannot be served now.", [("", faults)])
    bundles = [(_bundle_labels(bundle, current=bundle is site.current), 1) for bundle in site.bundles]
    family("mirror_bundle_info", "gauge", "Bundles that are served.", bundles)
    return "\n".join(lines) + "\n"


def _bundle_labels(bundle: ServedBundle, *, current: bool) -> str:
    # none of these can hold a quote: the index was refused otherwise
    named = f'id="{bundle.short_id}",name="{bundle.name}",release="{bundle.release}"'
    return f'{{{named},current="{"yes" if current else "no"}"}}'
