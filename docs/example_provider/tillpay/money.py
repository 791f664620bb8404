"""How Tillpay counts: in minor units as ISO 4217 has them, but for the forint, which it takes without decimals."""

from commerce_coordinator.payloads.money import Money, iso_exponent

EXPONENTS = {"HUF": 0}


def money_of(amount: int, currency: str) -> Money:
    """Raises ValueError for what is no amount of money."""
    return Money.from_provider_units(amount, currency, exponent=_exponent(currency))


def units_of(money: Money) -> int:
    """Raises ValueError for what Tillpay cannot count, half a forint say."""
    return money.to_provider_units(exponent=_exponent(money.currency))


def _exponent(currency: str) -> int:
    return EXPONENTS.get(currency, iso_exponent(currency))
