"""The confirmation of an order: one mail in text and HTML, and what becomes of it when the mail server says no."""

import smtplib
from collections.abc import Iterator
from email.message import Message
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import translation

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.models import Attempt, Delivery
from commerce_coordinator.core.exceptions import GiveUp
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import routes_as, run_deliveries
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine, OrderPlaced

from ..tasks import send_order_confirmation

ADDRESS = "ann@example.com"

#: An order of any shop: this plugin knows none.
placed = CoordinatorSignal(OrderPlaced, subject="order_number", name=f"{__name__}.placed")

ORDER: dict[str, Any] = {
    "order_number": "EDX-1",
    "money": Money(amount=44700, currency="USD"),
    "username": "ann",
    "email": ADDRESS,
    "lines": (
        OrderLine(line_number=1, course_key="course-v1:X+A+1", mode="verified"),
        OrderLine(line_number=2, course_key="course-v1:X+B+1", mode="audit"),
    ),
}


@pytest.fixture
def confirmed(db: None) -> Iterator[Any]:
    """Send the signal and run what is due: `confirmed(username="bob")` returns the delivery."""
    contracts.remember(placed.name, OrderPlaced)
    with routes_as({placed.name: [f"{send_order_confirmation.__module__}.send_order_confirmation"]}):

        def confirm(**changes: Any) -> Delivery:
            other = {"provider": "any", "account": "", "payment_id": "pay_1", "lms_user_id": 1313}
            placed.send_robust(sender="test", **{**ORDER, **other, **changes})
            [delivery] = run_deliveries()
            return delivery

        yield confirm


def sent_mail(**changes: Any) -> mail.EmailMultiAlternatives:
    """The one mail that the task sends, called as a plain function."""
    assert send_order_confirmation(**{**ORDER, **changes}) is None
    [message] = mail.outbox
    assert isinstance(message, mail.EmailMultiAlternatives)
    return message


def text_of(message: mail.EmailMultiAlternatives) -> str:
    return str(message.body)


def html_of(message: mail.EmailMultiAlternatives) -> str:
    [(content, kind)] = message.alternatives
    assert kind == "text/html"
    return str(content)


@pytest.mark.database
def test_placed_order_is_confirmed_by_one_mail(confirmed) -> None:
    delivery = confirmed()
    assert (delivery.state, delivery.attempts) == ("succeeded", 1)
    [message] = mail.outbox
    assert (message.to, message.cc, message.bcc) == ([ADDRESS], [], [])


def test_mail_says_what_was_bought_in_text_and_in_html(settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "shop@example.org"
    message = sent_mail()
    assert message.subject == "Your order EDX-1"
    assert message.from_email == "shop@example.org"
    for content in (text_of(message), html_of(message)):
        assert "Hello ann," in content
        assert "EDX-1" in content
        assert "447.00 USD" in content
        assert content.index("course-v1:X+A+1 (verified)") < content.index("course-v1:X+B+1 (audit)")
        assert "{" not in content
    assert "<" not in text_of(message)


def test_mail_is_one_message_of_two_forms() -> None:
    parts: Message = sent_mail().message()
    assert parts.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parts.get_payload()] == ["text/plain", "text/html"]  # type: ignore[union-attr]
    assert parts["X-Order-Number"] == "EDX-1"


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (14900, "EUR", "149.00 EUR"),
        (5, "EUR", "0.05 EUR"),
        (0, "EUR", "0.00 EUR"),
        (14900, "JPY", "14900 JPY"),
        (14900, "KWD", "14.900 KWD"),
        (1234567890, "USD", "12345678.90 USD"),
    ],
)
def test_money_is_shown_with_its_currency_and_its_own_places(amount: int, currency: str, shown: str) -> None:
    message = sent_mail(money=Money(amount=amount, currency=currency))
    assert f"({shown})" in text_of(message)
    assert f"({shown})" in html_of(message)


def test_what_a_learner_calls_himself_is_no_markup() -> None:
    message = sent_mail(username='<b>Ann</b> & "co"', order_number="EDX-<i>1</i>")
    html, text = html_of(message), text_of(message)
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;Ann&lt;/b&gt; &amp; &quot;co&quot;" in html
    assert "EDX-&lt;i&gt;1&lt;/i&gt;" in html
    assert 'Hello <b>Ann</b> & "co",' in text


def test_template_language_in_a_name_is_text() -> None:
    message = sent_mail(username="{{ money }} {% now 'Y' %} %(order_number)s")
    assert "Hello {{ money }} {% now 'Y' %} %(order_number)s," in text_of(message)


def test_names_of_every_script_arrive() -> None:
    message = sent_mail(username="Zoë 学ぶ 🎓")
    parsed = message.message().as_bytes()
    assert "Zoë 学ぶ 🎓" in text_of(message)
    assert b"charset=" in parsed


@pytest.mark.parametrize("language", ["en-us", "de", "ar", "xx"])
def test_wording_is_english_as_long_as_nobody_translates_it(language: str) -> None:
    with translation.override(language):
        message = sent_mail()
    assert message.subject == "Your order EDX-1"
    assert "thank you for your order" in text_of(message)


def test_html_names_its_language() -> None:
    assert '<html lang="en-us">' in html_of(sent_mail())


def test_mail_is_sent_with_translations_off_too() -> None:
    with translation.override(None):
        message = sent_mail()
    assert "thank you for your order" in text_of(message)
    assert 'lang="None"' not in html_of(message)


# --- When the mail server says no ---


class Refusing(BaseEmailBackend):
    """Raises what the test says, as the SMTP backend would."""

    error: Exception

    def send_messages(self, email_messages: Any) -> int:
        raise type(self).error


@pytest.fixture
def mail_server_says(settings, monkeypatch):
    def say(error: Exception) -> None:
        settings.EMAIL_BACKEND = f"{__name__}.Refusing"
        monkeypatch.setattr(Refusing, "error", error, raising=False)

    return say


def refused(*codes: int) -> smtplib.SMTPRecipientsRefused:
    return smtplib.SMTPRecipientsRefused({f"{n}-{ADDRESS}": (code, b"no such user") for n, code in enumerate(codes)})


@pytest.mark.database
@pytest.mark.parametrize("code", [500, 550, 553, 599])
def test_recipient_refused_for_good_is_given_up(confirmed, mail_server_says, code: int) -> None:
    mail_server_says(refused(code))
    delivery = confirmed()
    assert (delivery.state, delivery.attempts, delivery.error_class) == ("dead", 1, "GiveUp")
    assert ADDRESS not in delivery.error_text


@pytest.mark.database
@pytest.mark.parametrize(
    "error",
    [
        refused(450),
        refused(421),
        refused(550, 450),
        smtplib.SMTPSenderRefused(550, b"who are you", "shop@example.org"),
        smtplib.SMTPDataError(554, b"looks like spam"),
        smtplib.SMTPServerDisconnected("gone"),
        smtplib.SMTPConnectError(421, b"busy"),
        smtplib.SMTPAuthenticationError(535, b"bad password"),
        ConnectionRefusedError("nobody listens"),
        TimeoutError("timed out"),
    ],
    ids=lambda error: f"{type(error).__name__} {error}"[:50],
)
def test_any_other_failure_is_tried_again(confirmed, mail_server_says, error: Exception) -> None:
    mail_server_says(error)
    delivery = confirmed()
    assert (delivery.state, delivery.attempts) == ("pending", 1)
    assert delivery.error_class == type(error).__name__
    assert Attempt.objects.get().outcome == "retry"


def test_failure_is_raised_to_whoever_calls_the_plain_function(mail_server_says) -> None:
    error = refused(450)
    mail_server_says(error)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as raised:
        send_order_confirmation(**ORDER)
    assert raised.value is error


def test_giving_up_names_no_recipient(mail_server_says) -> None:
    mail_server_says(refused(550))
    with pytest.raises(GiveUp) as raised:
        send_order_confirmation(**ORDER)
    assert ADDRESS not in str(raised.value)


@pytest.mark.database
def test_failure_tells_no_address_in_the_log(confirmed, mail_server_says, caplog) -> None:
    mail_server_says(refused(450))
    confirmed()
    assert caplog.records
    assert not [line for line in caplog.records if ADDRESS in f"{line.__dict__} {line.exc_text}"]


@pytest.mark.database
def test_retried_mail_is_sent_once_it_can_be(confirmed, mail_server_says, settings) -> None:
    backend = settings.EMAIL_BACKEND
    mail_server_says(smtplib.SMTPServerDisconnected("gone"))
    delivery = confirmed()
    settings.EMAIL_BACKEND = backend
    Delivery.objects.update(next_attempt_at=delivery.created_at)
    assert [each.state for each in run_deliveries()] == ["succeeded"]
    assert len(mail.outbox) == 1


@pytest.mark.database
@pytest.mark.parametrize(
    "address",
    ["", "ann", "ann@", "@example.com", "ann@example.com, bob@example.com", "ann@example.com\nBcc: bob@example.com"],
)
def test_what_is_no_address_gets_no_mail_and_is_an_operators_business(confirmed, address: str) -> None:
    delivery = confirmed(email=address)
    assert (delivery.state, delivery.error_class) == ("dead", "GiveUp")
    assert mail.outbox == []
    assert not address or address not in delivery.error_text
