"""Money: an integer of minor units and an ISO 4217 currency. Never a float."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from .base import Payload

#: Minor units per currency where ISO 4217 gives another number than two (source: ISO 4217, list one).
ISO_EXPONENTS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(),
        0,
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
DEFAULT_EXPONENT = 2

#: Fits into 64 bits and into JSON numbers that other languages read without loss (2**53).
LARGEST_AMOUNT = 10**15

CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


def iso_exponent(currency: str) -> int:
    """How many decimal places the currency has by ISO 4217 (EUR: 2, JPY: 0, KWD: 3)."""
    return ISO_EXPONENTS.get(currency, DEFAULT_EXPONENT)


class Money(Payload):
    """An amount in the currency's ISO minor unit: 14900 EUR is 149.00 euros, 14900 JPY is 14,900 yen."""

    amount: Annotated[int, Field(strict=True, ge=-LARGEST_AMOUNT, le=LARGEST_AMOUNT)]
    currency: CurrencyCode

    @classmethod
    def from_provider_units(cls, amount: int, currency: str, *, exponent: int) -> Self:
        """Convert what a provider counts (its own `exponent` for this currency) to ISO minor units.

        Raises ValueError when the amount is no whole number of ISO minor units, or no integer at all:
        a provider's rounding is never guessed.
        """
        if isinstance(amount, bool) or not isinstance(amount, int):
            raise ValueError("An amount must be an integer of the currency's smallest unit.")
        currency = currency.upper()
        shift = iso_exponent(currency) - exponent
        if shift >= 0:
            return cls(amount=amount * 10**shift, currency=currency)
        minor, remainder = divmod(amount, 10**-shift)
        if remainder:
            raise ValueError("The amount is not a whole number of the currency's minor units.")
        return cls(amount=minor, currency=currency)

    def to_provider_units(self, *, exponent: int) -> int:
        """The amount as a provider counts it, with its own `exponent` for this currency.

        Raises ValueError when that is no whole number of the provider's units.
        """
        shift = exponent - iso_exponent(self.currency)
        if shift >= 0:
            return self.amount * 10**shift
        units, remainder = divmod(self.amount, 10**-shift)
        if remainder:
            raise ValueError("The amount is not a whole number of the provider's units.")
        return units

    def as_decimal(self) -> Decimal:
        """The amount in major units, with the currency's own number of places."""
        # Built, not computed: a computation rounds to the precision of the thread's decimal context.
        sign, digits, _ = Decimal(self.amount).as_tuple()
        return Decimal((sign, digits, -iso_exponent(self.currency)))

    def __str__(self) -> str:
        return f"{self.as_decimal()} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        return Money(amount=self.amount + self._same_currency(other).amount, currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(amount=self.amount - self._same_currency(other).amount, currency=self.currency)

    def _same_currency(self, other: "Money") -> "Money":
        if not isinstance(other, Money) or other.currency != self.currency:
            raise ValueError("Money of two currencies cannot be added or subtracted.")
        return other
