"""Payments: what a provider took, and for which order."""

from pydantic import AwareDatetime

from .base import Payload, PrivateText
from .money import Money
from .orders import OrderLine, OrderNumber


class PaymentCaptured(Payload):
    """A provider holds the buyer's money. `money` is what was received, not what was asked for.

    lines: as far as the payment itself names them; empty when only the system of record knows. So are the buyer's id,
    name and address: a provider that carries no more than an order number leaves them out.
    """

    provider: str
    account: str
    payment_id: str
    order_number: OrderNumber
    money: Money
    captured_at: AwareDatetime
    lms_user_id: int | None = None
    username: PrivateText = ""
    email: PrivateText = ""
    lines: tuple[OrderLine, ...] = ()


class PaymentFailed(Payload):
    """A try to pay failed. Not the last word unless `final`: the buyer may try again with the same payment.

    reason: the provider's own code, never its text.
    """

    provider: str
    account: str
    payment_id: str
    order_number: OrderNumber
    failed_at: AwareDatetime
    final: bool = False
    reason: str = ""
    lms_user_id: int | None = None


class RefundRequested(Payload):
    """The buyer's money is to go back. The provider named has a delivery task for it; all others leave it alone.

    refund_request_id: the same for every try of one request; the provider's refund carries it.
    money: None asks for what is left of the payment. line_number: None when the whole order is given back.
    """

    refund_request_id: str
    order_number: OrderNumber
    line_number: int | None = None
    provider: str
    account: str
    payment_id: str
    money: Money | None = None
    lms_user_id: int | None = None
    username: PrivateText


class PaymentRefunded(Payload):
    """A provider has given money back, wholly or in part. Once per refund id, and only when it succeeded.

    money: of this refund alone. refund_request_id: ours, "" for a refund made in the provider's dashboard.
    """

    provider: str
    account: str
    payment_id: str
    refund_id: str
    money: Money
    refunded_at: AwareDatetime
    refund_request_id: str = ""


class RefundFailed(Payload):
    """A refund did not reach the buyer, whether it had been told of as done or not: the money is with us again.

    reason: the provider's own code, never its text.
    """

    provider: str
    account: str
    payment_id: str
    refund_id: str
    money: Money
    failed_at: AwareDatetime
    refund_request_id: str = ""
    reason: str = ""


class PaymentDisputed(Payload):
    """The buyer, or his bank, asks for the money back. Nothing is decided, and access stays; an inquiry is none yet.

    reason: the provider's own code.
    """

    provider: str
    account: str
    payment_id: str
    dispute_id: str
    money: Money
    disputed_at: AwareDatetime
    reason: str = ""


class DisputeLost(Payload):
    """A dispute was decided for the buyer: `money` has gone back to him. Once per dispute.

    told_as_refund: the provider tells of the same money by a refund of its own as well; it counts once.
    """

    provider: str
    account: str
    payment_id: str
    dispute_id: str
    money: Money
    lost_at: AwareDatetime
    told_as_refund: bool = False


class DisputeWon(Payload):
    """A dispute ended with the money with us, however it came to that. Once per dispute."""

    provider: str
    account: str
    payment_id: str
    dispute_id: str
    money: Money
    won_at: AwareDatetime


class RefundNeedsAttention(Payload):
    """A refund, a refund that failed, or a dispute that somebody must look at. `reason`: a sentence without values.

    refund_id: of a dispute, "dispute:" and its id.
    """

    provider: str
    account: str
    payment_id: str
    refund_id: str
    order_number: str = ""
    money: Money
    reason: str


class OrderRefunded(Payload):
    """The whole of an order's payment has gone back, and its access is being taken back.

    Of a learner who has retired, neither id nor name nor address is known any more.
    """

    order_number: OrderNumber
    provider: str
    account: str
    payment_id: str
    refund_id: str
    money: Money
    lms_user_id: int | None = None
    username: PrivateText
    email: PrivateText = ""
    lines: tuple[OrderLine, ...] = ()


class OrderLineRefunded(OrderRefunded):
    """Money for one line of an order has gone back, as it was asked for, and the line's access is being taken back.

    money: what went back. lines: that line alone.
    """
