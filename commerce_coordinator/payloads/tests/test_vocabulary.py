"""The words that plugins share: frozen, told apart, and silent about what they were given when it is wrong."""

import datetime

import pytest
from pydantic import ValidationError

from commerce_coordinator.payloads.enrollments import EnrollmentRequested
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine, OrderPlaced
from commerce_coordinator.payloads.payments import PaymentCaptured

LINE = {"line_number": 1, "course_key": "course-v1:edX+DemoX+Demo_Course", "mode": "verified"}
ORDER = {
    "order_number": "EDX-12345",
    "provider": "stripe",
    "account": "",
    "payment_id": "pi_1",
    "money": {"amount": 14900, "currency": "EUR"},
    "lms_user_id": 42,
    "username": "ada",
    "email": "ada@example.com",
    "lines": [LINE],
}
PAYMENT = {**ORDER, "captured_at": "2026-05-04T03:02:01Z"}
ENROLLMENT = {"order_number": "EDX-12345", "lms_user_id": 42, "username": "ada", **LINE}

RIGHT = [(OrderLine, LINE), (OrderPlaced, ORDER), (PaymentCaptured, PAYMENT), (EnrollmentRequested, ENROLLMENT)]


@pytest.mark.parametrize(("word", "values"), RIGHT)
def test_a_payload_comes_back_from_json_as_it_was(word, values):
    payload = word.model_validate(values, extra="forbid")
    assert word.model_validate(payload.model_dump(mode="json"), extra="forbid") == payload


@pytest.mark.parametrize(("word", "values"), RIGHT)
def test_a_payload_cannot_be_changed(word, values):
    payload = word.model_validate(values)
    for name in word.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(payload, name, getattr(payload, name))


@pytest.mark.parametrize(("word", "values"), RIGHT)
def test_each_field_is_demanded(word, values):
    for name in (name for name, field in word.model_fields.items() if field.is_required()):
        with pytest.raises(ValidationError) as missing:
            word.model_validate({key: value for key, value in values.items() if key != name})
        assert [error["loc"] for error in missing.value.errors()] == [(name,)]


def test_values_are_typed():
    payment = PaymentCaptured.model_validate(PAYMENT)
    assert payment.money == Money(amount=14900, currency="EUR")
    assert payment.captured_at == datetime.datetime(2026, 5, 4, 3, 2, 1, tzinfo=datetime.UTC)
    assert payment.lines == (OrderLine(**LINE),)


@pytest.mark.parametrize(
    ("word", "values", "field"),
    [
        (OrderPlaced, {**ORDER, "order_number": ""}, "order_number"),
        (OrderPlaced, {**ORDER, "order_number": "EDX 1"}, "order_number"),
        (OrderPlaced, {**ORDER, "order_number": "EDX-1\n"}, "order_number"),
        (OrderPlaced, {**ORDER, "order_number": "E" * 129}, "order_number"),
        (OrderPlaced, {**ORDER, "lines": []}, "lines"),
        (OrderPlaced, {**ORDER, "money": {"amount": 149.0, "currency": "EUR"}}, "money"),
        (PaymentCaptured, {**PAYMENT, "captured_at": "2026-05-04T03:02:01"}, "captured_at"),
        (PaymentCaptured, {**PAYMENT, "lms_user_id": "Ada Private"}, "lms_user_id"),
        (PaymentCaptured, {**PAYMENT, "username": None}, "username"),
        (OrderLine, {**LINE, "line_number": 0}, "line_number"),
        (OrderLine, {**LINE, "course_key": "course v1"}, "course_key"),
        (OrderLine, {**LINE, "course_key": "c" * 256}, "course_key"),
        (OrderLine, {**LINE, "mode": "Verified"}, "mode"),
        (OrderLine, {**LINE, "mode": ""}, "mode"),
        (EnrollmentRequested, {**ENROLLMENT, "mode": "no such mode"}, "mode"),
    ],
)
def test_what_is_wrong_is_refused_by_its_field_and_not_quoted(word, values, field):
    with pytest.raises(ValidationError) as wrong:
        word.model_validate(values)
    assert {error["loc"][0] for error in wrong.value.errors()} == {field}
    assert "input_value" not in str(wrong.value) and "Ada" not in str(wrong.value)
