"""Money is a whole number of minor units and a currency. No amount is ever rounded, guessed or mixed."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from commerce_coordinator.payloads.money import DEFAULT_EXPONENT, ISO_EXPONENTS, LARGEST_AMOUNT, Money, iso_exponent

#: Half the exponents' range below the largest amount, so that conversions stay within it.
amounts = st.integers(min_value=-(LARGEST_AMOUNT // 10**4 // 2), max_value=LARGEST_AMOUNT // 10**4 // 2)
exponents = st.integers(min_value=0, max_value=4)
currencies = st.sampled_from([*ISO_EXPONENTS, "EUR", "USD", "MGA", "SEK"])

# A slow machine is no wrong amount; and nothing is written into the checkout.
exactly = settings(deadline=None, database=None)


@pytest.mark.parametrize(
    ("amount", "exponent", "currency", "minor", "text"),
    [
        (14900, 2, "EUR", 14900, "149.00 EUR"),
        (14900, 2, "usd", 14900, "149.00 USD"),
        (5, 2, "EUR", 5, "0.05 EUR"),
        (0, 2, "EUR", 0, "0.00 EUR"),
        (-250, 2, "EUR", -250, "-2.50 EUR"),
        (14900, 0, "JPY", 14900, "14900 JPY"),
        # Stripe counts two places in these, which have none by ISO 4217.
        (500, 2, "ISK", 5, "5 ISK"),
        (50000, 2, "UGX", 500, "500 UGX"),
        # Stripe counts whole ariary, of which ISO 4217 has two places.
        (500, 0, "MGA", 50000, "500.00 MGA"),
        (5120, 3, "KWD", 5120, "5.120 KWD"),
        (512, 2, "KWD", 5120, "5.120 KWD"),
        (1, 2, "CLF", 100, "0.0100 CLF"),
    ],
)
def test_what_a_provider_counts_becomes_iso_minor_units(amount, exponent, currency, minor, text):
    money = Money.from_provider_units(amount, currency, exponent=exponent)
    assert (money.amount, money.currency) == (minor, currency.upper())
    assert str(money) == text


@pytest.mark.parametrize(
    ("amount", "exponent", "currency"),
    [(501, 2, "ISK"), (-501, 2, "ISK"), (50050, 2, "UGX"), (1, 1, "JPY"), (5121, 4, "KWD"), (1, 3, "EUR")],
)
def test_what_is_no_whole_number_of_minor_units_is_refused(amount, exponent, currency):
    with pytest.raises(ValueError, match="not a whole number of the currency's minor units"):
        Money.from_provider_units(amount, currency, exponent=exponent)


@pytest.mark.parametrize("amount", [1.0, 14900.0, "14900", True, None, Decimal(14900)])
def test_what_is_no_integer_is_refused(amount):
    with pytest.raises(ValueError, match="must be an integer"):
        Money.from_provider_units(amount, "EUR", exponent=2)


@pytest.mark.parametrize("amount", [1.0, 1.5, "14900", True, None, Decimal(14900), Decimal("1.5")])
def test_an_amount_is_an_integer_and_nothing_that_looks_like_one(amount):
    with pytest.raises(ValidationError):
        Money(amount=amount, currency="EUR")


@pytest.mark.parametrize("currency", ["eur", "EURO", "EU", "", "E R", "€€€", "EUR\n", "ÄÖÜ", None, 978])
def test_a_currency_is_three_capital_letters(currency):
    with pytest.raises(ValidationError):
        Money(amount=1, currency=currency)


def test_a_wrong_amount_is_not_quoted():
    with pytest.raises(ValidationError) as wrong:
        Money(amount="my private number", currency="my private currency")
    assert "my private" not in str(wrong.value)


@pytest.mark.parametrize(
    ("currency", "exponent"),
    [
        ("EUR", 2),
        ("USD", 2),
        ("JPY", 0),
        ("ISK", 0),
        ("UGX", 0),
        ("MGA", 2),
        ("KWD", 3),
        ("BHD", 3),
        ("CLF", 4),
        ("UYW", 4),
    ],
)
def test_places_are_those_of_iso_4217(currency, exponent):
    assert iso_exponent(currency) == exponent
    assert exponent != DEFAULT_EXPONENT or currency not in ISO_EXPONENTS


@exactly
@given(amount=amounts, currency=currencies, exponent=exponents)
def test_converting_there_and_back_changes_nothing(amount, currency, exponent):
    shift = iso_exponent(currency) - exponent
    if shift < 0 and amount % 10**-shift:
        with pytest.raises(ValueError, match="whole number"):
            Money.from_provider_units(amount, currency, exponent=exponent)
        return
    money = Money.from_provider_units(amount, currency, exponent=exponent)
    assert type(money.amount) is int
    # The same value, by cross-multiplication, in which nothing is rounded.
    assert money.amount * 10**exponent == amount * 10 ** iso_exponent(currency)


@exactly
@given(amount=amounts, currency=currencies)
def test_a_providers_own_iso_units_stay_what_they_are(amount, currency):
    money = Money.from_provider_units(amount, currency.lower(), exponent=iso_exponent(currency))
    assert money == Money(amount=amount, currency=currency)


@exactly
@given(amount=amounts, currency=currencies)
def test_major_units_are_exact_however_large(amount, currency):
    major = Money(amount=amount, currency=currency).as_decimal()
    assert isinstance(major, Decimal)
    assert -major.as_tuple().exponent == iso_exponent(currency)
    sign, digits, _ = major.as_tuple()
    assert int("".join(map(str, digits))) == abs(amount)
    assert sign == (amount < 0)


@exactly
@given(amount=amounts, currency=currencies)
def test_text_shows_every_place_and_no_exponent(amount, currency):
    number, _, code = str(Money(amount=amount, currency=currency)).partition(" ")
    assert code == currency
    assert int(number.replace(".", "")) == amount
    assert len(number.partition(".")[2]) == iso_exponent(currency)


@exactly
@given(one=amounts, other=amounts, currency=currencies)
def test_sums_and_differences_are_exact(one, other, currency):
    money, more = Money(amount=one, currency=currency), Money(amount=other, currency=currency)
    assert money + more == Money(amount=one + other, currency=currency)
    assert money - more == Money(amount=one - other, currency=currency)
    assert (money + more) - more == money


@exactly
@given(amount=amounts, currency=currencies)
def test_json_brings_back_the_same_money(amount, currency):
    money = Money(amount=amount, currency=currency)
    assert Money.model_validate_json(money.model_dump_json()) == money


@pytest.mark.parametrize("other", [Money(amount=1, currency="USD"), 1, 1.0, Decimal(1), None])
def test_only_money_of_the_same_currency_adds_up(other):
    money = Money(amount=1, currency="EUR")
    with pytest.raises(ValueError, match="two currencies"):
        money + other
    with pytest.raises(ValueError, match="two currencies"):
        money - other
    with pytest.raises(TypeError):
        money < other  # noqa: B015 - the comparison is the test


def test_sums_of_many_need_a_start_of_the_same_currency():
    prices = [Money(amount=amount, currency="EUR") for amount in (1, 2, 3)]
    assert sum(prices, Money(amount=0, currency="EUR")) == Money(amount=6, currency="EUR")
    with pytest.raises(TypeError):
        sum(prices)


def test_money_is_frozen_and_hashable():
    money = Money(amount=1, currency="EUR")
    with pytest.raises(ValidationError, match="frozen"):
        money.amount = 2
    with pytest.raises(ValidationError, match="frozen"):
        money.currency = "USD"
    assert {money, Money(amount=1, currency="EUR")} == {money}
    assert money != Money(amount=1, currency="USD")


def test_major_units_do_not_depend_on_the_threads_precision():
    with localcontext() as context:
        context.prec = 3
        assert str(Money(amount=1234567, currency="EUR")) == "12345.67 EUR"


@pytest.mark.parametrize("amount", [LARGEST_AMOUNT + 1, -LARGEST_AMOUNT - 1, 10**4000])
def test_an_amount_that_no_column_can_hold_is_refused(amount):
    with pytest.raises(ValueError, match="amount"):
        Money(amount=amount, currency="USD")
