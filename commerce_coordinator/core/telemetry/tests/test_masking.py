"""What looks private does not leave; what an operator needs does."""

import datetime
import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce_coordinator.core.telemetry.masking import (
    MASK,
    SECRET_KEYS,
    _mask_patterns,
    mask,
    mask_text,
    where,
)

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl-_X"


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("Mail to ada@example.com bounced.", "ada"),
        ("<Ada.Lovelace+shop@mail.example.co.uk>", "Lovelace"),
        ("'email': 'ada@example.com'", "ada"),
        ("No such learner: o'hara@example.com", "hara"),
        ("GET /accounts/ada%40example.com/", "ada"),
        ("GET /accounts/ada%2Bshop%40example.com/", "ada"),
        ("GET /accounts/?q=ada%40example.com&page=2", "ada"),
        ("ada@exämple.com", "ada"),
        ("secret whsec_abcDEF123 is wrong", "abcDEF123"),
        ("sk_live_abc123", "abc123"),
        ("sk_test_abc_123", "abc_123"),
        ("rk_live_abc123 rk_test_def456", "abc123"),
        ("rk_live_abc123 rk_test_def456", "def456"),
        ("client_secret pi_3abc_secret_Xyz789", "Xyz789"),
        (f"token {JWT}.", "eyJ"),
        ("edx-jwt-cookie-header-payload=eyJhbGciOi.eyJzdWIi", "eyJ"),
        (f"Authorization: JWT {JWT}", "eyJ"),
        ("Authorization: Bearer abc.def-123", "abc"),
        ("authorization: bearer abc+def/ghi~1==", "ghi"),
        ("GET /enrollment?user=ada_l&course=x", "ada_l"),
        ("GET /enrollment?page=1&username=ada_l", "ada_l"),
        ('"GET /admin/trace/?q=ada_l HTTP/1.1" 200', "ada_l"),
        ("/admin/deliveries/delivery/?state=dead&q=ada_l", "ada_l"),
        ("client_id=x&client_secret=abc123&grant_type=y", "abc123"),
        ("access_token=abc123", "abc123"),
        ("password=hunter2", "hunter2"),
        ("mysql://coordinator:hunter2@db:3306/name", "hunter2"),
        ("redis://:hunter2@cache.example.com:6379/0", "hunter2"),
        ("redis://:hunter2!hunter2@cache.example.com:6379/0", "hunter2"),
        ("amqps://shop:h$nter.2@mq.example.com//", "nter"),
        ("mysql://coordinator:hunter2@hunter2@db/name", "hunter2"),
        ("mysql+pymysql://coordinator:hunter2@db/name", "hunter2"),
        ('(2002, "Can\'t connect to mysql://u:hunter2@db.example.com/x?ssl=1")', "hunter2"),
    ],
)
def test_what_is_private_goes(text, private):
    assert private in text
    masked = mask_text(text)
    assert private not in masked and MASK in masked


@pytest.mark.parametrize(
    "text",
    [
        "Delivery settled.",
        "commerce_coordinator.plugins.lms.tasks.enroll_learner",
        "commerce_coordinator.plugins.stripe.signals.payment_captured",
        "POST /stripe/webhook/ 200",
        "evt_1PqXyZ pi_3PqXyZ ch_3PqXyZ cus_123 acct_1",
        "course-v1:edX+DemoX+Demo_Course",
        "EDX-12345",
        "faq=1 seq=2",
        "https://lms.example.com:18000/api/enrollment/v1/enrollment",
        "redis://cache.example.com:6379/0",
        "worker-1.example.com:4711",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "2026-05-04T03:02:01.123456Z",
        "a@b", "@receiver", "5 @ 3.50 EUR",
    ],
)  # fmt: skip
def test_what_an_operator_needs_stays(text):
    assert mask_text(text) == text


def test_the_rest_of_a_line_stays():
    assert mask_text("GET /x?user=ada&course=y by ada@example.com.") == f"GET /x?user={MASK}&course=y by {MASK}."
    assert mask_text("redis://:hunter2@cache.example.com:6379/0") == f"redis://:{MASK}@cache.example.com:6379/0"


@pytest.mark.parametrize(
    "key",
    "payload email e-mail buyer_email EMAIL username user_name full_name first_name last_name name password api_key "
    "apikey raw_body body Authorization Cookie Stripe-Signature client_secret access_token private_note".split(),
)
def test_values_under_a_private_key_go_whatever_they_hold(key):
    for value in ("ada", 7, None, ["ada"], {"x": "ada"}, b"ada"):
        assert mask({key: value, "outer": [{key: value}]}) == {key: MASK, "outer": [{key: MASK}]}


@pytest.mark.parametrize(
    "key",
    "delivery dispatch event_id event_type sender signal receiver state attempt error_class where trace_id span_id "
    "provider account status code chore deliveries worker course_key order_number payment_id logger filename "
    "receiver_name hostname".split(),
)
def test_ids_stay(key):
    assert not SECRET_KEYS.search(key)
    assert mask({key: "01890a5d"}) == {key: "01890a5d"}


def test_masks_at_every_depth():
    assert mask([{"x": ("ada@example.com", [{"y": "sk_live_abc"}])}]) == [{"x": [MASK, [{"y": MASK}]]}]


def test_a_key_can_be_private_itself():
    assert "ada" not in str(mask({"ada@example.com": 1}))


class Learner:
    def __repr__(self):
        return "<Learner ada@example.com>"


@pytest.mark.parametrize(
    "value",
    [
        ValueError("No learner ada@example.com."),
        {"ada@example.com"},
        frozenset({"ada@example.com"}),
        b"ada@example.com",
        Learner(),
        Learner,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_json_is_masked_as_it_would_be_written(value):
    assert "ada@" not in repr(mask(value))
    assert "ada@" not in repr(mask({"x": [value]}))


@pytest.mark.parametrize("value", [None, True, 7, 1.5])
def test_numbers_and_none_stay_what_they_are(value):
    assert mask(value) is value


def test_ids_and_times_stay_readable():
    key, at = uuid.uuid4(), datetime.datetime(2026, 5, 4, tzinfo=datetime.UTC)
    assert str(key) in str(mask({"delivery": key})) and "2026-05-04" in str(mask({"at": at}))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("piece", ["a", "a.", "a'", "%41", "eyJ-", "eyJ.", "a@", "a:", "user="])
def test_a_long_line_is_masked_in_no_time(piece):
    """A log call runs in the web process. When patterns start over at each character, this takes minutes."""
    assert isinstance(mask_text(piece * (300_000 // len(piece))), str)


def test_secret_keys_are_found_anywhere_in_a_key():
    assert isinstance(SECRET_KEYS, re.Pattern)
    assert mask({"stripe_webhook_secret_2": "x", "lms_access_token_cached": "y"}) == {
        "stripe_webhook_secret_2": MASK,
        "lms_access_token_cached": MASK,
    }


def raise_deeply(depth):
    if depth:
        raise_deeply(depth - 1)
    raise ValueError("ada@example.com")


def test_where_tells_the_way_of_an_error_innermost_last_and_not_its_words():
    for depth, expected in ((1, ["test_where_tells_\\w+", "raise_deeply", "raise_deeply"]), (9, ["raise_deeply"] * 3)):
        try:
            raise_deeply(depth)
        except ValueError as error:
            told = where(error)
        assert re.fullmatch(" > ".join(rf"test_masking\.py:\d+ {name}" for name in expected), told)
    assert where(ValueError("It was never raised.")) == ""


_PIECES = st.sampled_from(
    "ada @ %40 .com :// : / = user password JWT bearer Bearer eyJ . whsec sk_live rk_test pi_1_secret seti_1 _ abc123 "
    "& ' secret é".split(" ")
)


@given(st.lists(_PIECES | st.just(" "), max_size=8).map("".join))
def test_quick_look_misses_nothing_that_a_pattern_masks(text: str) -> None:
    assert mask_text(text) == _mask_patterns(text)
