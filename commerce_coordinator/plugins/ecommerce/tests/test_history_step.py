"""What the legacy shop tells over HTTP, and what becomes of it when it does not."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from commerce_coordinator.payloads.history import HistoryLine, HistoryOrder
from commerce_coordinator.payloads.money import Money

from .. import client as client_module
from ..steps import LegacyOrderDetails, LegacyOrders, LegacyReceipt
from .fake_shop import Answer, FakeShop, order

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

OTHERS = HistoryOrder(
    number="B-1", placed_at=datetime(2026, 1, 1, tzinfo=UTC), total=Money(amount=1, currency="EUR"), source="other"
)


def step(kind: Any) -> Any:
    return kind(filter_type="test", running_pipeline=[])


def history(username: str = "amina", **values: Any) -> dict[str, Any]:
    found: dict[str, Any] = step(LegacyOrders).run_filter(
        **{"username": username, "lms_user_id": 7, "orders": [OTHERS], "gaps": ["x"], **values}
    )
    return found


def numbers(answer: dict[str, Any]) -> list[str]:
    return [each.number for each in answer["orders"]]


# --- The history ---


def test_orders_are_told_in_our_words_behind_those_of_others(shop: FakeShop) -> None:
    shop.orders = [order("EDX-1")]
    answer = history()
    assert answer["gaps"] == ["x"]
    assert answer["orders"] == [
        OTHERS,
        HistoryOrder(
            number="EDX-1",
            placed_at=datetime(2026, 2, 1, 10, tzinfo=UTC),
            total=Money(amount=14900, currency="USD"),
            lines=(HistoryLine(title="Seat in Baking", description="Seat in Baking with verified certificate"),),
            source="ecommerce",
        ),
    ]
    [call] = shop.of("list")
    assert call.query == {"username": "amina", "page": "1", "page_size": "100"}


@pytest.mark.parametrize("without_case", [False, True])
def test_orders_that_are_not_exactly_his_are_left_out(shop: FakeShop, without_case: bool) -> None:
    shop.compares_without_case = without_case
    shop.orders = [order("EDX-1"), order("EDX-2", "AMINA"), order("EDX-3", "bo")]
    assert numbers(history()) == ["B-1", "EDX-1"]


def test_shop_that_ignores_the_name_shows_nobody_elses_orders(shop: FakeShop) -> None:
    everything = [order("EDX-1"), order("EDX-2", "bo"), order("EDX-3", user=None), order("EDX-4", user="amina")]
    shop.will("list", Answer(body={"count": 4, "next": None, "results": everything}))
    assert numbers(history()) == ["B-1", "EDX-1"]


def test_all_pages_are_read(shop: FakeShop) -> None:
    shop.orders = [order(f"EDX-{n}") for n in range(250)]
    answer = history()
    assert len(numbers(answer)) == 251
    assert answer["gaps"] == ["x"]
    assert [call.query["page"] for call in shop.of("list")] == ["1", "2", "3"]


def test_who_has_more_orders_than_are_read_gets_the_newest_and_a_gap(shop: FakeShop) -> None:
    shop.orders = [order(f"EDX-{n}") for n in range(501)]
    answer = history()
    assert numbers(answer)[1:] == [f"EDX-{n}" for n in range(500)]
    assert answer["gaps"] == ["x", "ecommerce"]
    assert len(shop.of("list")) == 5


def test_who_has_exactly_as_many_orders_as_are_read_has_no_gap(shop: FakeShop) -> None:
    shop.orders = [order(f"EDX-{n}") for n in range(500)]
    assert history()["gaps"] == ["x"]


def test_no_more_are_given_than_were_asked_for(shop: FakeShop) -> None:
    shop.orders = [order(f"EDX-{n}") for n in range(180)]
    client = client_module.legacy_shop()
    assert client is not None
    found, complete = client.orders_of("amina", most=150)
    assert (len(found), complete) == (150, False)


def test_slow_shop_is_asked_for_no_further_page(shop: FakeShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "SECONDS_FOR_PAGES", 0.0)
    shop.orders = [order(f"EDX-{n}") for n in range(150)]
    answer = history()
    assert (len(numbers(answer)), answer["gaps"]) == (101, ["x", "ecommerce"])


def test_page_that_went_away_while_we_read_ends_the_reading(shop: FakeShop) -> None:
    shop.orders = [order(f"EDX-{n}") for n in range(100)]
    body = {"count": 101, "next": "there is another", "results": shop.orders}
    shop.will("list", Answer(body=body))
    assert (len(numbers(history())), history()["gaps"]) == (101, ["x"])


AWAY = [
    Answer(status=500, html=True),
    Answer(status=503, html=True),
    Answer(status=429, body={"detail": "Slow down."}),
    Answer(status=403, body={"detail": "You are no staff."}),
    Answer(status=400, body={}),
    Answer(status=404, html=True),
    Answer(status=302, headers={"Location": "/login"}),
    Answer(html=True),
    Answer(body=[]),
    Answer(body={"results": 1}),
    Answer(body={"results": ["EDX-1"]}),
    Answer(body={}),
    Answer(drop=True),
    Answer(hang=True),
]


FIRST_PAGE = Answer(body={"next": "more", "results": []})


@pytest.mark.parametrize("answer", AWAY, ids=str)
def test_shop_that_does_not_answer_is_a_gap(shop: FakeShop, settings: Any, answer: Answer) -> None:
    settings.CC_ECOMMERCE_READ_TIMEOUT = 0.1
    shop.will("list", answer)
    assert history() == {"gaps": ["x", "ecommerce"]}


@pytest.mark.parametrize("answer", [each for each in AWAY if each.status != 404], ids=str)
def test_shop_that_stops_answering_is_a_gap(shop: FakeShop, settings: Any, answer: Answer) -> None:
    settings.CC_ECOMMERCE_READ_TIMEOUT = 0.1
    shop.will("list", FIRST_PAGE, answer)
    assert history() == {"gaps": ["x", "ecommerce"]}


@pytest.mark.parametrize(("header", "seconds"), [({}, 5), ({"Retry-After": "20"}, 20), ({"Retry-After": "3600"}, 60)])
def test_shop_that_is_away_is_left_alone_for_a_while(shop: FakeShop, header: dict[str, str], seconds: int) -> None:
    shop.orders = [order("EDX-1")]
    shop.will("list", Answer(status=503, html=True, headers=header))
    with time_machine.travel(NOON, tick=False) as clock:
        assert history()["gaps"] == ["x", "ecommerce"]
        clock.shift(seconds - 0.1)
        assert history()["gaps"] == ["x", "ecommerce"]
        assert len(shop.of("list")) == 1
        clock.shift(0.2)
        assert history()["gaps"] == ["x"]


def test_shop_that_refuses_one_learner_is_asked_for_the_next(shop: FakeShop) -> None:
    shop.will("list", Answer(status=403, body={}))
    assert history()["gaps"] == ["x", "ecommerce"]
    assert history()["gaps"] == ["x"]


@pytest.mark.parametrize("answer", [Answer(status=500), Answer(html=True), Answer(body={}), Answer(drop=True)], ids=str)
def test_shop_for_which_there_is_no_token_is_a_gap(shop: FakeShop, answer: Answer) -> None:
    shop.will("token", answer)
    assert history() == {"gaps": ["x", "ecommerce"]}


NOT_UNDERSTOOD: list[dict[str, Any]] = [
    {"currency": None},
    {"currency": "usd"},
    {"total_excl_tax": None},
    {"total_excl_tax": "much"},
    {"total_excl_tax": "NaN"},
    {"total_excl_tax": "1e999999"},
    {"total_excl_tax": "1.005"},
    {"date_placed": None},
    {"date_placed": "yesterday"},
    {"date_placed": "2026-02-01T10:00:00"},
    {"number": ""},
    {"number": "a b"},
    {"lines": [{"title": "t", "quantity": "many"}]},
]


@pytest.mark.parametrize("values", NOT_UNDERSTOOD, ids=str)
def test_order_that_is_not_understood_is_left_out_and_a_gap(
    shop: FakeShop, values: dict[str, Any], caplog: Any
) -> None:
    shop.orders = [order("EDX-1"), {**order("EDX-2"), **values}]
    answer = history()
    assert (numbers(answer), answer["gaps"]) == (["B-1", "EDX-1"], ["x", "ecommerce"])
    assert "amina" not in str([vars(each) for each in caplog.records])


@pytest.mark.parametrize(
    ("total", "currency", "amount"), [("14900.00", "JPY", 14900), ("1.234", "KWD", 1234), (149, "USD", 14900)]
)
def test_total_is_read_in_the_minor_units_of_its_currency(
    shop: FakeShop, total: Any, currency: str, amount: int
) -> None:
    shop.orders = [order("EDX-1", total_excl_tax=total, currency=currency)]
    assert history(orders=[])["orders"][0].total == Money(amount=amount, currency=currency)


def test_order_without_lines_is_an_order(shop: FakeShop) -> None:
    shop.orders = [order("EDX-1", lines=None), order("EDX-2", lines=[{"title": None, "description": None}])]
    answer = history(orders=[], gaps=[])
    assert [each.lines for each in answer["orders"]] == [(), (HistoryLine(title=""),)]
    assert answer["gaps"] == []


# --- No shop ---


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (LegacyOrders, {"username": "amina", "lms_user_id": 7, "orders": [], "gaps": []}),
        (LegacyOrderDetails, {"order_number": "EDX-1"}),
        (LegacyReceipt, {"order_number": "EDX-1", "username": "amina", "lms_user_id": 7}),
    ],
)
def test_without_a_shop_steps_answer_nothing_and_say_so_once(
    shop: FakeShop, settings: Any, kind: Any, asked: dict[str, Any], caplog: Any
) -> None:
    client_module.say_that_there_is_none.cache_clear()
    settings.CC_ECOMMERCE_URL_ROOT = ""
    with caplog.at_level("INFO"):
        assert step(kind).run_filter(**asked) == step(kind).run_filter(**asked) == {}
    assert caplog.text.count("there is no legacy shop") == 1
    assert shop.calls == []


def test_nobody_in_particular_has_no_orders(shop: FakeShop) -> None:
    assert history("") == {}
    assert shop.calls == []


# --- The client ---


def test_token_is_renewed_once_after_a_401(shop: FakeShop) -> None:
    shop.orders = [order("EDX-1")]
    history()
    shop.will("list", Answer(status=401, body={}))
    assert len(numbers(history())) == 2
    assert shop.kinds == ["token", "list", "list", "token", "list"]
    assert shop.calls[-1].headers["authorization"] == "JWT token-2"
