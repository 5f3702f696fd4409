"""Static Linux programs of a few hundred bytes that write one text and exit, assembled by hand.

With these a container image can run without a base image from anywhere. One loadable segment holds the ELF header, its
program header, the code and the text (System V ABI, "ELF Header" and "Program Header").
"""

from __future__ import annotations

import struct

_BASE_ADDRESS = 0x400000
_ELF_HEADER_BYTES = 64
_PROGRAM_HEADER_BYTES = 56
_CODE_OFFSET = _ELF_HEADER_BYTES + _PROGRAM_HEADER_BYTES
_MACHINE = {"amd64": 62, "arm64": 183}
ARCHITECTURES = tuple(_MACHINE)


def speaking_program(text: bytes, arch: str) -> bytes:
    """Return an executable that writes `text` to stdout and exits with 0.

    Arguments:
        text: at most 60,000 bytes.
        arch: amd64 or arm64.
    """
    code = {"amd64": _amd64, "arm64": _arm64}[arch](len(text))
    size = _CODE_OFFSET + len(code) + len(text)
    identity = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)  # 64 bits, little-endian, version 1
    entry = _BASE_ADDRESS + _CODE_OFFSET
    elf_header = identity + struct.pack(
        "<HHIQQQIHHHHHH",
        *(2, _MACHINE[arch], 1, entry, _ELF_HEADER_BYTES, 0, 0),
        *(_ELF_HEADER_BYTES, _PROGRAM_HEADER_BYTES, 1, 0, 0, 0),
    )
    readable_and_executable = 5
    program_header = struct.pack(
        "<IIQQQQQQ", 1, readable_and_executable, 0, _BASE_ADDRESS, _BASE_ADDRESS, size, size, 0x10000
    )
    return elf_header + program_header + code + text


def _amd64(text_bytes: int) -> bytes:
    """write(1, text, text_bytes); exit(0). The text follows the code."""
    tail = b"\xb8\x3c\x00\x00\x00" + b"\x31\xff" + b"\x0f\x05"  # mov eax, 60; xor edi, edi; syscall
    lengths = b"\xba" + struct.pack("<I", text_bytes) + b"\x0f\x05"  # mov edx, text_bytes; syscall
    address = b"\x48\x8d\x35" + struct.pack("<i", len(lengths) + len(tail))  # lea rsi, [rip + …]
    return b"\xb8\x01\x00\x00\x00" + b"\xbf\x01\x00\x00\x00" + address + lengths + tail  # mov eax, 1; mov edi, 1


def _arm64(text_bytes: int) -> bytes:
    """Do the same with svc; `movz Xd, #n` is 0xD2800000 | n << 5 | d, `adr X1, #8m` is 0x10000000 | 2m << 5 | 1."""

    def movz(register: int, number: int) -> int:
        return 0xD2800000 | number << 5 | register

    supervisor_call = 0xD4000001
    words = [movz(0, 1), 0, movz(2, text_bytes), movz(8, 64), supervisor_call]
    words += [movz(0, 0), movz(8, 93), supervisor_call]
    words[1] = 0x10000000 | (len(words) - 1) << 5 | 1
    return struct.pack(f"<{len(words)}I", *words)
