"""The LMS asks that a learner's money goes back."""

from typing import Any

import pytest
from django.test import Client
from openedx_filters import PipelineStep

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.exceptions import Retry
from commerce_coordinator.core.testing import assert_not_sent, assert_sent, filters_as, sent
from commerce_coordinator.payloads.money import Money

from ..filters import RefundEligibilityRequested
from ..signals import refund_requested
from .callers import MAY_NOT, headers_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]

PAYMENT = {"provider": "test", "account": "", "payment_id": "pay_1"}
UUID = "a0000000-0000-4000-8000-000000000001"


class Source(PipelineStep):
    """A source of orders, as the test wants it."""

    answer: Any = None
    asked: dict[str, Any] = {}

    def run_filter(self, **asked: Any) -> dict[str, Any]:
        type(self).asked = asked
        if isinstance(self.answer, Exception):
            raise self.answer
        found: dict[str, Any] = self.answer
        return found


@pytest.fixture(autouse=True)
def source() -> Any:
    Source.answer = {
        "payment": PAYMENT,
        "money": Money(amount=4900, currency="USD"),
        "eligible": True,
        "already_refunded": False,
        "reason": "",
        "lms_user_id": 84213577,
    }
    with filters_as({RefundEligibilityRequested.filter_type: [Source]}):
        yield Source


def attributes(**values: str) -> list[dict[str, str]]:
    return [{"namespace": "order", "name": name, "value": value} for name, value in values.items()]


def enrollment(**changes: Any) -> dict[str, Any]:
    given = attributes(order_number="EDX-1", order_id="EDX-1", line_item_id="EDX-1-2")
    credit = {"namespace": "credit", "name": "provider_id", "value": ""}
    return {"course_id": "course-v1:X+Y+Z", "username": "ann", "enrollment_attributes": [*given, credit], **changes}


def entitlement(**changes: Any) -> dict[str, Any]:
    return {"entitlement_uuid": UUID, "username": "ann", "order_number": "EDX-1", **changes}


def ask(client: Client, body: Any, caller: str = "staff") -> Any:
    return client.post("/lms/refund/", body, content_type="application/json", headers=headers_of(caller))


def test_refund_is_asked_for_by_the_enrolments_attributes(client: Client) -> None:
    answer = ask(client, enrollment())
    dispatch = Dispatch.objects.get()
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "requested", "refund_request_id": "EDX-1:2", "dispatch": str(dispatch.pk)},
    )
    assert_sent(
        refund_requested,
        times=1,
        **PAYMENT,
        refund_request_id="EDX-1:2",
        order_number="EDX-1",
        line_number=2,
        money=Money(amount=4900, currency="USD"),
        lms_user_id=84213577,
        username="ann",
    )
    assert (dispatch.subject, dispatch.person) == ("EDX-1", "84213577")
    assert Source.asked == {
        "order_number": "EDX-1",
        "line_number": 2,
        "username": "ann",
        "lms_user_id": None,
        "entitlement_uuid": "",
    }


def test_refund_of_an_entitlement_names_no_line(client: Client) -> None:
    assert ask(client, entitlement()).json()["refund_request_id"] == "EDX-1:all"
    assert (Source.asked["line_number"], Source.asked["entitlement_uuid"]) == (None, UUID)
    assert sent(refund_requested)[0]["line_number"] is None


def test_line_that_the_source_tells_of_an_entitlement_is_the_one_that_goes_back(client: Client, source: Any) -> None:
    source.answer = {**source.answer, "line_number": 3}
    assert ask(client, entitlement()).status_code == 200
    assert_sent(refund_requested, times=1, line_number=3, refund_request_id="EDX-1:3")


def test_order_number_may_hold_dashes(client: Client) -> None:
    given = attributes(order_number="EDX-1-7", line_item_id="EDX-1-7-3")
    assert ask(client, enrollment(enrollment_attributes=given)).json()["refund_request_id"] == "EDX-1-7:3"


def test_asked_twice_is_sent_once_and_said(client: Client) -> None:
    first, second = ask(client, enrollment()), ask(client, enrollment())
    assert (second.status_code, second.json()["status"]) == (200, "requested_before")
    assert second.json()["dispatch"] == first.json()["dispatch"]
    assert len(sent(refund_requested)) == 1


def test_order_that_was_paid_anew_can_be_refunded_anew(client: Client, source: Any) -> None:
    ask(client, enrollment())
    source.answer = {**source.answer, "payment": {**PAYMENT, "payment_id": "pay_2"}}
    assert ask(client, enrollment()).json()["status"] == "requested"


def test_what_is_refunded_already_is_200_and_sends_nothing(client: Client, source: Any) -> None:
    source.answer = {**source.answer, "eligible": False, "already_refunded": True, "reason": "It has gone back."}
    answer = ask(client, enrollment())
    assert (answer.status_code, answer.json()["status"], answer.json()["dispatch"]) == (200, "already_refunded", None)
    assert_not_sent(refund_requested)


def test_what_may_not_be_refunded_is_400_with_the_reason(client: Client, source: Any) -> None:
    source.answer = {**source.answer, "eligible": False, "reason": "Nothing was paid for the order."}
    answer = ask(client, enrollment())
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": {"code": "not_eligible", "message": "Nothing was paid for the order."}},
    )
    assert_not_sent(refund_requested)


def test_order_that_nobody_knows_is_404(client: Client, source: Any) -> None:
    source.answer = {}
    answer = ask(client, enrollment())
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_source_that_is_away_is_503_and_sends_nothing(client: Client, source: Any) -> None:
    source.answer = Retry("away")
    answer = ask(client, enrollment())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert_not_sent(refund_requested)


WITHOUT_LINE = attributes(order_number="EDX-1")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "course_id"),
        (enrollment(course_id="a b"), "course_id"),
        (enrollment(username=""), "username"),
        (enrollment(username="a/b"), "username"),
        (enrollment(enrollment_attributes=[]), "enrollment_attributes"),
        (enrollment(enrollment_attributes="x"), "enrollment_attributes"),
        (enrollment(enrollment_attributes=[{"namespace": "order"}]), "enrollment_attributes"),
        (enrollment(enrollment_attributes=WITHOUT_LINE), "enrollment_attributes"),
        (enrollment(enrollment_attributes=attributes(line_item_id="EDX-1-1")), "enrollment_attributes"),
        *(
            (
                enrollment(enrollment_attributes=attributes(order_number="EDX-1", line_item_id=line)),
                "enrollment_attributes",
            )
            for line in ("", "EDX-1", "EDX-1-", "EDX-1-0", "EDX-1-x", "EDX-2-1", "EDX-1-²", "-1", "EDX-1-1111111111")
        ),
        (
            enrollment(
                enrollment_attributes=attributes(order_number="EDX-1", line_item_id="EDX-1-1")
                + attributes(order_number="EDX-2")
            ),
            "enrollment_attributes",
        ),
        (entitlement(entitlement_uuid="x"), "entitlement_uuid"),
        (entitlement(order_number=".."), "order_number"),
        ({"entitlement_uuid": UUID}, "order_number"),
        ([], "non_field_errors"),
        ('"x"', "non_field_errors"),
    ],
)
def test_bad_input_is_400_and_names_the_field(client: Client, body: Any, field: str) -> None:
    answer = ask(client, body)
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["error"]["fields"]
    assert_not_sent(refund_requested)


@pytest.mark.parametrize(("caller", "status"), [("anonymous", 401), *MAY_NOT.items()])
def test_learner_never_asks_for_money_back(client: Client, caller: str, status: int) -> None:
    assert ask(client, enrollment(), caller).status_code == status
    assert_not_sent(refund_requested)


def test_refund_takes_three_statements_and_one_for_its_deliveries(
    client: Client, django_assert_num_queries: Any
) -> None:
    ask(client, enrollment())
    given = attributes(order_number="EDX-2", line_item_id="EDX-2-1")
    with django_assert_num_queries(4):  # the caller's account; was it asked before; the dispatch; its deliveries
        ask(client, enrollment(enrollment_attributes=given))
