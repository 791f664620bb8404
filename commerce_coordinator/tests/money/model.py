"""What is true of orders, payments and access once all is told. Written from the facts, not from the service's code.

A history is what happened at the provider. The learner has what his money, as far as the shop has it, paid for; the
refunded sum is what refunds gave back and did not fail.
"""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    """A course on an order. price: in the currency's ISO minor units."""

    number: int
    course: str
    mode: str
    price: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Refund:
    """`statuses`: each state that the provider told of, in turn. `line`: we asked for this line's money; None: a person
    at the provider's dashboard did, and named nothing. `whole_asked`: we asked for all of it."""

    refund_id: str
    amount: int
    statuses: tuple[str, ...]
    line: int | None = None
    whole_asked: bool = False

    @property
    def stands(self) -> bool:
        return self.statuses[-1] == "succeeded"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dispute:
    """`outcome`: "open", "won" or "lost". An inquiry ends without money moving."""

    dispute_id: str
    amount: int
    outcome: str
    is_inquiry: bool = False

    @property
    def is_lost(self) -> bool:
        return self.outcome == "lost" and not self.is_inquiry


@dataclasses.dataclass(frozen=True, kw_only=True)
class Payment:
    """`failures`: tries that failed before. `captured`: whether the money came in the end. `way`: how it was taken."""

    payment_id: str
    amount: int
    captured: bool
    failures: int = 0
    way: str = "direct"
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()

    @property
    def gone(self) -> int:
        refunded = sum(refund.amount for refund in self.refunds if refund.stands)
        return refunded + sum(dispute.amount for dispute in self.disputes if dispute.is_lost)

    @property
    def is_wholly_gone(self) -> bool:
        return self.gone >= self.amount


@dataclasses.dataclass(frozen=True, kw_only=True)
class History:
    """One order of one learner, and what became of its money. `owed`: the price by the shop."""

    seed: int
    order_number: str
    lms_user_id: int
    username: str
    currency: str
    owed: int
    lines: tuple[Line, ...]
    payments: tuple[Payment, ...]


def access(history: History) -> set[tuple[str, str]]:
    """(course, mode) that the learner has in the end."""
    found: set[tuple[str, str]] = set()
    for payment in history.payments:
        if not payment.captured or payment.amount != history.owed or payment.is_wholly_gone:
            continue
        given_back = {refund.line for refund in payment.refunds if refund.stands}
        found |= {(line.course, line.mode) for line in history.lines if line.number not in given_back}
    return found


def refunded_sum(history: History, *, with_disputes: bool) -> int:
    """In ISO minor units. with_disputes: the provider tells of what a lost dispute took as of a refund, too."""
    found = sum(refund.amount for payment in history.payments for refund in payment.refunds if refund.stands)
    if with_disputes:
        found += sum(each.amount for payment in history.payments for each in payment.disputes if each.is_lost)
    return found


def is_held(history: History) -> bool:
    """Whether somebody paid another sum than the price, and has not all of it back."""
    return any(
        payment.captured and payment.amount != history.owed and not payment.is_wholly_gone
        for payment in history.payments
    )
