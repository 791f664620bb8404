"""Amounts as Stripe counts them."""

from commerce_coordinator.payloads.money import Money, iso_exponent

#: Where Stripe counts otherwise than ISO 4217 (source: Stripe's documentation of currencies): ISK and UGX are written
#: with two decimals for old times' sake; MGA, which is divided by five, has none.
EXPONENTS = {"ISK": 2, "UGX": 2, "MGA": 0}


def exponent_of(currency: str) -> int:
    """Decimal places of Stripe's amounts in this currency, in capitals."""
    return EXPONENTS.get(currency, iso_exponent(currency))


def from_units(amount: int, currency: str) -> Money:
    """Raises ValueError for what is no whole number of ISO minor units, or no currency."""
    currency = currency.upper()
    return Money.from_provider_units(amount, currency, exponent=exponent_of(currency))


def to_units(money: Money) -> int:
    """Raises ValueError for what Stripe cannot count."""
    return money.to_provider_units(exponent=exponent_of(money.currency))
