"""What the templates get: pure functions from a signal's values to texts, in the language that is active."""

import dataclasses
import uuid
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine

from .texts import money_text, one_line, without_person

Context = dict[str, Any]
Label = str | Promise


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """The rows that a mail to the operator comes from. `delivery`: the one that sent its signal, if one did."""

    dispatch: uuid.UUID | None = None
    delivery: uuid.UUID | None = None


@dataclasses.dataclass(frozen=True)
class Link:
    """A page of the admin. `address` is a path only where CC_PUBLIC_URL is not set."""

    label: Label
    address: str

    @property
    def is_whole(self) -> bool:
        return "://" in self.address


# --- To the learner ---


def of_order(*, order_number: str, money: Money, username: str, lines: tuple[OrderLine, ...]) -> Context:
    """Of an order that was placed, or given back."""
    return {
        "order_number": one_line(order_number),
        "about": one_line(order_number),
        "money": money_text(money),
        "username": one_line(username),
        "lines": [_line(line) for line in lines],
    }


def _line(line: OrderLine) -> Context:
    """Something bought, as people know it. Where the source knows no title, its id must do."""
    what = one_line(line.course_key or line.course_uuid)
    title = one_line(line.title)
    return {
        "title": title or what,
        # Nobody knows a course by its UUID.
        "course_key": one_line(line.course_key) if title else "",
        "mode": one_line(line.mode),
        "is_entitlement": bool(line.course_uuid),
    }


# --- To the operator ---


def of_refusal(
    *,
    order_number: str,
    line_number: int,
    lms_user_id: int | None,
    username: str,
    course_key: str,
    course_uuid: str,
    mode: str,
    reason: str,
    source: Source,
) -> Context:
    """Of an enrolment, or an entitlement, that the LMS refuses."""
    course = course_key or course_uuid
    return _for_operator(
        order_number or course,
        source,
        (pgettext_lazy("mail", "Order"), order_number),
        (pgettext_lazy("mail", "Line"), line_number or ""),
        (pgettext_lazy("mail", "Course"), course),
        (pgettext_lazy("mail", "Mode"), mode),
        (pgettext_lazy("mail", "LMS user id"), lms_user_id or ""),
        (pgettext_lazy("mail", "The LMS says"), without_person(reason, [username])),
    )


def of_held_order(
    *,
    order_number: str,
    provider: str,
    account: str,
    payment_id: str,
    money: Money,
    owed: Money | None,
    reason: str,
    lms_user_id: int,
    source: Source,
) -> Context:
    """Of a payment that no order was placed of."""
    return _for_operator(
        order_number,
        source,
        (pgettext_lazy("mail", "Order"), order_number),
        (pgettext_lazy("mail", "Reason"), reason),
        (pgettext_lazy("mail", "Received"), money_text(money)),
        (pgettext_lazy("mail", "Owed"), money_text(owed) if owed else ""),
        (pgettext_lazy("mail", "Provider"), provider),
        (pgettext_lazy("mail", "Account"), account),
        (pgettext_lazy("mail", "Payment"), payment_id),
        (pgettext_lazy("mail", "LMS user id"), lms_user_id),
    )


def of_doubtful_refund(
    *,
    provider: str,
    account: str,
    payment_id: str,
    refund_id: str,
    order_number: str,
    money: Money,
    reason: str,
    source: Source,
) -> Context:
    """Of a refund or a dispute that somebody must look at."""
    return _for_operator(
        order_number or payment_id,
        source,
        (pgettext_lazy("mail", "Order"), order_number),
        (pgettext_lazy("mail", "Reason"), reason),
        (pgettext_lazy("mail", "Amount in question"), money_text(money)),
        (pgettext_lazy("mail", "Provider"), provider),
        (pgettext_lazy("mail", "Account"), account),
        (pgettext_lazy("mail", "Payment"), payment_id),
        (pgettext_lazy("mail", "Refund"), refund_id),
    )


def _for_operator(about: str, source: Source, *facts: tuple[Label, object]) -> Context:
    return {
        "about": one_line(about),
        "facts": [(label, one_line(value)) for label, value in facts if value != ""],
        "links": _links(source),
    }


def _links(source: Source) -> list[Link]:
    rows = (
        (pgettext_lazy("mail", "The delivery that it comes from"), "admin:deliveries_delivery_change", source.delivery),
        (pgettext_lazy("mail", "The signal and who got it"), "admin:deliveries_dispatch_change", source.dispatch),
    )
    root = settings.CC_PUBLIC_URL.rstrip("/")
    return [Link(label, f"{root}{reverse(page, args=[key])}") for label, page, key in rows if key]
