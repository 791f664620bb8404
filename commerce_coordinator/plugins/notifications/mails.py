"""All mails, in one table. A mail's name is that of its two templates: notifications/<name>.txt and .html."""

import dataclasses
import enum
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from . import contexts
from .contexts import Context, Label
from .texts import one_line, tidy


class Reader(enum.StrEnum):
    """Whom a mail is for; by this its language is chosen."""

    LEARNER = "learner"
    OPERATOR = "operator"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mail:
    """A kind of mail. `subject` may name values of its context: %(about)s; `context` makes that of a signal's."""

    name: str
    reader: Reader
    when: str
    subject: Label
    context: Callable[..., Context]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rendered:
    """A mail as it is sent: a subject of one line, and its text in two forms."""

    subject: str
    text: str
    html: str


ORDER_CONFIRMATION = Mail(
    name="order_confirmation",
    reader=Reader.LEARNER,
    when="An order is placed.",
    subject=_("Your order %(about)s"),
    context=contexts.of_order,
)
REFUND_CONFIRMATION = Mail(
    name="refund_confirmation",
    reader=Reader.LEARNER,
    when="The whole of an order's payment has gone back, or the money for one line that was asked for.",
    subject=_("Your refund for order %(about)s"),
    context=contexts.of_order,
)
ENROLLMENT_REFUSED = Mail(
    name="enrollment_refused",
    reader=Reader.OPERATOR,
    when="The LMS refuses an enrolment or an entitlement for good.",
    subject=_("Enrolment refused: %(about)s"),
    context=contexts.of_refusal,
)
ORDER_HELD = Mail(
    name="order_held",
    reader=Reader.OPERATOR,
    when="A payment came, and no order was placed of it.",
    subject=_("Order held: %(about)s"),
    context=contexts.of_held_order,
)
REFUND_NEEDS_ATTENTION = Mail(
    name="refund_needs_attention",
    reader=Reader.OPERATOR,
    when="A refund leaves a question, a refund failed, or a payment is disputed.",
    subject=_("A payment needs your attention: %(about)s"),
    context=contexts.of_doubtful_refund,
)

MAILS = {
    mail.name: mail
    for mail in (ORDER_CONFIRMATION, REFUND_CONFIRMATION, ENROLLMENT_REFUSED, ORDER_HELD, REFUND_NEEDS_ATTENTION)
}


def language_of(mail: Mail) -> str:
    """The language that this mail is sent in."""
    by_reader: dict[Reader, str] = {Reader.LEARNER: settings.CC_MAIL_LANGUAGE, Reader.OPERATOR: settings.LANGUAGE_CODE}
    return by_reader[mail.reader]


def render(mail: Mail, values: Mapping[str, Any], language: str | None = None) -> Rendered:
    """The mail in this language, or in its own. Raises Django's template errors for a template that is broken."""
    with translation.override(language or language_of(mail)):
        context = mail.context(**values)
        context["subject"] = one_line(str(mail.subject) % context)
        return Rendered(
            subject=context["subject"],
            text=tidy(render_to_string(f"notifications/{mail.name}.txt", context)),
            html=render_to_string(f"notifications/{mail.name}.html", context),
        )
