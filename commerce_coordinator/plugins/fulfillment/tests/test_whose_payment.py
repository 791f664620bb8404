"""Money that went back of a payment that nobody told of: ours and early, or a donation of the same account."""

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from openedx_filters import PipelineStep

from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.testing import assert_not_sent, assert_sent, filters_as, run_deliveries

from ..filters import PaymentOwnerRequested
from ..models import Payment, Refund
from ..refunding import DISPUTED
from ..signals import refund_needs_attention
from .purchases import REFERENCE, dispute, lose_dispute, pay, refund_fails, repay, routed

pytestmark = [pytest.mark.django_db, pytest.mark.database]


class Owner(PipelineStep):
    """Says what the test says."""

    ours: ClassVar[bool | None] = None
    raises: ClassVar[Exception | None] = None
    asked: ClassVar[list[dict[str, Any]]] = []

    def run_filter(self, *, provider: str, account: str, payment_id: str, **_: Any) -> dict[str, Any]:
        Owner.asked.append({"provider": provider, "account": account, "payment_id": payment_id})
        if Owner.raises is not None:
            raise Owner.raises
        return {"ours": Owner.ours}


@pytest.fixture(autouse=True)
def _routed() -> Iterator[None]:
    Owner.ours, Owner.raises, Owner.asked = None, None, []
    with routed(), filters_as({PaymentOwnerRequested.filter_type: [Owner]}):
        yield


@pytest.mark.parametrize("tell", [repay, dispute, lose_dispute, refund_fails])
def test_anothers_payment_troubles_nobody(tell: Any) -> None:
    Owner.ours = False
    delivery = tell()
    run_deliveries()
    delivery.refresh_from_db()
    assert delivery.state == "succeeded"
    assert Owner.asked == [REFERENCE]
    assert not Payment.objects.exists()
    assert not Refund.objects.exists()
    assert_not_sent(refund_needs_attention)


@pytest.mark.parametrize("ours", [True, None])
@pytest.mark.parametrize("tell", [repay, lose_dispute])
def test_payment_that_is_ours_or_nobodys_is_waited_for(tell: Any, ours: bool | None) -> None:
    Owner.ours = ours
    delivery = tell()
    run_deliveries()
    delivery.refresh_from_db()
    assert delivery.state == "pending"
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("error", [Retry("Away."), GiveUp("Wrong key.")])
def test_while_nobody_can_say_the_refund_is_kept(error: Exception) -> None:
    Owner.raises = error
    delivery = repay()
    run_deliveries()
    delivery.refresh_from_db()
    assert delivery.state == "pending"
    assert Refund.objects.count() == 1


def test_of_a_payment_that_was_told_of_nobody_is_asked() -> None:
    Owner.ours = False
    pay()
    run_deliveries()
    repay()
    run_deliveries()
    assert Owner.asked == []
    assert Payment.objects.get().refunded_at is not None


def test_of_a_refund_that_we_asked_for_nobody_is_asked() -> None:
    Owner.ours = False
    repay(refund_request_id="EDX-1:all")
    run_deliveries()
    assert Owner.asked == []
    assert Refund.objects.count() == 1


def test_dispute_is_told_once_and_takes_nothing() -> None:
    pay()
    run_deliveries()
    dispute()
    dispute()
    run_deliveries()
    assert_sent(refund_needs_attention, times=1, reason=DISPUTED, order_number="EDX-1", refund_id="dispute:dp_1")
    assert Payment.objects.get().taken_back == []
