"""A program that signs for us: a token, a card, a KMS. Owns what it is given, and that its answer is checked.

It gets the bytes on standard input and their SHA-256 in BUNDLER_SIGN_SHA256, and prints the signature in DER; that is
what `openssl dgst -sha256 -sign KEY` does. It may ask at the terminal, and say there what it likes.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.child_process import PrintsTooMuchError, TakesTooLongError, run_program
from bundler.errors import ErrorId, IntegrityError, ToolMissingError
from bundler.model.signature_name import MAX_SIGNATURE_BYTES
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bundler.model.digest import Digest
    from bundler.trust.interface import Signer
    from bundler.trust.trusted_key import TrustedKey

DIGEST_VARIABLE = "BUNDLER_SIGN_SHA256"
# a person has to find the card, and type a PIN
COMMAND_WITHIN_S = 600.0


@dataclass(frozen=True, slots=True)
class CommandSigner:
    """See `Signer`.

    Arguments:
        command: the program and its arguments.
        key: the public half of what it signs with.
        environment: its environment, which is searched for it as well.
    """

    command: tuple[str, ...]
    key: TrustedKey
    environment: Mapping[str, str]
    within_s: float = COMMAND_WITHIN_S

    def sign(self, digest: Digest, text: Iterable[bytes]) -> bytes:
        """Run the program. Raises ToolMissingError, IntegrityError (SIGNING_FAILED)."""
        program = shutil.which(self.command[0], path=self.environment.get("PATH", ""))
        if program is None:
            raise ToolMissingError(
                self.command[0], package=self.command[0], needed_for=tr("signing, as --sign-command says")
            )
        try:
            ended = run_program(
                [program, *self.command[1:]],
                environment={**self.environment, DIGEST_VARIABLE: digest.hex},
                within_s=self.within_s,
                max_bytes=MAX_SIGNATURE_BYTES,
                stdin=b"".join(text),
                shows_stderr=True,
            )
        except TakesTooLongError as error:
            raise _failed(
                self.command[0], self.key, tr("nothing within {within_s:g} s", within_s=self.within_s)
            ) from error
        except PrintsTooMuchError as error:
            raise _failed(
                self.command[0],
                self.key,
                tr("more than {max_signature_bytes} bytes", max_signature_bytes=MAX_SIGNATURE_BYTES),
            ) from error
        except OSError as error:
            raise _failed(
                self.command[0], self.key, tr("a program that cannot be run: {strerror}", strerror=error.strerror)
            ) from error
        if ended.status:
            raise _failed(self.command[0], self.key, tr("exit status {status}", status=ended.status))
        return ended.stdout


def checked_signature(signer: Signer, digest: Digest, text: Iterable[bytes]) -> bytes:
    """Have a text signed, and return the signature once its own key says that it is one.

    Raises IntegrityError (SIGNING_FAILED), and what the signer raises.
    """
    signature = signer.sign(digest, text)
    if not signer.key.verifies(digest, signature):
        raise _failed(tr("signing"), signer.key, tr("{count} bytes that are none", count=len(signature)))
    return signature


def _failed(where: str, key: TrustedKey, got: str) -> IntegrityError:
    return IntegrityError(
        ErrorId.SIGNING_FAILED,
        tr("has given no signature that holds"),
        where=where,
        remedy=tr(
            "Check that the command signs with the private half of --key, ECDSA with SHA-256, and prints DER alone."
        ),
        want=tr("a signature by {title}", title=key.title),
        got=got,
    )
