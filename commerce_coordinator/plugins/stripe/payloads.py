"""What only Stripe's own plugin speaks of."""

from commerce_coordinator.payloads.base import Payload


class ChargeRefunded(Payload):
    """Something of a charge was refunded, and the event does not say what: its refunds are to be asked for."""

    account: str
    payment_id: str
    charge_id: str
