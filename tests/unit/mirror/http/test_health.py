"""Health and metrics: golden text, and text that Prometheus reads."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from bundler.model.progress import Unwatched
from mirror.http.health import health, metrics
from mirror.shared.counters import Counters, Field, State, shared_counters
from tests.unit.mirror.bundle_tree import file_at, opened, site_of, write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.tree.site import Site

# the text format 0.0.4, as far as no label holds a quote
SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*)\})? ([0-9]+)')


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with opened(write_bundle(tmp_path)) as root:
        yield site_of(root)


@pytest.fixture
def counters() -> Counters:
    counters = shared_counters(["http", "http", "ftp"])
    for slot in counters.slots:
        slot.set(Field.STATE, State.READY)
    return counters


def told(counters: Counters, site: Site, faults: list[str] | None = None) -> tuple[int, dict[str, Any]]:
    status, text = health(counters, site, faults or [])
    return status, json.loads(text)


def samples(text: str) -> dict[str, int]:
    """Read metrics as a scraper does: HELP and TYPE once, before all samples of their family."""
    found: dict[str, int] = {}
    families: list[str] = []
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            families.append(line.split()[2])
        elif line.startswith("# TYPE "):
            assert line.split()[2:] in ([families[-1], "counter"], [families[-1], "gauge"])
        else:
            matched = SAMPLE.fullmatch(line)
            assert matched is not None, line
            assert matched[1] == families[-1]
            name = line.rpartition(" ")[0]
            assert name not in found, f"{name} comes twice"
            found[name] = int(matched[3])
    assert len(families) == len(set(families))
    return found


def test_a_healthy_mirror(counters: Counters, site: Site) -> None:
    bundle = site.bundles[0]
    assert told(counters, site) == (
        200,
        {
            "schema": "mirror.health/1",
            "live": True,
            "ready": True,
            "complete": True,
            "verified": None,
            "bundles": [
                {
                    "id": bundle.short_id,
                    "name": "demo",
                    "release": "2025.03",
                    "current": True,
                    "complete": True,
                    "verified": None,
                    "left_out": 0,
                }
            ],
            "faults": [],
            "problems": [],
        },
    )


@pytest.mark.parametrize("state", [State.ABSENT, State.STARTING, State.STOPPING])
def test_one_worker_that_does_not_serve_is_not_ready(counters: Counters, site: Site, state: State) -> None:
    counters.slots[1].set(Field.STATE, state)
    status, response = told(counters, site)
    assert (status, response["ready"], response["live"]) == (503, False, True)


def test_a_successor_that_does_not_begin_turns_it_red(counters: Counters, site: Site) -> None:
    counters.slots[0].set(Field.SUCCESSOR_FAILED, 1)
    counters.slots[0].worker_ended()
    status, response = told(counters, site)
    assert (status, response["complete"], len(response["problems"])) == (503, False, 1)


def test_a_fault_of_this_worker_is_named(counters: Counters, site: Site) -> None:
    status, response = told(counters, site, ["0123/empty"])
    assert (status, response["complete"], response["faults"]) == (503, False, ["0123/empty"])


def test_a_fault_that_another_worker_found_counts_too(counters: Counters, site: Site) -> None:
    counters.slots[2].set(Field.FAULTS, 1)
    status, response = told(counters, site)
    assert (status, response["complete"], response["faults"]) == (503, False, [])


def test_faults_that_others_found_are_named_and_their_bundle_is_not_complete(counters: Counters, site: Site) -> None:
    (bundle,) = site.bundles
    numbers = [
        number for path in ("empty", "bundle.json") if (number := site.number_of(file_at(site, path))) is not None
    ]
    for slot in counters.slots[1:]:
        slot.set(Field.GENERATION, 2)
        slot.set_faults(len(numbers), [0], numbers)
    status, text = health(counters, site, [f"{bundle.short_id}/empty"], 2)
    response = json.loads(text)
    assert (status, response["complete"], response["bundles"][0]["complete"]) == (503, False, False)
    assert response["faults"] == [f"{bundle.short_id}/bundle.json", f"{bundle.short_id}/empty"]
    # the numbers of another generation mean other files
    response = json.loads(health(counters, site, [], 3)[1])
    assert (response["complete"], response["faults"], response["bundles"][0]["complete"]) == (False, [], True)


def test_many_faults_are_not_all_told(counters: Counters, site: Site) -> None:
    assert len(told(counters, site, [f"0123/{number}" for number in range(1000)])[1]["faults"]) == 100


def test_verified_means_every_digest(counters: Counters, tmp_path: Path) -> None:
    directory = write_bundle(tmp_path / "root")
    with opened(directory) as root:
        status, response = told(counters, site_of(root, verify=Unwatched()))
        assert (status, response["verified"]) == (200, True)
        (directory / "yum/repodata/repomd.xml").write_bytes(b"<repOmd/>\n")
        damaged = site_of(root, verify=Unwatched())
        bundle = damaged.bundles[0]
        status, response = told(counters, damaged, [f"{bundle.short_id}/{fault.path}" for fault in bundle.faults])
        assert (status, response["verified"], response["bundles"][0]["complete"]) == (503, False, False)
        # repaired, hashed and served again since
        status, response = told(counters, damaged, [])
        assert (status, response["verified"], response["bundles"][0]["complete"]) == (200, True, True)


def test_metrics_are_the_sum_of_all_workers(counters: Counters, site: Site) -> None:
    first, second, ftp = counters.slots
    first.answered(200, 1000)
    second.answered(200, 24)
    second.answered(503)
    second.answered(299, 1)
    ftp.answered(226, 7)
    first.add(Field.OPEN_CONNECTIONS, 2)
    second.add(Field.CUT_TRANSFERS)
    found = samples(metrics(counters, site))
    assert found['mirror_requests_total{protocol="http",status="200"}'] == 2
    assert found['mirror_requests_total{protocol="http",status="503"}'] == 1
    assert found['mirror_requests_total{protocol="http",status="other"}'] == 1
    assert found['mirror_requests_total{protocol="ftp",status="226"}'] == 1
    assert found['mirror_sent_bytes_total{protocol="http"}'] == 1025
    assert found['mirror_sent_bytes_total{protocol="ftp"}'] == 7
    assert found['mirror_connections_open{protocol="http"}'] == 2
    assert found['mirror_transfers_cut_total{protocol="http"}'] == 1
    assert found['mirror_workers_ready{protocol="http"}'] == 2
    assert found["mirror_faulty_files"] == 0
    identity = f'id="{site.bundles[0].short_id}",name="demo",release="2025.03",current="yes"'
    assert found[f"mirror_bundle_info{{{identity}}}"] == 1


def test_counters_stay_when_a_worker_ends_and_gauges_do_not(counters: Counters, site: Site) -> None:
    counters.slots[0].answered(200, 1000)
    counters.slots[0].add(Field.OPEN_CONNECTIONS, 2)
    before = samples(metrics(counters, site))
    counters.slots[0].worker_ended()
    after = samples(metrics(counters, site))
    gone_back = {name for name, value in before.items() if after[name] < value}
    assert gone_back == {'mirror_connections_open{protocol="http"}', 'mirror_workers_ready{protocol="http"}'}
    assert after['mirror_worker_restarts_total{protocol="http"}'] == 1


def test_a_mirror_that_serves_nothing_yet_has_metrics(tmp_path: Path) -> None:
    with opened(tmp_path) as root:
        found = samples(metrics(shared_counters([]), site_of(root)))
    assert set(found.values()) == {0}
