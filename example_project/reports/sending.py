"""Send a mail, and understand what the server says; no database."""

from __future__ import annotations

from collections.abc import Mapping
from smtplib import SMTPRecipientsRefused, SMTPResponseException

from django.core.mail import EmailMessage

from django_jobs import PermanentError, TransientError


def send(subject: str, text: str, *, to: str, message_id: str) -> None:
    """Send a mail to one reader.

    Args:
        message_id: the same for each copy, so that a mailbox can tell that a second one is no other.

    Raises:
        TransientError: the server refuses it for now.
        PermanentError: the server refuses it for ever.
        OSError: the server is away, or hangs up.
    """
    mail = EmailMessage(subject, text, to=[to], headers={"Message-ID": message_id})
    try:
        mail.send()
    except SMTPResponseException as error:
        raise _verdict({to: (error.smtp_code, error.smtp_error)}) from error
    except SMTPRecipientsRefused as error:
        raise _verdict(error.recipients) from error


def _verdict(refusals: Mapping[str, tuple[int, bytes | str]]) -> Exception:
    """Return what a mail server's refusals mean: by codes from 400 on "later", from 500 on "never"."""
    said = "; ".join(f"{address}: {code} {_text(words)}" for address, (code, words) in refusals.items())
    forever = any(code >= 500 for code, _ in refusals.values())
    return PermanentError(said) if forever else TransientError(said)


def _text(words: bytes | str) -> str:
    return words.decode(errors="replace") if isinstance(words, bytes) else words
