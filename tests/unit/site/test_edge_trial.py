"""Logs and exec are tried on each edge that has joined and has a pod; what does not come through is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bundler.host.interface import CommandResult
from bundler.site.edge_trial import edge_findings
from tests.fakes.host import MemoryHost
from tests.unit.site.sites import SITE, context

if TYPE_CHECKING:
    from collections.abc import Sequence


class Cluster(MemoryHost):
    """A master whose kubectl knows edge1 with a pod, and edge2, which has not joined."""

    nodes: str = json.dumps({"items": [{"metadata": {"name": "edge1"}}]})
    pods: str = json.dumps({"items": [{"metadata": {"namespace": "plant", "name": "hello"}}]})
    logs = CommandResult(0, "hello\n", "")
    executed = CommandResult(0, "", "")

    def run(self, command: Sequence[str], **how: Any) -> CommandResult:
        del how
        words = command[3:]
        if "logs" in words:
            return self.logs
        if "exec" in words:
            return self.executed
        return CommandResult(0, self.nodes if "nodes" in words else self.pods, "")


def found(host: Cluster) -> list[tuple[str, str, str]]:
    return [(finding.id, finding.where, finding.weight) for finding in edge_findings(context(host))]


def test_what_comes_through_is_no_finding() -> None:
    host = Cluster()
    assert found(host) == []
    # an image without the program: the command came there
    host.executed = CommandResult(126, "", 'OCI runtime exec failed: "true": executable file not found in $PATH\n')
    assert found(host) == []


def test_what_does_not_is_a_fault_of_that_edge() -> None:
    host = Cluster()
    host.logs = CommandResult(1, "", 'Error: Get "https://edge1:10351/": dial tcp: connection refused\n')
    host.executed = CommandResult(1, "", "error: unable to upgrade connection\n")
    assert found(host) == [("logs-fail", "edge1", "fault"), ("exec-fail", "edge1", "fault")]
    first, second = edge_findings(context(host))
    assert "connection refused" in first.what
    assert "unable to upgrade" in second.what
    assert first.remedy


def test_an_edge_without_a_pod_is_a_note() -> None:
    host = Cluster()
    host.pods = '{"items": []}'
    assert found(host) == [("no-pod-on-edge", "edge1", "note")]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"items": 7}', '{"items": [7, {}, {"metadata": 3}]}', "[" * 50_000])
def test_odd_answers_are_no_pods_and_no_nodes(text: str) -> None:
    host = Cluster()
    host.pods = text
    assert found(host) == [("no-pod-on-edge", "edge1", "note")]
    host.nodes = text
    assert found(host) == []


def test_without_streams_nothing_is_tried() -> None:
    config = replace(SITE, kubeedge=replace(SITE.kubeedge, stream=False))
    assert edge_findings(context(Cluster(), config)) == []
