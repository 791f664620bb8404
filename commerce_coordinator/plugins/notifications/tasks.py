"""E-mails. Sent after they are due, at least once: SMTP has no way to ask whether a mail went out before a crash."""

import smtplib

from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.core.exceptions import GiveUp
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine


@delivery_task
def send_order_confirmation(
    *, order_number: str, money: Money, username: str, email: str, lines: tuple[OrderLine, ...]
) -> None:
    """Tell the learner that the order is placed, in text and HTML."""
    try:
        validate_email(email)
    except ValidationError:
        raise GiveUp("The learner's e-mail address is none.") from None
    context = {"order_number": order_number, "money": money, "username": username, "lines": lines}
    message = EmailMultiAlternatives(
        subject=_("Your order %(order_number)s") % {"order_number": order_number},
        body=render_to_string("notifications/order_confirmation.txt", context),
        to=[email],
        # The same for every try, so that a mail system which knows duplicates can drop them.
        headers={"X-Order-Number": order_number},
    )
    message.attach_alternative(render_to_string("notifications/order_confirmation.html", context), "text/html")
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        if all(500 <= code < 600 for code, _reason in error.recipients.values()):
            raise GiveUp("The mail server refuses the recipient for good.") from None
        raise
