"""Which mail goes to whom, and what it says."""

import dataclasses
import uuid
from email.message import Message
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.deliveries.replay import replay
from commerce_coordinator.core.deliveries.running import RunningAttempt, run_as
from commerce_coordinator.core.deliveries.tasks import deliver
from commerce_coordinator.core.testing import run_deliveries
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine

from .. import mails
from ..tasks import send_order_confirmation, send_refund_confirmation
from .shop import ADDRESS, LINES, VALUES, doubtful, held, placed, refunded, refused

OPERATOR = "operator@example.org"
ORDER: dict[str, Any] = {
    name: VALUES[placed.name][name] for name in ("order_number", "money", "username", "email", "lines")
}


@pytest.fixture(autouse=True)
def _service(settings: Any) -> None:
    settings.CC_OPERATOR_EMAILS = [OPERATOR]
    settings.CC_PUBLIC_URL = "https://coordinator.example.org/"


def the_mail() -> mail.EmailMultiAlternatives:
    [message] = mail.outbox
    assert isinstance(message, mail.EmailMultiAlternatives)
    return message


def sent_mail(**changes: Any) -> mail.EmailMultiAlternatives:
    """The one mail that the confirmation sends, called as a plain function."""
    assert send_order_confirmation(**{**ORDER, **changes}) is None
    return the_mail()


def text_of(message: mail.EmailMultiAlternatives) -> str:
    return str(message.body)


def html_of(message: mail.EmailMultiAlternatives) -> str:
    [(content, kind)] = message.alternatives
    assert kind == "text/html"
    return str(content)


# --- To the learner ---


@pytest.mark.database
@pytest.mark.parametrize(
    ("signal", "subject"), [(placed, "Your order EDX-1"), (refunded, "Your refund for order EDX-1")]
)
def test_learner_gets_one_mail(tell, signal, subject: str) -> None:
    delivery = tell(signal)
    assert (delivery.state, delivery.attempts) == ("succeeded", 1)
    message = the_mail()
    assert (message.to, message.cc, message.bcc) == ([ADDRESS], [], [])
    assert message.subject == subject


@pytest.mark.parametrize("task", [send_order_confirmation, send_refund_confirmation])
def test_mail_says_what_it_is_about_in_text_and_in_html(task, settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "shop@example.org"
    task(**ORDER)
    message = the_mail()
    assert message.from_email == "shop@example.org"
    for content in (text_of(message), html_of(message)):
        assert "Hello ann," in content
        assert "EDX-1" in content
        assert "447.00 USD" in content
        assert content.index("course-v1:X+A+1") < content.index("course-v1:X+B+1")
        assert "(audit)" in content
        assert "{" not in content.replace("style=", "")
    assert "<" not in text_of(message)
    assert "\n\n\n" not in text_of(message)


def test_line_is_named_by_its_title_and_an_entitlement_says_what_to_do_next() -> None:
    course = str(uuid.UUID(int=7))
    message = sent_mail(
        lines=(
            OrderLine(line_number=1, course_key="course-v1:X+A+1", mode="verified", title="Baking <Bread>"),
            OrderLine(line_number=2, course_uuid=course, mode="verified", title="Spices"),
        )
    )
    assert "- Baking <Bread> (verified)\n  course-v1:X+A+1\n" in text_of(message)
    assert "- Spices (verified)\n  Choose a session of this course on your dashboard.\n" in text_of(message)
    assert "Baking &lt;Bread&gt;" in html_of(message)
    for content in (text_of(message), html_of(message)):
        assert content.count("Choose a session") == 1
        assert course not in content


def test_entitlement_without_a_title_is_named_by_what_there_is() -> None:
    course = str(uuid.UUID(int=7))
    message = sent_mail(lines=(OrderLine(line_number=1, course_uuid=course, mode="verified"),))
    assert f"- {course} (verified)" in text_of(message)


def test_refund_of_an_order_whose_lines_nobody_knows_is_confirmed_too() -> None:
    send_refund_confirmation(**{**ORDER, "lines": ()})
    for content in (text_of(the_mail()), html_of(the_mail())):
        assert "447.00 USD" in content
        assert "Your access" not in content


def test_refund_sends_nobody_to_choose_a_session() -> None:
    course = OrderLine(line_number=1, course_uuid=str(uuid.UUID(int=7)), mode="verified", title="Spices")
    send_refund_confirmation(**{**ORDER, "lines": (course,)})
    for content in (text_of(the_mail()), html_of(the_mail())):
        assert "Spices" in content
        assert "Choose a session" not in content


def test_subject_is_one_line_whatever_a_translation_says() -> None:
    broken = dataclasses.replace(mails.ORDER_CONFIRMATION, subject="Your order\r\nBcc: %(about)s")
    values = {name: ORDER[name] for name in ("order_number", "money", "username", "lines")}
    assert mails.render(broken, values).subject == "Your order Bcc: EDX-1"


def test_mail_is_one_message_of_two_forms() -> None:
    parts: Message = sent_mail().message()
    assert parts.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parts.get_payload()] == ["text/plain", "text/html"]  # type: ignore[union-attr]
    assert parts["X-Order-Number"] == "EDX-1"


def test_what_a_learner_calls_himself_is_no_markup() -> None:
    message = sent_mail(username='<b>Ann</b> & "co"', order_number="EDX-<i>1</i>")
    html, text = html_of(message), text_of(message)
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;Ann&lt;/b&gt; &amp; &quot;co&quot;" in html
    assert "EDX-&lt;i&gt;1&lt;/i&gt;" in html
    assert 'Hello <b>Ann</b> & "co",' in text


def test_template_language_in_a_name_is_text() -> None:
    message = sent_mail(username="{{ money }} {% now 'Y' %} %(order_number)s", order_number="EDX-%(money)s")
    assert "Hello {{ money }} {% now 'Y' %} %(order_number)s," in text_of(message)
    assert message.subject == "Your order EDX-%(money)s"


def test_line_break_in_a_title_begins_no_line_of_ours() -> None:
    line = OrderLine(line_number=1, course_key="course-v1:X+A+1", mode="verified", title="Bread\n\nPay again at once!")
    assert "- Bread Pay again at once! (verified)\n" in text_of(sent_mail(lines=(line,)))


def test_names_of_every_script_arrive() -> None:
    message = sent_mail(username="Zoë 学ぶ 🎓")
    assert "Zoë 学ぶ 🎓" in text_of(message)
    assert b"charset=" in message.message().as_bytes()


@pytest.mark.database
@pytest.mark.parametrize(
    "address",
    ["", "ann", "ann@", "@example.com", "ann@example.com, bob@example.com", "ann@example.com\nBcc: bob@example.com"],
)
@pytest.mark.parametrize("signal", [placed, refunded], ids=["placed", "refunded"])
def test_what_is_no_address_gets_no_mail_and_is_an_operators_business(tell, signal, address: str) -> None:
    delivery = tell(signal, email=address)
    assert (delivery.state, delivery.error_class) == ("dead", "GiveUp")
    assert mail.outbox == []
    assert not address or address not in delivery.error_text


# --- To the operator ---


@pytest.mark.parametrize(
    ("signal", "subject", "told"),
    [
        (refused, "Enrolment refused: EDX-1", ["EDX-1", "course-v1:X+B+1", "audit", "1313", "is closed."]),
        (held, "Order held: EDX-1", ["EDX-1", "447.00 USD", "448.00 USD", "any", "eu", "pay_1", "1313", "price owed"]),
        (doubtful, "A payment needs your attention: EDX-1", ["447.00 USD", "pay_1", "re_1", "no line is named"]),
    ],
    ids=["refused", "held", "doubtful"],
)
def test_operator_is_told_with_ids_and_a_reason_and_no_private_value(tell, signal, subject: str, told) -> None:
    assert tell(signal).state == "succeeded"
    message = the_mail()
    assert (message.to, message.subject) == ([OPERATOR], subject)
    for content in (text_of(message), html_of(message)):
        assert [each for each in told if each not in content] == []
        assert ADDRESS not in content
        assert " ann " not in content
    assert "\n\n\n" not in text_of(message)


def test_what_the_far_side_says_is_no_markup_in_html_and_as_it_is_in_text(tell) -> None:
    tell(refused, reason="<b>Mode & course</b>")
    assert "The LMS says: <b>Mode & course</b>" in text_of(the_mail())
    assert "&lt;b&gt;Mode &amp; course&lt;/b&gt;" in html_of(the_mail())


def test_what_is_not_known_is_left_out(tell) -> None:
    tell(held, owed=None, account="")
    assert "Owed" not in text_of(the_mail())
    assert "Account" not in text_of(the_mail())


@pytest.mark.parametrize(
    ("signal", "changes", "subject"),
    [
        (doubtful, {"order_number": ""}, "A payment needs your attention: pay_1"),
        (
            refused,
            {"order_number": "", "line_number": 0, "lms_user_id": None},
            "Enrolment refused: course-v1:X+B+1",
        ),
    ],
    ids=["refund", "refusal"],
)
def test_mail_without_an_order_number_says_what_it_is_about(tell, signal, changes, subject: str) -> None:
    assert tell(signal, **changes).state == "succeeded"
    message = the_mail()
    assert message.subject == subject
    assert "X-Order-Number" not in message.extra_headers
    assert "Order:" not in text_of(message)
    assert "None" not in text_of(message)


def test_operator_gets_links_to_the_rows_that_it_comes_from(tell) -> None:
    # As it is in life: sent from a delivery, which then gave up.
    first = tell(held)
    mail.outbox.clear()
    sender = RunningAttempt(
        delivery_id=first.pk,
        attempt_id=None,
        receiver="",
        number=1,
        idempotency_key="k",
        declared_sends=None,
    )
    with run_as(sender):
        refused.send_robust(sender="test", **VALUES[refused.name])
    run_deliveries()
    dispatch = Dispatch.objects.get(signal=refused.name)
    text, html = text_of(the_mail()), html_of(the_mail())
    for page, key in (("deliveries_delivery_change", first.pk), ("deliveries_dispatch_change", dispatch.pk)):
        address = f"https://coordinator.example.org{reverse(f'admin:{page}', args=[key])}"
        assert address in text
        assert f'href="{address}"' in html


def test_signal_that_no_delivery_sent_links_its_dispatch_alone(tell) -> None:
    tell(held)
    assert "/admin/deliveries/dispatch/" in text_of(the_mail())
    assert "/admin/deliveries/delivery/" not in text_of(the_mail())


def test_without_an_address_of_the_service_the_path_is_told(tell, settings) -> None:
    settings.CC_PUBLIC_URL = ""
    tell(held)
    [dispatch] = Dispatch.objects.all()
    path = reverse("admin:deliveries_dispatch_change", args=[dispatch.pk])
    assert f"\n{path}\n" in text_of(the_mail())
    assert "<a " not in html_of(the_mail())


@pytest.mark.parametrize("nobody", [[], "", ["operator"], [""]], ids=str)
def test_with_nobody_to_tell_the_dead_letter_tells(tell, settings, nobody) -> None:
    settings.CC_OPERATOR_EMAILS = nobody
    delivery = tell(held)
    assert (delivery.state, delivery.error_class) == ("dead", "GiveUp")
    assert "CC_OPERATOR_EMAILS" in delivery.error_text
    assert mail.outbox == []
    settings.CC_OPERATOR_EMAILS = [OPERATOR]
    replay(delivery)
    assert [each.state for each in run_deliveries()] == ["succeeded"]
    assert the_mail().to == [OPERATOR]


@pytest.mark.parametrize(
    "given",
    [["a@example.org", "b@example.org"], "a@example.org, b@example.org", ["a@example.org", "b@example.org"] * 2],
)
def test_every_operator_is_told_once(tell, settings, given) -> None:
    settings.CC_OPERATOR_EMAILS = given
    tell(held)
    assert the_mail().to == ["a@example.org", "b@example.org"]


def test_mail_to_the_operator_costs_one_statement_beside_its_delivery(tell) -> None:
    held.send_robust(sender="test", **VALUES[held.name])
    due = Delivery.objects.get()
    with CaptureQueriesContext(connection) as caught:
        deliver(due.pk.hex)
    statements = [each["sql"] for each in caught if "SAVEPOINT" not in each["sql"]]
    assert len(statements) <= 4 + 1, statements
    assert len(mail.outbox) == 1


# --- Languages ---


def test_learners_are_written_to_in_their_setting_and_operators_in_the_admins(tell, settings) -> None:
    settings.CC_MAIL_LANGUAGE, settings.LANGUAGE_CODE = "de", "en-us"
    with translation.override("fr"):
        tell(placed)
        tell(held)
    to_learner, to_operator = mail.outbox
    assert to_learner.subject == "Ihre Bestellung EDX-1"
    assert "447,00 USD" in to_learner.body
    assert to_operator.subject == "Order held: EDX-1"
    settings.CC_MAIL_LANGUAGE, settings.LANGUAGE_CODE = "en", "de"
    tell(placed, payment_id="pay_2", order_number="EDX-2")
    tell(held, payment_id="pay_2", order_number="EDX-2")
    assert [message.subject for message in mail.outbox[2:]] == ["Your order EDX-2", "Bestellung angehalten: EDX-2"]


@pytest.mark.parametrize("language", ["en", "en-gb", "xx", "ar"])
def test_wording_is_english_as_long_as_nobody_translates_it(settings, language: str) -> None:
    settings.CC_MAIL_LANGUAGE = language
    message = sent_mail()
    assert message.subject == "Your order EDX-1"
    assert "we have received your payment" in text_of(message)
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in html_of(message)


@pytest.mark.parametrize("lines", [LINES, ()], ids=["lines", "none"])
def test_mail_is_sent_with_translations_off_too(settings, lines) -> None:
    settings.USE_I18N = False
    assert "we have received your payment" in text_of(sent_mail(lines=lines))


@pytest.mark.parametrize(
    ("amount", "currency", "english", "german"),
    [
        (14900, "EUR", "149.00 EUR", "149,00 EUR"),
        (5, "EUR", "0.05 EUR", "0,05 EUR"),
        (0, "EUR", "0.00 EUR", "0,00 EUR"),
        (14900, "JPY", "14,900 JPY", "14.900 JPY"),
        (14900, "KWD", "14.900 KWD", "14,900 KWD"),
        (1234567890, "USD", "12,345,678.90 USD", "12.345.678,90 USD"),
    ],
)
def test_money_is_written_as_the_language_does_with_the_currencys_own_places(
    settings, amount: int, currency: str, english: str, german: str
) -> None:
    for language, shown in (("en", english), ("de", german)):
        settings.CC_MAIL_LANGUAGE = language
        mail.outbox.clear()
        message = sent_mail(money=Money(amount=amount, currency=currency))
        assert f" {shown} " in text_of(message)
        assert f" {shown} " in html_of(message)
