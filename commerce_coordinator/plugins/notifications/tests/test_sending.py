"""What a mail server says, over a real socket, and what becomes of the delivery."""

import smtplib
import socket
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend

from commerce_coordinator.core.deliveries.models import Attempt, Delivery
from commerce_coordinator.core.deliveries.replay import replay
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.testing import run_deliveries

from .. import sending, tasks
from ..mails import Rendered
from .mail_server import MailServer, Plan
from .shop import ADDRESS, LINES, VALUES, held, placed

pytestmark = pytest.mark.django_db

MAIL = Rendered(subject="A subject", text="A text", html="<p>A text</p>")


def run_again(delivery: Delivery) -> Delivery:
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=delivery.created_at)
    [again] = run_deliveries()
    return again


def test_accepted_mail_arrives_whole_and_once(tell, mail_server: MailServer, settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "Example Shop <orders@shop.example.org>"
    delivery = tell(placed)
    assert (delivery.state, delivery.attempts) == ("succeeded", 1)
    [(recipients, message)] = mail_server.taken
    assert recipients == [ADDRESS]
    assert (message["From"], message["To"]) == ("Example Shop <orders@shop.example.org>", ADDRESS)
    assert message["Subject"] == "Your order EDX-1"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Order-Number"] == "EDX-1"
    assert message["Message-ID"] == f"<{delivery.idempotency_key}.coordinator@shop.example.org>"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert all("447.00 USD" in part.get_content() for part in message.iter_parts())


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("code", [421, 450, 451])
def test_passing_refusal_is_tried_again_and_then_arrives(tell, mail_server, command: str, code: int) -> None:
    mail_server.plans = [Plan(answers={command: f"{code} Later, <{ADDRESS}>"})]
    delivery = tell(placed)
    assert (delivery.state, delivery.error_class) == ("pending", "Retry")
    assert str(code) in delivery.error_text
    assert "Later" in delivery.error_text
    assert ADDRESS not in delivery.error_text
    assert Attempt.objects.get().outcome == "retry"
    assert mail_server.taken == []
    assert run_again(delivery).state == "succeeded"
    assert len(mail_server.taken) == 1


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("code", [550, 552, 554])
def test_refusal_for_good_is_a_dead_letter_at_once(tell, mail_server, command: str, code: int) -> None:
    mail_server.plans = [Plan(answers={command: f"{code} Never, <{ADDRESS}>"})]
    delivery = tell(placed)
    assert (delivery.state, delivery.attempts, delivery.error_class) == ("dead", 1, "GiveUp")
    assert delivery.error_text.startswith(f"The mail server refuses this mail for good: {code} Never")
    assert ADDRESS not in delivery.error_text
    assert mail_server.taken == []


def test_server_that_wants_a_log_in_first_is_our_setting_to_mend(tell, mail_server) -> None:
    mail_server.plans = [Plan(answers={"MAIL": "530 Authentication required"})]
    assert tell(placed).state == "pending"


def test_mail_whose_answer_is_lost_is_sent_twice_and_known_again(tell, mail_server) -> None:
    # At least once: the server has it, and nobody told us.
    mail_server.plans = [Plan(drops_after_data=True)]
    delivery = tell(placed)
    assert (delivery.state, delivery.error_class) == ("pending", "Retry")
    assert run_again(delivery).state == "succeeded"
    first, second = (mail for _, mail in mail_server.taken)
    assert first["Message-ID"] == second["Message-ID"]
    assert first.get_body(("plain",)).get_content() == second.get_body(("plain",)).get_content()


def test_replayed_dead_letter_keeps_its_id_and_a_forced_replay_is_a_new_mail(tell, mail_server) -> None:
    mail_server.plans = [Plan(answers={"RCPT": "550 No such user"})]
    delivery = tell(placed)
    assert delivery.state == "dead"
    replay(delivery)
    [again] = run_deliveries()
    assert again.state == "succeeded"
    replay(again, force=True)
    [forced] = run_deliveries()
    assert forced.state == "succeeded"
    ids = [mail["Message-ID"] for _, mail in mail_server.taken]
    assert ids[0].startswith(f"<{delivery.idempotency_key}.")
    assert ids[1] != ids[0]


def test_one_operator_who_can_be_reached_is_enough(tell, mail_server, settings) -> None:
    settings.CC_OPERATOR_EMAILS = ["one@example.com", "two@example.com"]
    assert tell(held).state == "succeeded"
    [(recipients, message)] = mail_server.taken
    assert recipients == ["one@example.com", "two@example.com"]
    assert message["To"] == "one@example.com, two@example.com"


def test_nobody_listening_is_tried_again(tell, mail_server, settings) -> None:
    with socket.socket() as bound:  # taken, but not listened at
        bound.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = bound.getsockname()[1]
        delivery = tell(placed)
    assert (delivery.state, delivery.error_class) == ("pending", "Retry")
    assert "ConnectionRefusedError" in delivery.error_text


@pytest.mark.parametrize(
    "value", ["EDX-1\r\nBcc: bob@example.com", "EDX-1\nX-Evil: 1", "EDX-1\u2028Bcc: b", "EDX-1\x00", "EDX\u202e-1"]
)
def test_no_value_makes_a_header(mail_server, value: str) -> None:
    tasks.send_order_confirmation(**{**_order(), "order_number": value, "username": value})
    [(recipients, message)] = mail_server.taken
    assert recipients == [ADDRESS]
    assert {"bcc", "x-evil"}.isdisjoint(name.lower() for name in message)
    assert not set("\r\n\u2028\x00\u202e") & set(message["Subject"] + message["X-Order-Number"])


def _order() -> dict[str, Any]:
    values = VALUES[placed.name]
    return {name: values[name] for name in ("order_number", "money", "username", "email", "lines")}


# --- What a socket cannot easily be made to say ---


class Failing(BaseEmailBackend):
    """Raises what the test says, as the SMTP backend would."""

    error: Exception

    def send_messages(self, email_messages: Any) -> int:
        raise type(self).error


def recipients_refused(*codes: int) -> smtplib.SMTPRecipientsRefused:
    return smtplib.SMTPRecipientsRefused({f"{n}{ADDRESS}": (code, b"no such user") for n, code in enumerate(codes)})


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (recipients_refused(550, 553), GiveUp),
        (recipients_refused(550, 450), Retry),
        (smtplib.SMTPConnectError(554, b"go away"), Retry),
        (smtplib.SMTPHeloError(550, b"who are you"), Retry),
        (smtplib.SMTPAuthenticationError(535, b"bad password"), Retry),
        (smtplib.SMTPNotSupportedError("STARTTLS is not supported"), Retry),
        (smtplib.SMTPServerDisconnected("gone"), Retry),
        (TimeoutError("timed out"), Retry),
    ],
    ids=lambda value: f"{getattr(value, '__name__', type(value).__name__)}"[:40],
)
def test_only_what_is_said_of_this_very_mail_is_for_good(settings, monkeypatch, error, outcome) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Failing"
    monkeypatch.setattr(Failing, "error", error, raising=False)
    with pytest.raises(outcome) as raised:
        sending.send(MAIL, to=[ADDRESS])
    assert ADDRESS not in str(raised.value)
    # The cause, which quotes addresses, is not carried along.
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_failure_tells_no_address_in_the_log(tell, mail_server, caplog) -> None:
    mail_server.plans = [Plan(answers={"RCPT": f"550 <{ADDRESS}> is nobody"})]
    tell(placed, lines=LINES[:1])
    assert caplog.records
    assert not [line for line in caplog.records if ADDRESS in f"{line.__dict__} {line.exc_text}"]


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("orders", "localhost"),
        ("Shop <orders@bücher.example>", "xn--bcher-kva.example"),
        (f"orders@{'x' * 64}.example", "localhost"),
    ],
)
def test_id_is_made_whatever_the_senders_domain(tell, settings, sender: str, domain: str) -> None:
    settings.DEFAULT_FROM_EMAIL = sender
    assert tell(placed).state == "succeeded"
    [message] = mail.outbox
    assert message.extra_headers["Message-ID"].endswith(f".coordinator@{domain}>")
