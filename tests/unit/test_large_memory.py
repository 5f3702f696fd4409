"""What a long text took goes back to the system, whatever lies behind it in memory by then."""

from __future__ import annotations

import subprocess
import sys

from bundler.large_memory import LONG_TEXT_BYTES

# the first block that is freed raises glibc's own limit; what is held at the end lies behind the second one
HOLE = """
import sys
from bundler.large_memory import LONG_TEXT_BYTES, expect_text

def resident() -> int:
    return int(open("/proc/self/statm").read().split()[1]) * 4096

expect_text(int(sys.argv[1]))
first = bytearray(4 * LONG_TEXT_BYTES)
del first
before = resident()
second = bytearray(2 * LONG_TEXT_BYTES)
behind = [bytearray(4000) for _ in range(64)]
del second
print(resident() - before)
"""


def hole_bytes(expected: int) -> int:
    done = subprocess.run([sys.executable, "-c", HOLE, str(expected)], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_after_a_long_text_none_leaves_a_hole() -> None:
    assert hole_bytes(LONG_TEXT_BYTES) < LONG_TEXT_BYTES


def test_without_one_nothing_is_changed() -> None:
    assert hole_bytes(LONG_TEXT_BYTES - 1) >= LONG_TEXT_BYTES
