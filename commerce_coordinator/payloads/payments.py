"""Payments: what a provider took, and for which order."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from .base import Payload, PrivateText
from .money import Money
from .orders import OrderLine, OrderNumber


class PaymentCaptured(Payload):
    """A provider holds the buyer's money. `money` is what was received, not what was asked for."""

    provider: str
    account: str
    payment_id: str
    order_number: OrderNumber
    money: Money
    captured_at: AwareDatetime
    lms_user_id: int
    username: PrivateText
    email: PrivateText
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1)]
