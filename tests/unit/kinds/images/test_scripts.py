from __future__ import annotations

import hashlib
import subprocess

import pytest

from bundler.kinds.images.scripts import OWN_NAME, SCRIPTS, joined, travelling_scripts

SOURCES = {
    "one.sh": "#!/bin/sh\n## a note\n# a comment\n##include part.sh\n\necho one\n",
    "part.sh": "## what it needs\n# for @SCRIPT@\nshared() {\n    echo '##'\n}\n##include deeper.sh\n",
    "deeper.sh": "deeper=@SCRIPT@ # @SCRIPT@\n",
}
# of what travels: it changes on purpose only, never because a module is renamed or a part moves
DIGESTS = {
    "load.sh": "db4e567ad09415052415a266000a7b2609f2070ffe40c1d63b8b51ff36eb8713",
    "push.sh": "d2258356eb763739435c3e79e4f6ca74590c2f5837ac5ebaa39fd178cb94d0ee",
}


def test_parts_take_their_places_and_notes_stay_at_home() -> None:
    assert joined("one.sh", SOURCES.__getitem__) == (
        "#!/bin/sh\n# a comment\n# for one.sh\nshared() {\n    echo '##'\n}\ndeeper=one.sh # one.sh\n\necho one\n"
    )


def test_a_part_that_is_missing_is_no_silent_gap() -> None:
    with pytest.raises(KeyError):
        joined("one.sh", {"one.sh": "##include none.sh\n"}.__getitem__)


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_travels_is_whole(name: str) -> None:
    script = travelling_scripts()[name].decode()
    lines = script.splitlines()
    assert lines[0] == "#!/bin/sh"
    assert [line for line in lines if line.startswith("##")] == []
    assert OWN_NAME not in script
    assert f"run the {name} that lies in" in script
    for function in ("refuse", "canonical", "chosen", "next_image"):
        assert lines.count(f"{function}() {{") == 1


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_travels_parses(name: str) -> None:
    done = subprocess.run(["sh", "-n"], input=travelling_scripts()[name], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_travels_has_not_changed_in_passing() -> None:
    assert {name: hashlib.sha256(script).hexdigest() for name, script in travelling_scripts().items()} == DIGESTS
