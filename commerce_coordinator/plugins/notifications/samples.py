"""Invented values, one set for each mail: what the preview shows. Nobody of them exists."""

import uuid
from typing import Any

from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine

from . import mails
from .contexts import Source

LEARNER = "learner@example.com"
OPERATOR = "operator@example.com"

_ORDER = "EDX-100042"
_COURSE = "course-v1:DemoX+Baking+2026"
_PAYMENT = {"provider": "stripe", "account": "", "payment_id": "pi_3SampleOfAPayment"}
_SOURCE = Source(dispatch=uuid.UUID(int=1), delivery=uuid.UUID(int=2))
_BOUGHT: dict[str, Any] = {
    "order_number": _ORDER,
    "money": Money(amount=134700, currency="USD"),
    "username": "robin",
    "lines": (
        OrderLine(line_number=1, course_key=_COURSE, mode="verified", title="Baking Bread at Home"),
        OrderLine(line_number=2, course_key="course-v1:DemoX+Tea+2026", mode="no-id-professional"),
        OrderLine(line_number=3, course_uuid=str(uuid.UUID(int=3)), mode="verified", title="A History of Spices"),
    ),
}

SAMPLES: dict[str, dict[str, Any]] = {
    mails.ORDER_CONFIRMATION.name: _BOUGHT,
    mails.REFUND_CONFIRMATION.name: _BOUGHT,
    mails.ENROLLMENT_REFUSED.name: {
        "order_number": _ORDER,
        "line_number": 1,
        "lms_user_id": 1313,
        "username": "robin",
        "course_key": _COURSE,
        "course_uuid": "",
        "mode": "verified",
        "reason": "The course mode 'verified' is expired or otherwise unavailable for robin.",
        "source": _SOURCE,
    },
    mails.ORDER_HELD.name: {
        **_PAYMENT,
        "order_number": _ORDER,
        "money": Money(amount=100, currency="USD"),
        "owed": Money(amount=134700, currency="USD"),
        "reason": "The amount received is not the price owed.",
        "lms_user_id": 1313,
        "source": _SOURCE,
    },
    mails.REFUND_NEEDS_ATTENTION.name: {
        **_PAYMENT,
        "refund_id": "re_3SampleOfARefund",
        "order_number": _ORDER,
        "money": Money(amount=44900, currency="USD"),
        "reason": "A part of the payment went back, and the refund names no line.",
        "source": _SOURCE,
    },
}
