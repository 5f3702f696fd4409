"""Compiles modules; run by the Python of a runtime, never imported.

Standard input holds three texts for each module, every one ended by a NUL: its file, the path that tracebacks show, and
the file for its byte-code. A module that this Python cannot compile (a template, another language's) has none after.
"""

import os
import py_compile
import sys

texts = [os.fsdecode(text) for text in sys.stdin.buffer.read().split(b"\0")[:-1]]
for source, path, output in zip(*[iter(texts)] * 3, strict=True):
    try:
        py_compile.compile(
            source,
            cfile=output,
            dfile=path,
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except (py_compile.PyCompileError, SyntaxError, ValueError):
        continue
