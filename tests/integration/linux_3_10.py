"""The system calls of Linux 3.10: every later one is answered with ENOSYS, as the kernel of CentOS 7 does (seccomp(2)).

x86_64 numbers its calls in the order in which they came, and 3.10 ends with finit_module (syscall_64.tbl at v3.10).
What is above it came later: seccomp, getrandom, memfd_create, copy_file_range, statx, openat2 and so on. As a program
it runs another one so: `python linux_3_10.py PROGRAM ARGUMENT…`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

_LAST_CALL = 313
_ARCH_X86_64 = 0xC000003E
# struct seccomp_data: the call's number, then the architecture
_NUMBER, _ARCH = 0, 4
# linux/bpf_common.h
_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _RETURN = 0x20, 0x15, 0x25, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def as_on_linux_3_10() -> None:
    """Leave this process, and all that it starts, only the calls of Linux 3.10."""
    instructions = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, _ARCH_X86_64),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_GREATER, 0, 1, _LAST_CALL),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in instructions))
    program = _Program(len(instructions), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)),
        (_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.byref(program), ctypes.c_ulong(0), ctypes.c_ulong(0)),
    ):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    as_on_linux_3_10()
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - what this is for
