"""What a provider's plugin gives, so that the promises of `providers` can be held against it.

Nothing is optional in silence: what a provider does not have is declared as `Absent("why")`, and has no tests then.
"""

import copy
import dataclasses
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.payloads.base import Payload
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.payments import (
    DisputeLost,
    DisputeWon,
    PaymentCaptured,
    PaymentDisputed,
    PaymentFailed,
    PaymentRefunded,
    RefundFailed,
)

#: An event as the provider writes it: a JSON object.
Event = dict[str, Any]

#: No letters that a provider might not have in its ids.
ORDER_NUMBER = "EDX-1"
PAYMENT_ID = "pay-1"
REFUND_ID = "re-1"
DISPUTE_ID = "dp-1"
REFUND_REQUEST_ID = "request-1"


@dataclasses.dataclass(frozen=True)
class Absent:
    """The provider has no such thing, and says why."""

    because: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fact:
    """One of the facts that providers tell. `builder`: the method that makes its event from these ids and the money."""

    contract: type[Payload]
    builder: str
    ids: Mapping[str, str]
    has_money: bool = True

    def __str__(self) -> str:
        return self.builder


_REFUND = {"payment_id": PAYMENT_ID, "refund_id": REFUND_ID, "refund_request_id": REFUND_REQUEST_ID}
_DISPUTE = {"payment_id": PAYMENT_ID, "dispute_id": DISPUTE_ID}
_PAYMENT = {"order_number": ORDER_NUMBER, "payment_id": PAYMENT_ID}

CAPTURED = Fact(contract=PaymentCaptured, builder="captured", ids=_PAYMENT)
FAILED = Fact(contract=PaymentFailed, builder="failed", ids=_PAYMENT, has_money=False)
REFUNDED = Fact(contract=PaymentRefunded, builder="refunded", ids=_REFUND)
FACTS = (
    CAPTURED,
    FAILED,
    REFUNDED,
    Fact(contract=RefundFailed, builder="refund_failed", ids=_REFUND),
    Fact(contract=PaymentDisputed, builder="disputed", ids=_DISPUTE),
    Fact(contract=DisputeLost, builder="dispute_lost", ids=_DISPUTE),
    Fact(contract=DisputeWon, builder="dispute_won", ids=_DISPUTE),
)


class ProviderFixtures:
    """The provider's side of the wire. A subclass named Test... that leaves something out is refused, with a list."""

    #: As in the payloads and on the inbox's rows.
    provider: ClassVar[str]
    account: ClassVar[str] = ""
    #: The webhook's path, of this account.
    url: ClassVar[str]
    #: Each fact's contract -> the plugin's signal for it.
    signals: ClassVar[Mapping[type[Payload], CoordinatorSignal | Absent]]
    #: Each fact's contract -> dotted places in its event without which no payload can be built.
    required: ClassVar[Mapping[type[Payload], Sequence[str]]]
    #: Each fact's contract -> the dotted places of (amount, currency) in its event.
    money_at: ClassVar[Mapping[type[Payload], tuple[str, str]]]
    #: (amount, currency) as the provider writes them, and what they are. Currencies that ISO 4217 counts with no, two
    #: and three decimals, as far as the provider has them, and each that the provider counts otherwise.
    amounts: ClassVar[Sequence[tuple[Any, Any, Money]]]
    #: Number of decimals, of 0, 2 and 3 -> why no currency among the amounts has it.
    no_currencies_with: ClassVar[Mapping[int, Absent]] = {}
    #: The dotted places of an event's own id and type.
    event_id_at: ClassVar[str] = "id"
    event_type_at: ClassVar[str] = "type"
    #: Amounts as the provider never writes them; "negative" and "fractional" (of the smallest unit) among them.
    bad_amounts: ClassVar[Mapping[str, Any]]
    #: Those of them, by name, that the provider does write for one of the facts: what went back with a minus, say.
    written_after_all: ClassVar[Mapping[type[Payload], Collection[str]]] = {}
    #: Texts of the learner, his name and address, that `captured` carries.
    private: ClassVar[Sequence[str] | Absent]
    #: Headers of the signature that are spoiled one by one; None for all that `sign` returns.
    signature_headers: ClassVar[Sequence[str] | None] = None
    #: What the events are of, where the test has no say of its own: a currency that the provider has.
    price: ClassVar[Money] = Money(amount=14900, currency="USD")

    # --- Signatures ---

    def sign(self, body: bytes, *, redelivery: bool = False) -> dict[str, str]:
        """The headers that the provider sends with these bytes. Sent again, they are signed at another time, say."""
        raise NotImplementedError

    def sign_with_another_secret(self, body: bytes) -> dict[str, str]:
        """As `sign`, by somebody who does not know our secret."""
        raise NotImplementedError

    def as_bytes(self, event: Event) -> bytes:
        """How the provider writes it."""
        return json.dumps(event, ensure_ascii=False).encode()

    # --- Events ---

    def captured(self, *, order_number: str, payment_id: str, money: Money, event_id: str) -> Event:
        """We hold the buyer's money. With the values of `private`."""
        raise NotImplementedError

    def failed(self, *, order_number: str, payment_id: str, event_id: str) -> Event:
        """A try to pay failed."""
        raise NotImplementedError

    def refunded(
        self, *, payment_id: str, refund_id: str, money: Money, event_id: str, refund_request_id: str = ""
    ) -> Event:
        """Money went back, by our request or, without its id, by the provider's dashboard."""
        raise NotImplementedError

    def refund_failed(
        self, *, payment_id: str, refund_id: str, money: Money, event_id: str, refund_request_id: str = ""
    ) -> Event:
        """A refund did not reach the buyer."""
        raise NotImplementedError

    def disputed(self, *, payment_id: str, dispute_id: str, money: Money, event_id: str) -> Event:
        """The buyer asks for his money back; nothing is decided."""
        raise NotImplementedError

    def dispute_lost(self, *, payment_id: str, dispute_id: str, money: Money, event_id: str) -> Event:
        """It was decided for the buyer."""
        raise NotImplementedError

    def dispute_won(self, *, payment_id: str, dispute_id: str, money: Money, event_id: str) -> Event:
        """It was decided for us."""
        raise NotImplementedError

    def unknown(self, *, event_id: str) -> Event:
        """Of a type that the plugin has no signal for."""
        raise NotImplementedError

    def not_ours(self, *, event_id: str) -> Event:
        """A payment of the same account at the provider that another system took."""
        raise NotImplementedError

    #: `captured` as another type of event tells of the same payment: a method as that one, or Absent.
    captured_otherwise: ClassVar[Any]
    #: `captured` in a mode that is not this service's, a test where real money is taken: a method that takes
    #: `event_id`, or Absent.
    of_another_mode: ClassVar[Any]

    # --- What is there ---

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__name__.startswith("Test") and (gaps := cls.gaps()):
            lines = "".join(f"\n- {gap}" for gap in gaps)
            raise TypeError(f'{cls.__name__} is to give, or to declare as Absent("why") where that is said:{lines}')

    @classmethod
    def gaps(cls) -> list[str]:
        """What the class does not give, in words."""
        names = ("provider", "url", "signals", "required", "money_at", "amounts", "bad_amounts", "private")
        missing = [name for name in names if not hasattr(cls, name)]
        missing += [
            f"{name}, or Absent" for name in ("captured_otherwise", "of_another_mode") if not hasattr(cls, name)
        ]
        missing += [
            f"{name}()"
            for name in ("sign", "sign_with_another_secret", "captured", "unknown", "not_ours")
            if getattr(cls, name) is getattr(ProviderFixtures, name)
        ]
        return missing or cls._gaps_of_facts() + cls._gaps_of_money()

    @classmethod
    def _gaps_of_facts(cls) -> list[str]:
        missing = []
        for fact in FACTS:
            name = fact.contract.__name__
            signal = cls.signals.get(fact.contract)
            if signal is None or (isinstance(signal, Absent) and fact is CAPTURED):
                missing.append(f"signals[{name}]" + ("" if fact is CAPTURED else ", or Absent"))
            elif not isinstance(signal, Absent):
                if getattr(cls, fact.builder) is getattr(ProviderFixtures, fact.builder):
                    missing.append(f"{fact.builder}()")
                if not cls.required.get(fact.contract):
                    missing.append(f"required[{name}]")
                if fact.has_money and fact.contract not in cls.money_at:
                    missing.append(f"money_at[{name}]")
        return missing

    @classmethod
    def _gaps_of_money(cls) -> list[str]:
        found = {-int(money.as_decimal().as_tuple().exponent) for _, _, money in cls.amounts}
        missing = [
            f"amounts of a currency with {decimals} decimals, or no_currencies_with[{decimals}]"
            for decimals in (0, 2, 3)
            if decimals not in found and decimals not in cls.no_currencies_with
        ]
        return missing + [
            f"bad_amounts[{name!r}]" for name in ("negative", "fractional") if name not in cls.bad_amounts
        ]

    def event_of(self, fact: Fact, *, event_id: str = "evt_1", **changes: Any) -> Event:
        """The fact's event, with these ids or this money instead of the usual ones."""
        money = {"money": self.price} if fact.has_money else {}
        event: Event = getattr(self, fact.builder)(**{**fact.ids, **money, "event_id": event_id, **changes})
        return event


def value_at(event: Event, place: str) -> Any:
    """What stands at a dotted place; list items by their number. Raises KeyError, IndexError or TypeError."""
    found: Any = event
    for part in place.split("."):
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found


def changed(event: Event, place: str, value: Any) -> Event:
    """A copy with another value at a dotted place; with `...`, without it. Raises as value_at, when it is not there."""
    value_at(event, place)
    whole = copy.deepcopy(event)
    above, _, last = place.rpartition(".")
    parent = value_at(whole, above) if above else whole
    key: Any = int(last) if isinstance(parent, list) else last
    if value is ...:
        del parent[key]
    else:
        parent[key] = value
    return whole
