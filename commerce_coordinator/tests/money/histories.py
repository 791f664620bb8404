"""Histories by chance, the same for the same seed: what can happen at a provider, in amounts that add up."""

import random

from .model import Dispute, History, Line, Payment, Refund

CURRENCIES = ("USD", "EUR", "JPY", "KWD", "ISK", "HUF")
#: Amounts are whole tens of what every provider can say of its currency: KWD ends in 0, ISK and HUF in whole units.
GRAIN = {"USD": 1, "EUR": 1, "JPY": 1, "KWD": 10, "ISK": 1, "HUF": 100}
WAYS = ("direct", "direct", "session", "async")
MODES = ("verified", "professional", "audit")
#: How a refund goes: at once, after a while, or not at all, even after it was told of as done.
COURSES = (("succeeded",), ("pending", "succeeded"), ("succeeded", "failed"), ("pending", "failed"))


def history(seed: int, *, currencies: tuple[str, ...] = CURRENCIES) -> History:
    """One order: a payment that may be tried again under a new id, refunds, disputes."""
    chance = random.Random(seed)
    currency = chance.choice(currencies)
    grain = GRAIN[currency]
    lines = tuple(
        Line(
            number=number,
            course=f"course-v1:Oracle+S{seed}+L{number}",
            mode=chance.choice(MODES),
            price=grain * chance.randint(100, 20_000),
        )
        for number in range(1, chance.choice((1, 1, 2, 3)) + 1)
    )
    owed = sum(line.price for line in lines)
    payments = []
    if chance.random() < 0.15:
        payments.append(_abandoned(chance, seed, owed))
    payments.append(_payment(chance, seed, owed, lines, grain))
    return History(
        seed=seed,
        order_number=f"EDX-{seed}",
        lms_user_id=100_000 + seed,
        username=f"learner-{seed}",
        currency=currency,
        owed=owed,
        lines=lines,
        payments=tuple(payments),
    )


def _abandoned(chance: random.Random, seed: int, owed: int) -> Payment:
    """The buyer gave this one up, and paid anew."""
    return Payment(
        payment_id=f"pi-{seed}-gone",
        amount=owed,
        captured=False,
        failures=chance.randint(1, 2),
        way=chance.choice(WAYS),
    )


def _payment(chance: random.Random, seed: int, owed: int, lines: tuple[Line, ...], grain: int) -> Payment:
    captured = chance.random() < 0.95
    amount = owed if chance.random() < 0.93 else owed - grain
    refunds: list[Refund] = []
    disputes: list[Dispute] = []
    left = amount
    if captured:
        for number in range(chance.choice((0, 0, 1, 1, 2, 3))):
            refund = _refund(chance, f"re_{seed}_{number}", left, lines, refunds, grain, is_price=amount == owed)
            if refund is not None:
                refunds.append(refund)
                left -= refund.amount if refund.stands else 0
        if chance.random() < 0.2:
            disputes.append(_dispute(chance, seed, left, grain))
    return Payment(
        payment_id=f"pi-{seed}",
        amount=amount,
        captured=captured,
        failures=chance.choice((0, 0, 0, 1, 2)),
        way=chance.choice(WAYS),
        refunds=tuple(refunds),
        disputes=tuple(each for each in disputes if each.amount),
    )


def _refund(
    chance: random.Random,
    refund_id: str,
    left: int,
    lines: tuple[Line, ...],
    before: list[Refund],
    grain: int,
    *,
    is_price: bool,
) -> Refund | None:
    """Never more than is left. We ask for one line once, or for the whole; the dashboard for any part."""
    if left <= 0:
        return None
    statuses = chance.choice(COURSES)
    kind = chance.choice(("whole", "line", "part"))
    asked = {refund.line for refund in before}
    free = [line for line in lines if line.number not in asked and line.price <= left]
    if kind == "line" and is_price and len(lines) > 1 and free:
        line = chance.choice(free)
        return Refund(refund_id=refund_id, amount=line.price, statuses=statuses, line=line.number)
    if kind == "part" and left > grain:
        return Refund(refund_id=refund_id, amount=grain * chance.randint(1, left // grain - 1), statuses=statuses)
    return Refund(refund_id=refund_id, amount=left, statuses=statuses, whole_asked=chance.random() < 0.5)


def _dispute(chance: random.Random, seed: int, left: int, grain: int) -> Dispute:
    part = left > grain and chance.random() < 0.2
    return Dispute(
        dispute_id=f"dp_{seed}",
        amount=grain * chance.randint(1, left // grain - 1) if part else left,
        outcome=chance.choice(("open", "won", "lost", "lost")),
        is_inquiry=chance.random() < 0.2,
    )
