"""A mail on its way: who gets it, which headers it carries, and what the mail server's answers mean."""

import logging
import re
import smtplib
from collections.abc import Mapping, Sequence
from email.utils import parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email

from commerce_coordinator.core.deliveries.running import running_attempt
from commerce_coordinator.core.exceptions import GiveUp, Retry

from .mails import Rendered
from .texts import without_person

logger = logging.getLogger(__name__)

#: A server wants a log-in (RFC 4954) or TLS (RFC 3207) first: that is how we come to it, not what is in this mail.
_COME_OTHERWISE = 530


def is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def the_learner(email: str) -> list[str]:
    """Raises GiveUp where there is no address: a person has to find one."""
    if not email:
        raise GiveUp("No e-mail address of the learner is known.")
    if not is_address(email):
        raise GiveUp("The learner's e-mail address is none.")
    return [email]


def operators() -> list[str]:
    """CC_OPERATOR_EMAILS, each once. What is no address is left out; the check at start names it."""
    given = settings.CC_OPERATOR_EMAILS
    parts = given.split(",") if isinstance(given, str) else given
    return list(dict.fromkeys(each for each in (str(part).strip() for part in parts) if is_address(each)))


def the_operators() -> list[str]:
    """Raises GiveUp when there is nobody: then the dead letter tells what no mail could."""
    found = operators()
    if not found:
        raise GiveUp("CC_OPERATOR_EMAILS names nobody to tell. Set it to addresses, then replay.")
    return found


def send(rendered: Rendered, *, to: Sequence[str], headers: Mapping[str, str] | None = None) -> None:
    """Hand one mail to the mail server. Raises GiveUp when the server refuses this mail for good, else Retry."""
    message = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        to=list(to),
        # RFC 3834: holiday notices and the like are not to answer.
        headers={**(headers or {}), **_message_id(), "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(rendered.html, "text/html")
    try:
        message.send()
    except OSError as error:  # all that smtplib and a socket raise
        raise _verdict(error, to) from None


def _message_id() -> dict[str, str]:
    """The same for every try of a delivery, so that a mail system which knows duplicates can drop them."""
    attempt = running_attempt()
    if attempt is None:
        return {}
    key = re.sub(r"[^A-Za-z0-9]+", ".", attempt.idempotency_key)
    return {"Message-ID": f"<{key}.coordinator@{_own_domain()}>"}


def _own_domain() -> str:
    """The sender's domain, in ASCII: the right side of a Message-ID is ours to give (RFC 5322, 3.6.4)."""
    _, at, domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")
    try:
        return domain.encode("idna").decode("ascii") if at and domain else "localhost"
    except UnicodeError:  # no domain that there can be
        return "localhost"


def _verdict(error: OSError, to: Sequence[str]) -> GiveUp | Retry:
    """5xx for this mail is for good (RFC 5321, 4.2.1). Log-in, connection and everything else may be mended."""
    about_this_mail = _answers(error)
    told = "; ".join(f"{code} {_words(reply, to)}" for code, reply in about_this_mail)
    if about_this_mail and all(500 <= code < 600 and code != _COME_OTHERWISE for code, _ in about_this_mail):
        return GiveUp(f"The mail server refuses this mail for good: {told}")
    if isinstance(error, smtplib.SMTPResponseException):
        told = f"{error.smtp_code} {_words(error.smtp_error, to)}"
    if told:
        return Retry(f"The mail server does not take the mail now: {told}")
    return Retry(f"The mail server cannot be reached, or broke off: {type(error).__name__}.")


def _answers(error: OSError) -> list[tuple[int, bytes | str]]:
    """(code, words) of the server about this very mail; none when it did not come to that."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return list(error.recipients.values())
    if isinstance(error, (smtplib.SMTPSenderRefused, smtplib.SMTPDataError)):
        return [(error.smtp_code, error.smtp_error)]
    return []


def _words(reply: bytes | str, to: Sequence[str]) -> str:
    """A server's reply often names the address it is about."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
    return without_person(text, to)
