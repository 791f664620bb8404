"""What only PayPal tells: the money waits for us to take it."""

from pydantic import AwareDatetime

from commerce_coordinator.payloads.base import Payload
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderNumber


class PayPalOrderApproved(Payload):
    """A buyer has approved an order at PayPal; nothing is paid until it is captured.

    money: what he approved, over all purchase units. His browser may have made the order: amount and order_number are
    his words until they are compared with the price owed.
    """

    account: str
    paypal_order_id: str
    order_number: OrderNumber
    money: Money
    approved_at: AwareDatetime
