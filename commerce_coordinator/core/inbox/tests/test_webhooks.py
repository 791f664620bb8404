"""The way in: what is kept, what is refused, and what is answered so that it is sent again."""

import json
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.exceptions import EventIgnored, EventNotUnderstood, NotReplayable, WebhookRefused
from commerce_coordinator.core.inbox import webhooks
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.replay import replay_event
from commerce_coordinator.core.inbox.webhooks import ProviderEvent, WebhookView
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import assert_not_sent, assert_sent, routes_as
from commerce_coordinator.core.testing.database_faults import inserts_fail

pytestmark = [pytest.mark.django_db, pytest.mark.database]

HERE = __name__

paid = CoordinatorSignal(subject="order_number", unique_by=("payment_id",), name=f"{HERE}.paid")


def received(**values: Any) -> None:
    pass


def broken(**values: Any) -> None:
    raise RuntimeError


def _build(event: ProviderEvent, account: str) -> dict[str, Any]:
    match event.data.get("case"):
        case "not ours":
            raise EventIgnored("Not ours.")
        case "no order":
            raise EventNotUnderstood("metadata.order_number is missing.")
        case "surprise":
            raise KeyError("something nobody thought of")
    return {"order_number": "EDX-1", "payment_id": event.data.get("payment", "pay_1"), "account": account}


def _each_of(event: ProviderEvent, account: str) -> list[dict[str, Any]]:
    payments = event.data.get("payments", [])
    if "?" in payments:
        raise EventIgnored("Not known here.")
    return [{"order_number": "EDX-1", "payment_id": each, "account": account} for each in payments]


class TestProviderView(WebhookView):
    __test__ = False
    provider = "testprovider"
    signals = {
        "paid": (paid, _build),
        "paid_several": (paid, _each_of),
        "paid_and_several": [(paid, _build), (paid, _each_of)],
    }

    def verify(self, request: Any, body: bytes, account: str) -> None:
        if request.headers.get("X-Signed") != "yes":
            raise WebhookRefused("signature_invalid", "Not signed.")

    def parse(self, body: bytes) -> ProviderEvent:
        data = json.loads(body)
        return ProviderEvent(event_id=data["id"], event_type=data["type"], data=data)


@pytest.fixture(autouse=True)
def routed():
    with routes_as({f"{HERE}.paid": [f"{HERE}.received"]}):
        yield


@pytest.fixture
def post(rf, monkeypatch):
    def send(event: dict[str, Any] | bytes, *, signed: bool = True, account: str = "", **extra: Any) -> Any:
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        headers = {"X-Signed": "yes"} if signed else {}
        request = rf.post("/webhook/", body, content_type="application/json", headers=headers, **extra)
        return TestProviderView.as_view()(request, account=account)

    return send


EVENT = {"id": "evt_1", "type": "paid"}


def test_one_event_may_tell_of_several_facts(post) -> None:
    several = {"id": "evt_2", "type": "paid_several", "payments": ["pay_1", "pay_2"]}
    assert json.loads(post(several).content)["status"] == "sent"
    assert_sent(paid, times=1, payment_id="pay_1")
    assert_sent(paid, times=1, payment_id="pay_2")
    assert Delivery.objects.count() == 2


def test_of_several_facts_each_is_told_once(post) -> None:
    post(EVENT)
    again = {"id": "evt_2", "type": "paid_several", "payments": ["pay_1", "pay_2"]}
    assert json.loads(post(again).content)["status"] == "sent"
    assert_sent(paid, times=1, payment_id="pay_1")
    assert_sent(paid, times=1, payment_id="pay_2")
    assert "was sent before" in InboxEvent.objects.get(event_id="evt_2").reason


def test_an_event_that_tells_of_nothing_is_ignored(post) -> None:
    assert json.loads(post({"id": "evt_2", "type": "paid_several", "payments": []}).content)["status"] == "ignored"
    assert_not_sent(paid)


@pytest.mark.parametrize(
    ("case", "payments", "state"),
    [
        ("not ours", ["pay_2"], "sent"),
        ("", ["?"], "sent"),
        ("not ours", ["?"], "ignored"),
        ("no order", ["pay_2"], "failed"),
    ],
)
def test_of_several_meanings_one_that_is_not_its_own_is_left_out(
    post, case: str, payments: list[str], state: str
) -> None:
    event = {"id": "evt_2", "type": "paid_and_several", "case": case, "payments": payments}
    assert json.loads(post(event).content)["status"] == state
    assert Dispatch.objects.count() == (1 if state == "sent" else 0)


def test_event_is_kept_with_its_sending(post) -> None:
    answer = post(EVENT, account="shop")
    assert answer.status_code == 200
    row = InboxEvent.objects.get()
    assert (row.provider, row.account, row.event_id, row.state) == ("testprovider", "shop", "evt_1", "sent")
    assert json.loads(bytes(row.raw_body)) == EVENT
    dispatch = Dispatch.objects.get()
    assert (dispatch.event_id, dispatch.trace_id, dispatch.subject) == (row.pk, row.trace_id, "EDX-1")
    assert Delivery.objects.get().state == "succeeded"


def test_duplicate_is_answered_200_and_adds_nothing(post) -> None:
    post(EVENT)
    answer = post(EVENT)
    assert (answer.status_code, json.loads(answer.content)) == (200, {"status": "duplicate"})
    assert (InboxEvent.objects.count(), Dispatch.objects.count()) == (1, 1)


def test_ids_that_differ_in_case_spaces_or_account_are_different_events(post) -> None:
    for event_id, account in [("evt_a", ""), ("evt_A", ""), ("evt_a ", ""), ("evt_a", "shop")]:
        assert (
            post({"id": event_id, "type": "paid", "payment": f"{event_id}{account}"}, account=account).status_code
            == 200
        )
    assert (InboxEvent.objects.count(), Dispatch.objects.count()) == (4, 4)


def test_two_events_of_one_payment_are_both_kept_and_sent_once(post) -> None:
    post({"id": "evt_1", "type": "paid", "payment": "pay_7"})
    post({"id": "evt_2", "type": "paid", "payment": "pay_7"})
    assert (InboxEvent.objects.count(), Dispatch.objects.count(), Delivery.objects.count()) == (2, 1, 1)
    second = InboxEvent.objects.get(event_id="evt_2")
    assert (second.state, str(Dispatch.objects.get().pk) in second.reason) == ("sent", True)


@pytest.mark.parametrize(
    ("event", "state", "reason"),
    [
        ({"id": "e", "type": "unheard.of"}, "ignored", "No signal for this type."),
        ({"id": "e", "type": "paid", "case": "not ours"}, "ignored", "Not ours."),
        ({"id": "e", "type": "paid", "case": "no order"}, "failed", "metadata.order_number is missing."),
        ({"id": "e", "type": "paid", "case": "surprise"}, "failed", "Building the payload raised KeyError."),
    ],
)
def test_event_without_a_signal_is_kept_with_the_reason(post, event, state: str, reason: str) -> None:
    answer = post(event)
    assert (answer.status_code, json.loads(answer.content)["status"]) == (200, state)
    row = InboxEvent.objects.get()
    assert (row.state, row.reason) == (state, reason)
    assert_not_sent(paid)


def test_failed_event_is_replayed_from_its_bytes_after_a_fix(post, monkeypatch) -> None:
    post({"id": "e", "type": "paid", "case": "no order"})
    monkeypatch.setattr(
        TestProviderView, "signals", {"paid": (paid, lambda *_: {"order_number": "X", "payment_id": "p"})}
    )
    row = replay_event(InboxEvent.objects.get())
    assert (row.state, row.reason) == ("sent", "")
    assert_sent(paid, times=1, order_number="X")
    assert Dispatch.objects.get().event_id == row.pk
    with pytest.raises(NotReplayable, match="sent"):
        replay_event(row)


def test_unsigned_request_is_refused_and_nothing_stored(post, caplog) -> None:
    answer = post({"id": "e", "type": "paid", "email": "ann@example.com"}, signed=False)
    assert answer.status_code == 400
    assert json.loads(answer.content) == {"error": {"code": "signature_invalid", "message": "Not signed."}}
    assert not InboxEvent.objects.exists()
    [line] = [record for record in caplog.records if record.name == webhooks.__name__]
    assert "ann@example.com" not in str(line.__dict__)


def test_body_over_one_mebibyte_is_refused_unread(post, monkeypatch) -> None:
    answer = post(b"x" * (1024 * 1024 + 1))
    assert answer.status_code == 413
    assert json.loads(answer.content)["error"]["code"] == "body_too_large"
    assert not InboxEvent.objects.exists()


class _Unread:
    """What the server would read the body from."""

    def read(self, *args: Any) -> bytes:
        raise AssertionError("read")

    readline = read


def test_body_that_is_announced_as_too_large_is_refused_before_a_byte_is_read(post) -> None:
    announced = {"CONTENT_LENGTH": str(1024 * 1024 + 1), "wsgi.input": _Unread()}
    answer = post(EVENT, **announced)
    assert (answer.status_code, json.loads(answer.content)["error"]["code"]) == (413, "body_too_large")
    with pytest.raises(AssertionError, match="read"):
        post(EVENT, **{**announced, "CONTENT_LENGTH": "1"})


def test_no_throttle_refuses_a_provider(post, settings) -> None:
    settings.CC_THROTTLE_USER = settings.CC_THROTTLE_ANONYMOUS = "1/min"
    answers = [post({"id": f"e{number}", "type": "unheard.of"}) for number in range(300)]
    assert {answer.status_code for answer in answers} == {200}
    assert {post(EVENT, signed=False).status_code for _ in range(300)} == {400}, "a stranger does not use it up either"
    assert InboxEvent.objects.count() == 300


def test_body_in_chunks_is_refused_with_the_reason(post) -> None:
    answer = post(b"", HTTP_TRANSFER_ENCODING="chunked")
    assert (answer.status_code, json.loads(answer.content)["error"]["code"]) == (411, "length_required")


def test_get_is_answered_405_as_json(rf) -> None:
    answer = TestProviderView.as_view()(rf.get("/webhook/"))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert json.loads(answer.content)["error"]["code"] == "method_not_allowed"


def test_database_away_is_answered_503_so_that_the_provider_sends_again(post) -> None:
    with inserts_fail(InboxEvent, OperationalError("server has gone away")):
        answer = post(EVENT)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert post(EVENT).status_code == 200


def test_failing_to_record_the_sending_keeps_no_event_either(post) -> None:
    with inserts_fail(Dispatch, OperationalError("server has gone away")):
        assert post(EVENT).status_code == 503
    assert not InboxEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_deadlock_is_run_again_and_not_answered_503(post, monkeypatch) -> None:
    monkeypatch.setattr(connection, "vendor", "mysql")  # the error and its number are MySQL's
    with inserts_fail(Dispatch, *[OperationalError(1213, "Deadlock found")] * 2):
        assert post(EVENT).status_code == 200
    assert (InboxEvent.objects.count(), Dispatch.objects.count()) == (1, 1)


def test_failing_inline_receiver_does_not_reach_the_provider(post) -> None:
    with routes_as({f"{HERE}.paid": [f"{HERE}.broken"]}):
        assert post(EVENT).status_code == 200
    assert Delivery.objects.get().state == "dead"


@pytest.mark.django_db(transaction=True)
def test_accepted_event_takes_three_statements_and_a_duplicate_two(post) -> None:
    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert post(EVENT).status_code == 200
        return [
            sql.split()[0]
            for sql in (each["sql"] for each in captured)
            if not sql.startswith(("BEGIN", "COMMIT", "ROLLBACK"))
        ]

    with routes_as({f"{HERE}.paid": ["commerce_coordinator.core.inbox.tests.tasks_for_tests.fulfil"]}):
        assert statements() == ["INSERT", "INSERT", "INSERT"]
        failed_insert, look_up = statements()  # MySQL's driver does not tell the text of a statement that failed
        assert failed_insert in ("INSERT", "None")
        assert look_up == "SELECT"


@pytest.mark.parametrize("event_id", ["", "e" * 256])
def test_event_id_that_no_column_can_hold_is_refused(post, event_id: str) -> None:
    answer = post({"id": event_id, "type": "paid"})
    assert (answer.status_code, json.loads(answer.content)["error"]["code"]) == (400, "event_id_invalid")
    assert not InboxEvent.objects.exists()


def test_event_ignored_by_a_wrong_setting_is_replayed_after_the_fix(post, monkeypatch) -> None:
    post({"id": "e", "type": "paid", "case": "not ours"})
    monkeypatch.setattr(
        TestProviderView, "signals", {"paid": (paid, lambda *_: {"order_number": "X", "payment_id": "p"})}
    )
    assert replay_event(InboxEvent.objects.get()).state == "sent"
    assert_sent(paid, times=1, order_number="X")


def test_text_that_can_be_written_nowhere_is_kept_as_failed(post, monkeypatch) -> None:
    broken_text = {"paid": (paid, lambda *_: {"order_number": "\ud800", "payment_id": "p"})}
    monkeypatch.setattr(TestProviderView, "signals", broken_text)
    assert json.loads(post(EVENT).content)["status"] == "failed"
    assert "UTF-8" in InboxEvent.objects.get().reason
