"""What the LMS and the micro-frontends call on us: each row of the contract, by everybody who might try."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from commerce_coordinator.tests.service import Purchase, RunningService

from .people import LEARNER, LMS_USER_IDS, OTHER, STAFF, headers

COURSE = "course-v1:DemoX+Baking+2026"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    running = RunningService(tmp_path_factory.mktemp("contract"))
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def purchase(service: RunningService) -> Purchase:
    """Amina has bought three courses, and is in."""
    bought = Purchase(service, username=LEARNER, lms_user_id=LMS_USER_IDS[LEARNER])
    assert bought.post().status_code == 200
    bought.wait_until_settled()
    return bought


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the contract. `answers`: the status by who calls; None is nobody in particular."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    answers: dict[str | None, int]

    def call(self, service: RunningService, who: str | None, **changes: Any) -> requests.Response:
        options = {"json": self.body} if self.body is not None else {}
        return requests.request(
            self.method,
            f"{service.url}{changes.get('path', self.path)}",
            headers=headers(service, who),
            timeout=20,
            allow_redirects=False,
            **{**options, **({"json": changes["body"]} if "body" in changes else {})},
        )

    def __str__(self) -> str:
        return f"{self.method} {self.path.partition('?')[0]}"


#: Rows whose answer does not depend on an order that was placed before.
ROWS = [
    Row(
        method="GET",
        path="/lms/payment_page_redirect/?sku=A&sku=B&course_run_key=course-v1%3AA%2BB%2BC&bundle=x",
        answers={None: 302, LEARNER: 303, STAFF: 303},
    ),
    Row(
        method="GET",
        path="/lms/order_details_page_redirect/?order_number=EDX-1",
        answers={None: 302, LEARNER: 403, STAFF: 303},
    ),
    Row(
        method="POST",
        path="/lms/refund/",
        body={
            "course_id": COURSE,
            "username": LEARNER,
            "enrollment_attributes": [
                {"namespace": "order", "name": "order_number", "value": "EDX-NONE"},
                {"namespace": "order", "name": "line_item_id", "value": "EDX-NONE-1"},
            ],
        },
        answers={None: 401, LEARNER: 403, STAFF: 404},
    ),
    Row(
        method="POST",
        path="/lms/user_retirement/",
        body={"edx_lms_user_id": 987654321},
        answers={None: 401, LEARNER: 403, STAFF: 204},
    ),
    Row(
        method="POST",
        path="/lms/enrollment/",
        body={"username": OTHER, "course_id": COURSE, "mode": "verified"},
        answers={None: 401, LEARNER: 403, STAFF: 202},
    ),
    Row(method="GET", path="/orders/order_history/", answers={None: 401, LEARNER: 200, STAFF: 200}),
    Row(
        method="GET",
        path="/orders/order_receipt/?order_number=EDX-NONE",
        answers={None: 401, LEARNER: 404, STAFF: 404},
    ),
    Row(
        method="POST",
        path="/ecommerce/redeem_enrollment_code/",
        body={"sku": "A", "code": "C0DE"},
        answers={None: 401, LEARNER: 202},
    ),
    Row(
        method="POST",
        path="/api/v1/signals/commerce_coordinator.plugins.lms.signals.account_deactivation_requested/send/",
        body={"payload": {"username": "nobody-in-particular"}},
        answers={None: 401, LEARNER: 403, STAFF: 202},
    ),
    Row(method="GET", path="/health/", answers={None: 200, LEARNER: 200}),
]


@pytest.mark.parametrize(
    ("row", "who", "status"),
    [(row, who, status) for row in ROWS for who, status in row.answers.items()],
    ids=lambda value: str(value or "anonymous"),
)
def test_each_caller_gets_the_answer_of_the_contract(
    service: RunningService, row: Row, who: str | None, status: int
) -> None:
    answer = row.call(service, who)
    assert answer.status_code == status, answer.text
    if status in {400, 401, 403, 404, 503}:
        error = answer.json()["error"]
        assert error["code"] and error["message"]
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("JWT")
    if status == 202:
        assert answer.json()["dispatch"]


#: What is wrong with a call, and the field that the answer must name.
BAD = [
    ("/lms/order_details_page_redirect/", STAFF, None, "order_number"),
    ("/lms/refund/", STAFF, {"course_id": COURSE, "username": LEARNER}, "enrollment_attributes"),
    ("/lms/user_retirement/", STAFF, {}, "edx_lms_user_id"),
    ("/lms/user_retirement/", STAFF, {"edx_lms_user_id": "x"}, "edx_lms_user_id"),
    ("/lms/enrollment/", STAFF, {"username": OTHER, "mode": "verified"}, "course_id"),
    ("/ecommerce/redeem_enrollment_code/", LEARNER, {"sku": "A"}, "code"),
    ("/ecommerce/redeem_enrollment_code/", LEARNER, {"code": "C"}, "sku"),
    ("/orders/order_receipt/", LEARNER, None, "order_number"),
]


@pytest.mark.parametrize(("path", "who", "body", "field"), BAD, ids=str)
def test_a_bad_call_is_told_what_is_wrong(
    service: RunningService, path: str, who: str, body: dict[str, Any] | None, field: str
) -> None:
    row = Row(method="GET" if body is None else "POST", path=path, body=body, answers={})
    answer = row.call(service, who)
    assert answer.status_code == 400, answer.text
    assert field in answer.json()["error"]["fields"]


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"iss": "https://elsewhere.example.com"},
        {"aud": "another"},
        {"preferred_username": None},
    ],
    ids=str,
)
def test_a_token_that_is_not_good_opens_nothing(service: RunningService, claims: dict[str, Any]) -> None:
    answer = requests.get(
        f"{service.url}/orders/order_history/", headers=headers(service, LEARNER, **claims), timeout=20
    )
    assert answer.status_code == 401
    assert answer.json()["error"]["code"]


def test_no_bearer(service: RunningService) -> None:
    token = headers(service, LEARNER)["Authorization"].removeprefix("JWT ")
    answer = requests.get(
        f"{service.url}/orders/order_history/", headers={"Authorization": f"Bearer {token}"}, timeout=20
    )
    assert answer.status_code == 401


def test_the_learners_redirect_keeps_the_query(service: RunningService) -> None:
    answer = ROWS[0].call(service, LEARNER)
    assert answer.headers["Location"].endswith("?sku=A&sku=B&course_run_key=course-v1%3AA%2BB%2BC&bundle=x")


def test_the_order_stands_in_the_history_of_its_buyer_and_of_nobody_else(
    service: RunningService, purchase: Purchase
) -> None:
    mine = requests.get(f"{service.url}/orders/order_history/", headers=headers(service, LEARNER), timeout=20).json()
    assert set(mine) >= {"count", "next", "previous", "results"}
    [order] = [each for each in mine["results"] if each["number"] == purchase.order_number]
    assert set(order) >= {"number", "currency", "date_placed", "total_excl_tax", "lines"}
    assert (order["currency"], order["total_excl_tax"], len(order["lines"])) == ("USD", "447.00", 3)
    assert set(order["lines"][0]) >= {"title", "quantity", "description"}
    theirs = requests.get(f"{service.url}/orders/order_history/", headers=headers(service, OTHER), timeout=20).json()
    assert theirs["results"] == []


@pytest.mark.parametrize(
    "query",
    [
        f"username={LEARNER}",
        f"username={OTHER}&username={LEARNER}",
        f"username={LEARNER.upper()}",
        f"username=%20{LEARNER}",
        f"lms_user_id={LMS_USER_IDS[LEARNER]}",
        f"user_id={LMS_USER_IDS[LEARNER]}&staff=true&administrator=true",
        "username=*",
        "username=",
        "page_size=1000000",
    ],
)
def test_another_learner_sees_no_order_of_his_whatever_he_adds(
    service: RunningService, purchase: Purchase, query: str
) -> None:
    for path in ("/orders/order_history/", f"/orders/order_receipt/?order_number={purchase.order_number}"):
        answer = requests.get(
            f"{service.url}{path}{'&' if '?' in path else '?'}{query}",
            headers=headers(service, OTHER),
            timeout=20,
            allow_redirects=False,
        )
        assert answer.status_code < 500
        assert "Location" not in answer.headers
        assert purchase.order_number not in answer.text.replace(path, "")


def test_staff_may_name_the_learner(service: RunningService, purchase: Purchase) -> None:
    answer = requests.get(
        f"{service.url}/orders/order_history/?username={LEARNER}", headers=headers(service, STAFF), timeout=20
    )
    assert purchase.order_number in [order["number"] for order in answer.json()["results"]]


def test_a_refund_is_asked_for_once(service: RunningService) -> None:
    bought = Purchase(service, username=LEARNER, lms_user_id=LMS_USER_IDS[LEARNER], courses=(COURSE,))
    assert bought.post().status_code == 200
    bought.wait_until_settled()
    attributes = {"order_number": bought.order_number, "line_item_id": f"{bought.order_number}-1"}
    body = {
        "course_id": COURSE,
        "username": LEARNER,
        "enrollment_attributes": [
            {"namespace": "order", "name": name, "value": value} for name, value in attributes.items()
        ],
    }
    row = Row(method="POST", path="/lms/refund/", body=body, answers={})
    first, second = row.call(service, STAFF), row.call(service, STAFF)
    assert [(each.status_code, each.json().get("status")) for each in (first, second)] == [
        (200, "requested"),
        (200, "requested_before"),
    ]
    assert first.json()["dispatch"] == second.json()["dispatch"]
