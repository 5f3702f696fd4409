"""The program gpgv, which checks signatures and nothing else (GnuPG's doc/DETAILS names its status lines).

Owns running it with one key and without the user's configuration, and reading its verdict. Refuses to know what a
package is, and to decide when a key was valid: gpgv ignores conflicts of time (`--ignore-time-conflict`), and the
caller compares the signature's time with the key, so that this machine's clock does not matter.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from bundler.child_process import PrintsTooMuchError, TakesTooLongError, run_program
from bundler.durable import storage_errors
from bundler.errors import ErrorId, IntegrityError, ToolMissingError
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.rpm.signing.keys import PublicKey

PROGRAMS = ("gpgv", "gpgv2")
LONGEST_SHOWN_REASON = 200
# a package of gigabytes is read through a pipe
WITHIN_S = 600
# one signature is a handful of lines
MAX_OUTPUT_BYTES = 1024 * 1024
_STATUS = "[GNUPG:] "
_VALID = "VALIDSIG"
# EXPKEYSIG: the key has expired by now; whether it had when it signed is decided by the caller
_GOOD = frozenset({"GOODSIG", "EXPKEYSIG"})
_WRONG = frozenset({"BADSIG", "ERRSIG", "EXPSIG", "REVKEYSIG"})


class DetachedVerifier(Protocol):
    """Checks detached signatures; `Gpgv` is the real one."""

    def verify(self, signature: bytes, key: PublicKey, signed: bytes | BinaryIO, *, where: str) -> None:
        """Return when one signature packet by this key covers the bytes.

        Arguments:
            signed: the bytes, or an unbuffered file positioned at the first of them, which is read to its end.
            where: the file or URL, for messages.

        Raises IntegrityError (rpm-signature-bad), ToolMissingError, StorageError.
        """


@dataclass(frozen=True, slots=True)
class Gpgv:
    """gpgv, found on a search path: directories separated by colons, None for this process's own PATH."""

    search_path: str | None = None

    def verify(self, signature: bytes, key: PublicKey, signed: bytes | BinaryIO, *, where: str) -> None:
        """See `DetachedVerifier.verify`; it writes the key and the signature to the temporary directory."""
        program = self._program(where)
        with storage_errors(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory(prefix="bundler-gpgv-") as home:
            (Path(home) / "keys.gpg").write_bytes(key.packets)
            (Path(home) / "signature").write_bytes(signature)
            command = [program, "--homedir", home, "--keyring", f"{home}/keys.gpg", "--ignore-time-conflict"]
            command += ["--status-fd", "1", "--", f"{home}/signature", "-"]
            environment = {"LC_ALL": "C", "PATH": str(Path(program).parent), "GNUPGHOME": home}
            reason, printed = _verdict(command, environment, signed, key)
        if reason:
            raise _bad(reason, printed, key, where)

    def _program(self, where: str) -> str:
        for name in PROGRAMS:
            if found := shutil.which(name, path=self.search_path):
                return found
        raise ToolMissingError(
            "gpgv",
            package=tr("gpgv (Debian, Ubuntu) or gnupg2 (Fedora, RHEL, openSUSE)"),
            needed_for=tr("the signature of {where}, which rpm-rs cannot check", where=where),
        )


def _verdict(
    command: list[str], environment: dict[str, str], signed: bytes | BinaryIO, key: PublicKey
) -> tuple[str, bytes]:
    """Return what is wrong, "" when all is well, and what gpgv printed to stderr."""
    try:
        ended = run_program(
            command, environment=environment, within_s=WITHIN_S, max_bytes=MAX_OUTPUT_BYTES, stdin=signed
        )
    except TakesTooLongError:
        return tr("gpgv was still running after {within_s} s", within_s=WITHIN_S), b""
    except PrintsTooMuchError:
        return tr("gpgv printed more than {max_output_bytes:,} bytes", max_output_bytes=MAX_OUTPUT_BYTES), b""
    reason = fault(ended.stdout.decode(errors="replace"), key)
    return reason or (tr("gpgv ended with status {status}", status=ended.status) if ended.status else ""), ended.stderr


def fault(status: str, key: PublicKey) -> str:
    """Return why gpgv's status lines do not report exactly one signature, a good one, or "" when they do."""
    lines = [line.removeprefix(_STATUS).split() for line in status.splitlines() if line.startswith(_STATUS)]
    found = [fields for fields in lines if fields]
    verdicts = [fields[0] for fields in found if fields[0] in _GOOD | _WRONG]
    if len(verdicts) != 1 or verdicts[0] in _WRONG:
        return tr("gpgv says {verdicts}", verdicts=tr(" and ").join(verdicts) or tr("nothing of a signature"))
    fingerprints = [fields[1].lower() for fields in found if fields[0] == _VALID and len(fields) > 1]
    if len(fingerprints) != 1 or fingerprints[0] not in {part.fingerprint for part in key.parts}:
        return tr("gpgv names another key")
    return ""


def _bad(reason: str, stderr: bytes, key: PublicKey, where: str) -> IntegrityError:
    lines = [line.removeprefix("gpgv: ") for line in stderr.decode(errors="replace").strip().splitlines()]
    last = f" ({lines[-1][:LONGEST_SHOWN_REASON]})" if lines else ""
    return IntegrityError(
        ErrorId.RPM_SIGNATURE_BAD,
        tr("the signature does not fit the bytes"),
        where=where,
        remedy=tr("Fetch it again; if it stays so, it was tampered with or damaged upstream: do not use it."),
        want=tr("a good signature by {key}", key=key),
        got=f"{reason}{last}",
    )
