"""What the journey needs of this machine: it is named, with the command that installs it, where it is missing."""

from __future__ import annotations

import os
import platform
import shutil

from tests.hosts.stage import PROGRAMS
from tests.integration.portable_python import JAR_VARIABLE
from tests.programs import packages

_MORE_PROGRAMS = ("docker-registry", "curl")
_MAVEN = "mvn"


def missing() -> list[str]:
    """Return a line for each thing without which the journey cannot be played."""
    if os.geteuid() != 0:
        return ["it boots hosts, which wants root: sudo scripts/demo"]
    if platform.machine() != "x86_64":
        return ["the Python that it carries is for x86_64"]
    wanted = [*PROGRAMS, *_MORE_PROGRAMS, *(() if os.environ.get(JAR_VARIABLE) else (_MAVEN,))]
    absent = sorted({packages()[program] for program in wanted if shutil.which(program) is None})
    return [f"apt-get install --no-install-recommends {' '.join(absent)}"] if absent else []
