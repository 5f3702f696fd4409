"""daemon.json merged: what is there stays, what the guide wants comes, and what no dockerd starts with is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bundler.host.file_changes import CannotEditError
from bundler.site.edits.daemon_json import EngineWish, merged_settings
from bundler.site.edits.engine_options import flags_in, is_reloadable, option_problems, version_in
from tests.unit.site.daemon_files import APPENDED, AWKWARD, REGISTRY

if TYPE_CHECKING:
    from bundler.model.json_value import Json

ENGINE = (20, 10, 24)


def refusal(there: bytes, wish: EngineWish = EngineWish(version=ENGINE)) -> str:  # noqa: B008 - a frozen value
    with pytest.raises(CannotEditError) as raised:
        merged_settings(there, wish)
    assert raised.value.remedy
    return raised.value.what


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_file_becomes_what_is_wanted_and_stays_so(name: str) -> None:
    file = AWKWARD[name]
    wish = EngineWish(plain_registry=REGISTRY, version=ENGINE, flags=file.flags)
    merged = merged_settings(file.content, wish)
    assert json.loads(merged.content) == file.options
    assert all(any(part in note for note in merged.notes) for part in file.notes), merged.notes
    assert merged.changed
    again = merged_settings(merged.content, wish)
    assert (again.content, again.changed) == (merged.content, frozenset())


def test_a_file_that_has_everything_stays_to_the_byte() -> None:
    content = json.dumps(merged_settings(None, EngineWish(version=ENGINE)).options).encode() + b"\n\n"
    assert merged_settings(content, EngineWish(version=ENGINE)).content == content


@pytest.mark.parametrize(
    ("version", "there", "kept"),
    [
        (None, b"{}", None),
        ((20, 10, 24), b"{}", -1000),
        ((23, 0), b"{}", -1000),
        ((24, 0, 1), b"{}", None),
        ((24, 0, 1), b'{"oom-score-adjust": -500}', -500),
        ((25,), b'{"oom-score-adjust": -500}', None),
        ((26, 1, 4), APPENDED, None),
    ],
)
def test_the_score_is_left_out_where_the_engine_refuses_it(
    version: tuple[int, ...] | None, there: bytes, kept: int | None
) -> None:
    merged = merged_settings(there, EngineWish(version=version))
    assert merged.options.get("oom-score-adjust") == kept
    dropped = any("oom-score-adjust is left out" in note for note in merged.notes)
    assert dropped == (b"oom" in there and kept is None)


def test_the_site_wins_over_the_file_and_the_file_over_the_guide() -> None:
    options: dict[str, Json] = {
        "log-opts": {"max-size": "9m"},
        "insecure-registries": ["0.0.0.0/0", "::/0", "a:1"],
        "debug": True,
    }
    merged = merged_settings(
        b'{"log-opts": {"max-size": "1m", "tag": "x"}, "debug": false}', EngineWish(options, version=ENGINE)
    )
    assert merged.options["log-opts"] == {"max-size": "9m", "max-file": "5", "tag": "x"}
    assert (merged.options["insecure-registries"], merged.options["debug"]) == (["a:1"], True)
    assert sum("of site.yaml is left out" in note for note in merged.notes) == 2
    # no registry of ours where it has TLS
    assert "insecure-registries" not in merged_settings(None, EngineWish()).options


def test_a_cgroup_driver_that_is_set_stays() -> None:
    there = b'{"exec-opts": ["native.cgroupdriver=systemd", "isolation=a"]}'
    wish = EngineWish({"exec-opts": ["native.cgroupdriver=cgroupfs", "isolation=b", "c=d"]}, version=ENGINE)
    merged = merged_settings(there, wish)
    assert merged.options["exec-opts"] == ["native.cgroupdriver=systemd", "isolation=b", "c=d"]
    assert any("native.cgroupdriver=systemd stays" in note for note in merged.notes)
    fresh = merged_settings(None, wish)
    assert fresh.options["exec-opts"] == ["native.cgroupdriver=cgroupfs", "isolation=b", "c=d"]


def test_another_log_driver_takes_its_options_along() -> None:
    merged = merged_settings(APPENDED, EngineWish({"log-driver": "journald"}, version=ENGINE))
    assert (merged.options["log-driver"], merged.options.get("log-opts")) == ("journald", None)
    flagged = merged_settings(b"{}", EngineWish(version=ENGINE, flags={"log-driver": ("journald",)}))
    assert "log-opts" not in flagged.options


def test_a_swarm_has_no_live_restore() -> None:
    merged = merged_settings(None, EngineWish(version=ENGINE, swarm=True))
    assert "live-restore" not in merged.options
    assert any("part of a swarm" in note for note in merged.notes)


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (b"[1]", "an object is wanted"),
        (b'{"a" 1}', "no JSON at line 1, column 6"),
        (b'{"debug": true // yes\n}', "no JSON at line 1"),
        (b'{"debug": true', "no JSON at line 1"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{"shutdown-timeout": NaN}', "NaN is not JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"log-drivr": "x"}', "no setting 'log-drivr'; did you mean 'log-driver'?"),
        (b'{"debug": "true"}', "'debug' wants true or false"),
        (b'{"mtu": true}', "'mtu' wants a number"),
        (b'{"log-opts": null}', "'log-opts' wants an object"),
        (b'{"log-opts": {"max-size": 5}}', "the log option 'max-size' wants a text"),
        (b'{"log-opts": {"gelf-address": "x"}}', "json-file has no option 'gelf-address'"),
        (b'{"default-ulimits": {"core": {"Name": "nofile"}}}', "the limit 'core' has another 'Name' inside"),
        (b'{"insecure-registries": "a"}', "'insecure-registries' wants a list"),
        (b'{"exec-opts": {}, "debug": 1}', "'debug' wants true or false"),
    ],
)
def test_what_no_dockerd_would_start_with_is_refused(there: bytes, words: str) -> None:
    assert words in refusal(there)


def test_what_stands_in_a_flag_as_well_is_refused() -> None:
    flags = {"debug": ("true",), "insecure-registries": ("a:1",), "exec-opts": ("x=y",)}
    wish = EngineWish(version=ENGINE, flags=flags)
    assert "debug: set here and in dockerd's command line" in refusal(b'{"debug": true}', wish)
    assert "wanted by site.yaml" in refusal(b"{}", EngineWish({"debug": True}, version=ENGINE, flags=flags))
    added = EngineWish(plain_registry="b:2", version=ENGINE, flags=flags)
    assert "b:2 cannot stand here" in refusal(b"{}", added)
    known = merged_settings(b"{}", EngineWish(plain_registry="a:1", version=ENGINE, flags=flags))
    assert "insecure-registries" not in known.options


def test_a_newer_dockerd_judges_unknown_keys_itself() -> None:
    assert merged_settings(b'{"allow-direct-routing": true}', EngineWish(version=(28, 2))).options[
        "allow-direct-routing"
    ]
    assert option_problems({"oom-score-adjust": 1}, (25,)) == ("'oom-score-adjust' is refused by dockerd from 25 on",)


def test_versions_and_flags_are_read() -> None:
    assert version_in("Docker version 20.10.24+dfsg1, build 5d6db84\n") == (20, 10, 24)
    assert version_in("docker-compose version 1.29.2, build 5becea4c") == (1, 29, 2)
    assert version_in("Docker Compose version v2.17.3") == (2, 17, 3)
    assert version_in("") is None
    words = (
        "dockerd -H fd:// --containerd=/run/c.sock --insecure-registry a:1 --insecure-registry=b:2 -D --storage-opt x=y"
    )
    assert flags_in(words.split()) == {
        "hosts": ("fd://",),
        "containerd": ("/run/c.sock",),
        "insecure-registries": ("a:1", "b:2"),
        "debug": ("",),
        "storage-opts": ("x=y",),
    }


def test_only_some_settings_are_taken_over_by_a_reload() -> None:
    assert is_reloadable({"live-restore", "insecure-registries"})
    assert not is_reloadable({"live-restore", "log-driver"})
