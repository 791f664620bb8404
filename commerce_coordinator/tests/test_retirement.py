"""A learner retires after all that can happen: nothing in any column of any table names him afterwards."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone
from openedx_filters import PipelineStep
from social_django.models import UserSocialAuth

from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.deliveries.replay import replay
from commerce_coordinator.core.exceptions import NotReplayable
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.rest.testing import as_user
from commerce_coordinator.core.retirement.chores import go_on_with_retirements
from commerce_coordinator.core.retirement.models import Retirement
from commerce_coordinator.core.testing import filters_as, run_deliveries
from commerce_coordinator.plugins.demo_lms.purchase import payment_intent_succeeded, signed
from commerce_coordinator.plugins.lms.tests.conftest import lms  # noqa: F401 - a fixture
from commerce_coordinator.plugins.lms.tests.fake_lms import Answer, FakeLms, refusal

pytestmark = [pytest.mark.django_db, pytest.mark.database]

LMS_USER_ID = 84213577
USERNAME = "ann_of_ulm"
EMAIL = "ann.ulm@example.com"
FULL_NAME = "Annegret Ulmer"
NEEDLES = [str(LMS_USER_ID), USERNAME, EMAIL, FULL_NAME, "Annegret", "Ulmer"]
STAFF = as_user("lms_worker", lms_user_id=7, staff=True)

#: The far side: what the stand-in LMS keeps of a learner is the LMS's own affair.
FAR_SIDE = "demo_lms_"


class Refundable(PipelineStep):
    def run_filter(self, **asked: Any) -> dict[str, Any]:
        payment = {"provider": "stripe", "account": "", "payment_id": "pi_1"}
        return {"payment": payment, "eligible": True, "lms_user_id": LMS_USER_ID}


def post(client: Client, event: dict[str, Any]) -> None:
    body, headers = signed(event, "whsec_local")
    content_type = headers.pop("Content-Type")
    answer = client.post("/stripe/webhook/", body, content_type=content_type, headers=headers)
    assert answer.status_code == 200, answer.content


def bought(
    order_number: str, *, username: str = USERNAME, lms_user_id: int = LMS_USER_ID, **more: Any
) -> dict[str, Any]:
    event = payment_intent_succeeded(order_number, username=username, **more)
    found = event["data"]["object"]
    email = EMAIL if username == USERNAME else f"{username}@example.com"
    found["metadata"].update(lms_user_id=str(lms_user_id), email=email)
    found["receipt_email"] = email
    return event


def retire(client: Client, lms_user_id: Any = LMS_USER_ID, headers: dict[str, str] = STAFF) -> Any:
    body = {"edx_lms_user_id": lms_user_id}
    return client.post("/lms/user_retirement/", body, content_type="application/json", headers=headers)


def later(minutes: int = 10) -> Any:
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False)


def finish() -> None:
    run_deliveries()
    with later():
        for _ in range(3):
            go_on_with_retirements()


def named_in_the_database() -> list[tuple[str, str, str]]:
    """(table, column, needle) wherever one stands, whatever the column's type."""
    found = []
    with connection.cursor() as cursor:
        tables = [each for each in connection.introspection.table_names(cursor) if not each.startswith(FAR_SIDE)]
        assert len(tables) > 15
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for column, value in zip(columns, row, strict=True):
                    text = value.decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
                    text = text.encode().decode("unicode_escape", "replace") if "\\u" in text else text
                    found += [(table, column, each) for each in NEEDLES if each.casefold() in text.casefold()]
    found += [
        ("django_session", "decoded", USERNAME) for each in Session.objects.all() if "secret" in each.get_decoded()
    ]
    return sorted(set(found))


@pytest.fixture
def story(client: Client, lms: FakeLms) -> Iterator[None]:  # noqa: F811
    """A purchase in effect, one that died at the LMS, one that waits for it, a refund, events that led nowhere."""
    post(client, bought("EDX-1", event_id="evt_1", payment_id="pi_1"))
    run_deliveries()
    lms.answers["enrol"] = [refusal(400, f"No mode for {USERNAME} <{EMAIL}>.")] * 3
    post(client, bought("EDX-2", event_id="evt_2"))
    run_deliveries()
    lms.answers["look"] = [Answer(status=503, body={"message": f"{USERNAME} is away"})] * 3
    post(client, bought("EDX-3", event_id="evt_3"))
    run_deliveries()
    # Failed: no order number. Ignored: a type that no signal is for.
    failed = bought("EDX-4", event_id="evt_failed")
    del failed["data"]["object"]["metadata"]["order_number"]
    post(client, failed)
    ignored = bought("EDX-1", event_id="evt_ignored")
    ignored["type"] = "charge.succeeded"
    ignored["data"]["object"]["billing_details"] = {"name": FULL_NAME, "email": EMAIL.upper()}
    post(client, ignored)
    with filters_as({"org.edx.coordinator.lms.refund_eligibility.requested.v1": [Refundable]}):
        attributes = [
            {"namespace": "order", "name": name, "value": value}
            for name, value in (("order_number", "EDX-1"), ("line_item_id", "EDX-1-1"))
        ]
        body = {"course_id": "course-v1:X+Y+Z", "username": USERNAME, "enrollment_attributes": attributes}
        assert client.post("/lms/refund/", body, content_type="application/json", headers=STAFF).status_code == 200
    # Asked for by a service before the learner was ever here: no id is known.
    body = {"username": USERNAME, "course_id": "course-v1:X+Y+Z", "mode": "audit"}
    assert client.post("/lms/enrollment/", body, content_type="application/json", headers=STAFF).status_code == 202
    run_deliveries()
    _log_in(client)
    _act()
    yield


def _act() -> None:
    """He worked here himself; and others gave him as their reason."""
    told = {"kind": "replayed", "origin": "web", "why": f"{FULL_NAME} wrote to us."}
    OperatorAct.objects.create(delivery=Delivery.objects.filter(state="dead")[0], who=USERNAME, **told)
    OperatorAct.objects.create(dispatch=Dispatch.objects.filter(person=str(LMS_USER_ID))[0], who="night-shift", **told)
    for event in InboxEvent.objects.filter(event_id__in=["evt_1", "evt_failed"]):
        OperatorAct.objects.create(event=event, who="night-shift", **told)


def _log_in(client: Client) -> None:
    headers = as_user(USERNAME, lms_user_id=LMS_USER_ID, email=EMAIL)
    assert client.get("/lms/payment_page_redirect/", headers=headers).status_code == 303
    user = get_user_model().objects.get(username=USERNAME)
    user.first_name, user.last_name = FULL_NAME.split()
    user.save()
    UserSocialAuth.objects.create(user=user, provider="edx-oauth2", uid=USERNAME, extra_data={"username": USERNAME})
    about = ContentType.objects.get_for_model(user)
    LogEntry.objects.create(
        user=user, content_type=about, object_id=str(user.pk), object_repr=USERNAME, action_flag=CHANGE
    )
    client.force_login(user)
    session = client.session
    session["secret"] = USERNAME
    session.save()
    client.cookies.clear()


@pytest.mark.usefixtures("story")
def test_retired_learner_is_in_no_column_of_any_table(client: Client) -> None:
    # The test can fail: he is everywhere now.
    tables = {table for table, _, _ in named_in_the_database()}
    assert {
        "accounts_user",
        "deliveries_attempt",
        "deliveries_delivery",
        "deliveries_dispatch",
        "deliveries_operatoract",
        "django_admin_log",
        "django_session",
        "inbox_inboxevent",
        "social_auth_usersocialauth",
    } <= tables

    assert retire(client).status_code == 204
    # At once all that an index finds. Left are the retirement's own rows until everybody knows, and what only reading
    # finds: bodies that led nowhere, sessions, and what a service asked for when nobody knew his id.
    left = {(table, column) for table, column, _ in named_in_the_database()}
    assert left <= {
        ("deliveries_attempt", "error_text"),
        ("deliveries_delivery", "error_text"),
        ("deliveries_dispatch", "payload"),
        ("deliveries_dispatch", "person"),
        ("deliveries_operatoract", "why"),
        ("django_session", "decoded"),
        ("inbox_inboxevent", "raw_body"),
        ("retirement_retirement", "lms_user_id"),
        ("retirement_retirement", "names"),
    }
    finish()
    assert named_in_the_database() == []
    assert not Retirement.objects.exists()


@pytest.mark.usefixtures("story")
def test_ids_orders_and_amounts_stay(client: Client) -> None:
    kept = ("event_id", "event_type", "state", "reason", "trace_id", "received_at")
    events = list(InboxEvent.objects.order_by("pk").values(*kept))
    subjects = list(Dispatch.objects.order_by("pk").values_list("pk", "subject", "signal"))
    attempts = Attempt.objects.count()
    retire(client)
    finish()
    assert list(InboxEvent.objects.order_by("pk").values(*kept)) == events
    assert list(Dispatch.objects.order_by("pk").values_list("pk", "subject", "signal"))[: len(subjects)] == subjects
    assert Attempt.objects.count() >= attempts
    captured = Dispatch.objects.filter(signal__endswith="payment_captured", subject="EDX-1").get()
    assert captured.payload["money"] == {"amount": 44700, "currency": "USD"}
    assert captured.payload["payment_id"] == "pi_1"
    assert (captured.payload["lms_user_id"], captured.person) == (0, "")


@pytest.mark.usefixtures("story")
def test_others_keep_all_they_have(client: Client) -> None:
    post(client, bought("EDX-9", username="ben", lms_user_id=99, event_id="evt_9"))
    run_deliveries()
    bens = Dispatch.objects.filter(person="99")
    before = list(bens.order_by("pk").values())
    retire(client)
    finish()
    assert before
    assert list(bens.order_by("pk").values()) == before
    assert b"ben@example.com" in bytes(InboxEvent.objects.get(event_id="evt_9").raw_body)


@pytest.mark.usefixtures("story")
def test_what_is_still_to_be_done_for_him_comes_before_an_operator(client: Client) -> None:
    waiting = set(Delivery.objects.filter(state="pending").values_list("pk", flat=True))
    dead = set(Delivery.objects.filter(state="dead").values_list("pk", flat=True))
    assert len(waiting) == 3
    assert dead
    retire(client)
    ended = Delivery.objects.filter(pk__in=waiting)
    assert set(ended.values_list("state", "error_class", "wake_at")) == {("dead", "LearnerRetired", None)}
    assert set(ended.values_list("dispatch__subject", flat=True)) == {"EDX-3"}
    finish()
    assert dead | waiting <= set(Delivery.objects.filter(state="dead").values_list("pk", flat=True))
    left = Delivery.objects.select_related("dispatch").filter(pk__in=dead | waiting)
    for each in left.exclude(receiver__endswith=".refund_payment"):
        with pytest.raises(NotReplayable, match="retired"):
            replay(each)
    # His money goes back without him: a refund names the payment alone.
    refunds = left.filter(receiver__endswith=".refund_payment")
    assert refunds
    for each in refunds:
        replay(each)


@pytest.mark.usefixtures("story")
def test_asked_again_it_is_204_again(client: Client) -> None:
    for _ in range(2):
        assert retire(client).status_code == 204
    assert Dispatch.objects.filter(signal__endswith="user_retired").count() == 1
    finish()
    assert retire(client).status_code == 204
    finish()
    assert named_in_the_database() == []


def test_learner_whom_nobody_knows_is_204(client: Client) -> None:
    assert retire(client, 5).status_code == 204
    finish()
    assert not Retirement.objects.exists()


@pytest.mark.usefixtures("story")
def test_what_comes_while_he_retires_is_erased_too(client: Client) -> None:
    retire(client)
    post(client, bought("EDX-5", event_id="evt_5"))
    finish()
    assert named_in_the_database() == []
    late = Delivery.objects.filter(dispatch__subject="EDX-5")
    assert late


@pytest.mark.usefixtures("story")
def test_what_runs_is_left_to_end_and_erased_then(client: Client) -> None:
    waiting = Delivery.objects.filter(state="pending").first()
    assert waiting is not None
    running = Delivery.objects.filter(pk=waiting.pk)
    lease = timezone.now() + timedelta(seconds=90)
    running.update(state="running", attempts=2, lease_until=lease, wake_at=lease)
    retire(client)
    assert running.get().state == "running"
    assert running.get().dispatch.person == str(LMS_USER_ID)
    running.update(state="pending", lease_until=None)  # it was tried, and shall be again
    finish()
    assert (running.get().state, running.get().error_class) == ("dead", "LearnerRetired")
    assert named_in_the_database() == []


def test_account_that_is_left_lets_nobody_in(client: Client) -> None:
    _log_in(client)
    retire(client)
    user = get_user_model().objects.get(username__startswith="retired ")
    assert (user.is_active, user.has_usable_password(), user.lms_user_id) == (False, False, None)
    assert not user.social_auth.exists()


def test_plugin_that_does_not_manage_yet_keeps_the_id(client: Client) -> None:
    from commerce_coordinator.core.testing import routes_as

    name = "commerce_coordinator.plugins.lms.signals.user_retired"
    with routes_as({name: ["commerce_coordinator.plugins.demo_lms.receivers.test_receiver_exception"]}):
        retire(client)
    finish()
    assert Retirement.objects.get().lms_user_id == LMS_USER_ID
    told = Dispatch.objects.get(signal=name)
    assert told.payload == {"lms_user_id": LMS_USER_ID}
    told.deliveries.update(state="succeeded")
    finish()
    assert named_in_the_database() == []


@pytest.mark.parametrize("value", [None, "", "x", 0, -1, 2**63, 1.5, True, [1], {}])
def test_id_must_be_one(client: Client, value: Any) -> None:
    answer = retire(client, value)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["edx_lms_user_id"])
    assert not Retirement.objects.exists()


@pytest.mark.usefixtures("story")
def test_retirement_costs_few_statements_however_much_there_is(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        post(client, bought(f"EDX-1{number}", event_id=f"evt_1{number}", courses=["course-v1:X+Y+Z"]))
    run_deliveries()
    assert Dispatch.objects.filter(person=str(LMS_USER_ID)).count() > 100
    with django_assert_max_num_queries(90):
        assert retire(client).status_code == 204
