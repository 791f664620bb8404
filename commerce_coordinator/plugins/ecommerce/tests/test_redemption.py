"""A learner's code: taken over HTTP, redeemed by a worker, once, and shown to nobody."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.exceptions import GiveUp
from commerce_coordinator.core.rest.testing import as_user
from commerce_coordinator.core.testing import assert_sent, run_deliveries, sent

from ..signals import enrollment_code_redemption_requested
from ..tasks import redeem_enrollment_code
from .fake_shop import Answer, FakeShop, line, order, seat

pytestmark = pytest.mark.django_db

URL = "/ecommerce/redeem_enrollment_code/"
CODE = "J4HDI5OAUGCSUJJ3"
WISH = {"sku": "SKU-1", "code": CODE}


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


def post(client: Client, body: Any = None, user: str = "amina", lms_user_id: int = 7, **headers: str) -> Any:
    return client.post(
        URL,
        WISH if body is None else body,
        content_type="application/json",
        headers={**as_user(user, lms_user_id=lms_user_id), **headers},
    )


@pytest.fixture
def good_code(shop: FakeShop) -> FakeShop:
    shop.codes[CODE] = "SKU-1"
    return shop


def redeemed_for(shop: FakeShop) -> list[str]:
    return [each["user"]["username"] for each in shop.orders if each["vouchers"]]


# --- The wish ---


def test_wish_is_taken_and_redeemed_by_a_worker(client: Client, good_code: FakeShop) -> None:
    response = post(client)
    assert response.status_code == 202
    dispatch = Dispatch.objects.get()
    assert response.json() == {"dispatch": str(dispatch.pk)}
    assert (dispatch.subject, dispatch.person) == ("SKU-1", "7")
    assert_sent(enrollment_code_redemption_requested, times=1, lms_user_id=7, username="amina", **WISH)
    assert good_code.calls == []
    [delivery] = run_deliveries()
    assert delivery.state == "succeeded"
    assert redeemed_for(good_code) == ["amina"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, {"sku", "code"}),
        ({"sku": "SKU-1"}, {"code"}),
        ({"code": CODE}, {"sku"}),
        ({"sku": "", "code": " "}, {"sku", "code"}),
        ({"sku": None, "code": CODE}, {"sku"}),
        ({"sku": ["SKU-1"], "code": {"a": 1}}, {"sku", "code"}),
        ({"sku": "S" * 129, "code": "C" * 129}, {"sku", "code"}),
        ([], {"non_field_errors"}),
    ],
)
def test_value_that_is_missing_or_none_is_refused_by_its_name(client: Client, body: Any, names: set[str]) -> None:
    response = post(client, body)
    assert response.status_code == 400
    assert set(response.json()["error"]["fields"]) == names
    assert CODE not in response.content.decode()
    assert not Dispatch.objects.exists()


BODIES = [b"", b"{", b"\xff", b'{"sku": "\\ud800", "code": "\\ud800"}', b'{"sku": "\\u0000", "code": "\\u0000"}']


@pytest.mark.parametrize("body", BODIES)
def test_body_that_is_none_is_refused(client: Client, body: bytes) -> None:
    response = client.generic("POST", URL, body, content_type="application/json", headers=as_user("amina"))
    assert response.status_code == 400
    assert not Dispatch.objects.exists()


def test_nobody_wishes_nothing(client: Client) -> None:
    assert client.post(URL, WISH, content_type="application/json").status_code == 401
    assert not Dispatch.objects.exists()


def test_learner_wishes_for_himself_whatever_he_adds(client: Client) -> None:
    added = {**WISH, "username": "bo", "lms_user_id": 8, "redemption_key": "x", "email": "bo@example.com"}
    assert post(client, added).status_code == 202
    [payload] = sent(enrollment_code_redemption_requested)
    assert (payload["username"], payload["lms_user_id"]) == ("amina", 7)
    assert payload["redemption_key"] != "x"


def test_same_wish_is_the_same_dispatch(client: Client, good_code: FakeShop) -> None:
    first = post(client).json()
    assert post(client).json() == first
    assert post(client, {"sku": " SKU-1", "code": CODE.lower()}).json() == first
    assert len(run_deliveries()) == 1
    assert post(client).json() == first
    assert run_deliveries() == []
    assert len(good_code.of("redeem")) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"body": {"sku": "SKU-2", "code": CODE}},
        {"body": {"sku": "SKU-1", "code": "OTHER"}},
        {"user": "bo", "lms_user_id": 8},
    ],
)
def test_other_wish_is_another_dispatch(client: Client, other: dict[str, Any]) -> None:
    assert post(client).json() != post(client, **other).json()


def test_learner_who_asks_again_replays_what_is_dead(client: Client, shop: FakeShop) -> None:
    first = post(client).json()
    [delivery] = run_deliveries()
    assert delivery.state == "dead"
    shop.codes[CODE] = "SKU-1"  # it was not good yet
    assert post(client).json() == first
    [delivery] = run_deliveries()
    assert (delivery.state, delivery.generation) == ("succeeded", 1)
    assert redeemed_for(shop) == ["amina"]
    keys = {call.headers["idempotency-key"] for call in shop.of("redeem")}
    assert keys == {delivery.idempotency_key}


# --- The deed ---


def run_once(**changes: Any) -> None:
    redeem_enrollment_code(**{**WISH, "username": "amina", **changes})


def test_code_that_he_redeemed_already_is_not_redeemed_again(good_code: FakeShop) -> None:
    mine = order("EDX-1", vouchers=[{"code": CODE}], lines=[line(seat("SKU-1"))])
    good_code.orders = [mine]
    run_once()
    assert good_code.of("redeem") == []


@pytest.mark.parametrize(
    "theirs",
    [
        order("EDX-1", "bo", vouchers=[{"code": CODE}], lines=[line(seat("SKU-1"))]),
        order("EDX-1", vouchers=[{"code": CODE}], lines=[line(seat("SKU-2"))]),
        order("EDX-1", vouchers=[{"code": "OTHER"}], lines=[line(seat("SKU-1"))]),
        order("EDX-1", vouchers=None, lines=None),
        order("EDX-1", vouchers=[None], lines=[None, line(), {"product": None}]),
    ],
    ids=["of another", "for another", "by another code", "without", "broken"],
)
def test_other_order_does_not_count_as_his(good_code: FakeShop, theirs: dict[str, Any]) -> None:
    good_code.orders = [theirs]
    run_once()
    assert len(good_code.of("redeem")) == 1


def test_answer_that_got_lost_is_not_asked_for_twice(client: Client, good_code: FakeShop) -> None:
    good_code.will("redeem", Answer(drop=True, after_effect=True))
    post(client)
    [delivery] = run_deliveries()
    assert (delivery.state, delivery.error_class) == ("pending", "Retry")
    Delivery.objects.update(next_attempt_at=delivery.created_at)
    [delivery] = run_deliveries()
    assert delivery.state == "succeeded"
    assert len(good_code.of("redeem")) == 1
    assert redeemed_for(good_code) == ["amina"]


def test_code_that_the_shop_refuses_is_dead_with_a_text_for_people(client: Client, shop: FakeShop) -> None:
    post(client)
    [delivery] = run_deliveries()
    assert (delivery.state, delivery.error_class) == ("dead", "GiveUp")
    assert "has no order of this code" in delivery.error_text
    assert CODE not in delivery.error_text


def test_code_that_was_redeemed_for_somebody_else_is_no_success(good_code: FakeShop) -> None:
    good_code.redeems_for_caller = True
    with pytest.raises(GiveUp, match="account of this service"):
        run_once()


@pytest.mark.parametrize("step", ["list", "redeem"])
@pytest.mark.parametrize(
    "answer", [Answer(status=503, html=True), Answer(status=429, body={}), Answer(drop=True)], ids=str
)
def test_shop_that_is_away_is_tried_again(client: Client, good_code: FakeShop, step: str, answer: Answer) -> None:
    good_code.will(step, answer)
    post(client)
    [delivery] = run_deliveries()
    assert delivery.state == "pending"
    Delivery.objects.update(next_attempt_at=delivery.created_at)
    [delivery] = run_deliveries()
    assert delivery.state == "succeeded"


@pytest.mark.parametrize("missing", ["CC_ECOMMERCE_URL_ROOT", "CC_ECOMMERCE_REDEEM_PATH"])
def test_without_a_shop_that_can_redeem_the_wish_waits_for_an_operator(
    client: Client, shop: FakeShop, settings: Any, missing: str
) -> None:
    setattr(settings, missing, "")
    assert post(client).status_code == 202
    [delivery] = run_deliveries()
    assert delivery.state == "dead"
    assert missing in delivery.error_text
    assert shop.calls == []


# --- The code is as good as money ---


def test_code_stands_in_the_payload_alone(client: Client, good_code: FakeShop, caplog: Any) -> None:
    good_code.will("redeem", Answer(status=500, body={"detail": "Oh dear."}))
    with caplog.at_level("DEBUG", logger="commerce_coordinator"):
        post(client)
        run_deliveries()
        Delivery.objects.update(next_attempt_at=Delivery.objects.get().created_at)
        run_deliveries()
    assert Delivery.objects.get().state == "succeeded"
    ours = [vars(each) for each in caplog.records if each.name.startswith("commerce_coordinator")]
    rows = [*Delivery.objects.values(), *Attempt.objects.values(), *Dispatch.objects.defer("payload").values()]
    for row in rows:
        row.pop("payload", None)
    assert len(rows) == 4
    assert CODE not in str(ours) + str(rows)
    assert CODE.lower() not in (str(ours) + str(rows)).lower()


def test_code_is_masked_for_eyes_without_the_permission(client: Client) -> None:
    post(client)
    dispatch = Dispatch.objects.get()
    shown = contracts.masked(dispatch.signal, dispatch.payload)
    assert dispatch.payload["code"] == CODE
    assert CODE not in str(shown) and "amina" not in str(shown)
    assert shown["sku"] == "SKU-1"


def test_statements_of_a_wish_are_counted(client: Client, django_assert_num_queries: Any) -> None:
    post(client, {"sku": "OTHER", "code": "OTHER"})
    with django_assert_num_queries(5):  # the user, sent before?, the dispatch, its delivery, the dispatch's id
        post(client)
