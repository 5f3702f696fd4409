"""Run one command from a process that is small, and report what it took. A program of its own, without any library.

The kernel hands a parent's resident memory down to its child as a first peak: this one has 9 MiB.
"""

from __future__ import annotations

import os
import sys
import time


def main(report: int, command: list[str]) -> None:
    """Write to a descriptor: exit code, seconds of wall clock and of the processor, and the peak in bytes."""
    os.set_inheritable(report, False)
    begin = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - begin
    code, processor_s = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
    os.write(report, f"{code} {seconds} {processor_s} {usage.ru_maxrss * 1024}".encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
