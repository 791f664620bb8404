"""What every payment provider's plugin promises, as tests. A plugin runs them by giving its side of the wire:

    class TestTillpay(ProviderContract):
        provider = "tillpay"
        url = "/tillpay/webhook/"
        signals = {PaymentCaptured: signals.payment_captured, DisputeLost: Absent("Tillpay has no disputes."), ...}

        def sign(self, body, *, redelivery=False): ...
        def captured(self, *, order_number, payment_id, money, event_id): ...

`ProviderFixtures` lists all that is to be given; a class that leaves something out is refused with the list. The plugin
is installed and its URLs are served; secrets and clocks are set by the plugin's own fixtures. Several accounts are
several classes.
"""

import json
import logging
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.replay import replay_event
from commerce_coordinator.core.inbox.webhooks import (
    MAX_BODY_BYTES,
    WebhookView,
)
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.payments import PaymentRefunded

from . import sent
from .database_faults import inserts_fail
from .provider_fixtures import CAPTURED, FACTS, REFUNDED, Absent, Event, Fact, ProviderFixtures, changed
from .provider_stage import ProviderStage, Unreadable, needs, undone

__all__ = ["Absent", "Event", "ProviderContract", "ProviderFixtures", "changed"]

#: How an event can be answered that was not kept before.
ANSWERS = ("sent", "ignored", "failed")
#: JSON values that stand where nobody expects them.
OTHER_KINDS: tuple[Any, ...] = (None, "", [], {}, True, -1, float("inf"), "\ud800", "x" * 70_000)
#: What is no event's id, and no type; `...`: it is missing.
NO_NAMES: tuple[Any, ...] = (..., None, "", 5, [], "\ud800")


class ProviderContract(ProviderStage):
    """Subclasses named Test... are collected by pytest."""

    # --- Who is believed ---

    def test_request_without_a_signature_is_refused(self) -> None:
        self.refused(self.post(self.event_of(CAPTURED), headers={}), "no header of the signature")

    def test_signature_by_another_secret_is_refused(self) -> None:
        body = self.as_bytes(self.event_of(CAPTURED))
        self.refused(self.post(body, headers=self.sign_with_another_secret(body)), "another secret")

    def test_body_changed_by_a_byte_is_refused(self) -> None:
        body = self.as_bytes(self.event_of(CAPTURED))
        headers = self.sign(body)
        for place in (0, len(body) // 2, len(body) - 1):
            other = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
            self.refused(self.post(other, headers=headers), f"another byte at {place}")
        self.refused(self.post(body + b" ", headers=headers), "a byte too many")
        self.refused(self.post(body[:-1], headers=headers), "a byte too few")

    def test_garbled_header_is_refused(self) -> None:
        body = self.as_bytes(self.event_of(CAPTURED))
        headers = self.sign(body)
        for name in self.signature_headers or headers:
            value = headers[name]
            self.refused(self.post(body, headers={**headers, name: ""}), f"{name} is empty")
            without = {other: kept for other, kept in headers.items() if other != name}
            self.refused(self.post(body, headers=without), f"{name} is missing")
            for garbled in (value[: len(value) // 2], value[::-1], "\xe9" + value, "=,=;|"):
                self.refused(self.post(body, headers={**headers, name: garbled}), f"{name} is garbled")

    def test_signed_body_that_is_no_event_is_refused(self) -> None:
        for body in (b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"a": 1}'):
            self.refused(self.post(body), f"the body is {body[:10]!r}")
        for place in (self.event_id_at, self.event_type_at):
            for value in NO_NAMES:
                event = changed(self.event_of(CAPTURED), place, value)
                self.refused(self.post(json.dumps(event).encode()), f"{place} is {value!r}")
        self.refused(self.post(self.event_of(CAPTURED, event_id="e" * 256)), "the event's id has 256 characters")

    # --- What is answered ---

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_only_post_is_taken(self, method: str) -> None:
        answer = Client().generic(method, self.url)
        assert (answer.status_code, answer["Allow"]) == (405, "POST")
        self.nothing_kept()

    def test_body_over_the_limit_is_refused_unread(self) -> None:
        body = self.as_bytes(self.event_of(CAPTURED))
        body += b" " * (MAX_BODY_BYTES + 1 - len(body))
        unreadable: dict[str, Any] = {"wsgi.input": Unreadable()}
        answer = self.post(body, **unreadable)
        assert answer.status_code == 413
        self.nothing_kept()

    def test_event_is_answered_200_with_its_state(self, fact: Fact) -> None:
        answer = self.post(self.event_of(fact))
        row = InboxEvent.objects.get()
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
        assert (answer.json()["status"], row.state, row.reason) == ("sent", "sent", "")
        assert (row.provider, row.account, row.event_id) == (self.provider, self.account, "evt_1")

    # --- What is told ---

    def test_payload_is_the_shared_vocabularys(self, fact: Fact) -> None:
        signal = self.signal_of(fact)
        assert signal.contract is fact.contract
        self.post(self.event_of(fact))
        [payload] = sent(signal)
        told: dict[str, Any] = {**fact.ids, "provider": self.provider, "account": self.account}
        if fact.has_money:
            told["money"] = self.price
        assert {name: payload[name] for name in told} == told

    @needs(lambda given: given.signals[PaymentRefunded])
    def test_refund_by_the_providers_dashboard_names_no_request(self) -> None:
        signal = self.signal_of(REFUNDED)
        self.post(self.event_of(REFUNDED, refund_request_id=""))
        [payload] = sent(signal)
        assert payload["refund_request_id"] == ""

    # --- Once ---

    def test_same_event_again_is_a_duplicate(self, fact: Fact) -> None:
        signal = self.signal_of(fact)
        body = self.as_bytes(self.event_of(fact))
        self.post(body)
        for headers in (self.sign(body), self.sign(body, redelivery=True)):
            answer = self.post(body, headers=headers)
            assert (answer.status_code, answer.json()["status"]) == (200, "duplicate")
        assert (InboxEvent.objects.count(), len(sent(signal))) == (1, 1)

    def test_another_event_of_the_same_fact_adds_nothing(self, fact_told_once: Fact) -> None:
        signal = self.signal_of(fact_told_once)
        self.post(self.event_of(fact_told_once))
        assert self.post(self.event_of(fact_told_once, event_id="evt_2")).json()["status"] == "sent"
        assert (InboxEvent.objects.count(), len(sent(signal))) == (2, 1)

    @needs(lambda given: given.captured_otherwise)
    def test_another_type_of_the_same_fact_adds_nothing(self) -> None:
        build = self.captured_otherwise
        self.post(self.event_of(CAPTURED))
        answer = self.post(build(**CAPTURED.ids, money=self.price, event_id="evt_2"))
        assert (answer.status_code, InboxEvent.objects.count()) == (200, 2)
        assert len(sent(self.signal_of(CAPTURED))) == 1

    @needs(lambda given: given.captured_otherwise)
    def test_another_type_tells_the_fact_where_it_comes_alone(self) -> None:
        build = self.captured_otherwise
        signal = self.signal_of(CAPTURED)
        self.post(self.event_of(CAPTURED))
        self.post(build(order_number="EDX-2", payment_id="pay-2", money=self.price, event_id="evt_2"))
        assert [payload["payment_id"] for payload in sent(signal)] == ["pay-1", "pay-2"]

    def test_two_payments_are_two(self) -> None:
        self.post(self.event_of(CAPTURED))
        self.post(self.event_of(CAPTURED, event_id="evt_2", payment_id="pay-2"))
        assert [each["payment_id"] for each in sent(self.signal_of(CAPTURED))] == ["pay-1", "pay-2"]

    @needs(lambda given: given.signals[PaymentRefunded])
    def test_two_partial_refunds_of_one_payment_are_two(self) -> None:
        signal = self.signal_of(REFUNDED)
        part = Money(amount=self.price.amount // 2 // 10 * 10, currency=self.price.currency)
        self.post(self.event_of(REFUNDED, money=part))
        self.post(self.event_of(REFUNDED, money=part, refund_id="re-2", event_id="evt_2", refund_request_id=""))
        told = [(each["refund_id"], each["money"]) for each in sent(signal)]
        assert told == [("re-1", part), ("re-2", part)]

    # --- In any order ---

    @needs(lambda given: given.signals[PaymentRefunded])
    def test_refund_that_comes_before_its_payment_is_told_alike(self) -> None:
        self.signal_of(REFUNDED)
        events = [self.event_of(CAPTURED, event_id="evt_1"), self.event_of(REFUNDED, event_id="evt_2")]
        assert self.told_of(events) == self.told_of(events[::-1])

    def test_facts_of_a_payment_are_told_alike_in_any_order(self) -> None:
        there = [fact for fact in FACTS if isinstance(self.signals[fact.contract], CoordinatorSignal)]
        events = [self.event_of(fact, event_id=f"evt_{number}") for number, fact in enumerate(there)]
        for start in range(len(events)):
            turned = events[start:] + events[:start]
            assert self.told_of(turned) == self.told_of(events)
            assert self.told_of(turned[::-1]) == self.told_of(events)

    # --- None of our business ---

    def test_unknown_type_is_ignored(self) -> None:
        self.ignored(self.unknown(event_id="evt_1"))

    def test_payment_of_another_system_is_ignored(self) -> None:
        self.ignored(self.not_ours(event_id="evt_1"))

    @needs(lambda given: given.of_another_mode)
    def test_payment_of_another_mode_is_ignored(self) -> None:
        self.ignored(self.of_another_mode(event_id="evt_1"))

    # --- What cannot be understood ---

    def test_event_that_lacks_what_is_needed_waits_for_a_fix(self, fact: Fact, monkeypatch: pytest.MonkeyPatch) -> None:
        signal = self.signal_of(fact)
        whole = self.event_of(fact)
        for place in self.required[fact.contract]:
            with undone():
                row = self.failed_without_values(changed(whole, place, ...), f"{place} is missing")
                with monkeypatch.context() as fix:
                    fix.setattr(WebhookView.by_provider[self.provider], "signals", self.mended_table(whole))
                    assert replay_event(row).state == "sent", place
                assert len(sent(signal)) == 1

    def test_event_with_other_kinds_of_values_is_never_an_error(self, fact: Fact) -> None:
        for place in self.required[fact.contract]:
            for value in OTHER_KINDS:
                body = json.dumps(changed(self.event_of(fact), place, value)).encode()
                with undone():
                    answer = self.post(body)
                    status = answer.json().get("status")
                    assert (answer.status_code, status) in [(400, None), *((200, each) for each in ANSWERS)], place
                    assert value or status != "sent", f"{place} is empty, and was sent"

    # --- Money ---

    def test_money_is_exact_in_every_currency(self, fact_with_money: Fact) -> None:
        signal = self.signal_of(fact_with_money)
        for number, (amount, currency, money) in enumerate(self.amounts):
            ids = {name: f"{value}-{number}" for name, value in fact_with_money.ids.items()}
            event = self.event_of(fact_with_money, event_id=f"evt_{number}", **ids)
            for place, value in zip(self.money_at[fact_with_money.contract], (amount, currency), strict=True):
                event = changed(event, place, value)
            assert self.post(event).json()["status"] == "sent", f"{amount} {currency}"
            assert sent(signal)[-1]["money"] == money

    def test_money_that_is_none_is_never_guessed(self, fact_with_money: Fact) -> None:
        amount_at, currency_at = self.money_at[fact_with_money.contract]
        event = self.event_of(fact_with_money)
        written = self.written_after_all.get(fact_with_money.contract, ())
        bad = {**self.bad_amounts, "absent": ..., "null": None, "a list": [1]}
        for name, amount in bad.items():
            if name in written:
                continue
            with undone():
                self.failed_without_values(changed(event, amount_at, amount), f"the amount is {name}")
        for currency in (..., None, "", "EU", "EURO", "€€€", 978):
            with undone():
                self.failed_without_values(changed(event, currency_at, currency), f"the currency is {currency!r}")

    # --- When the database is away ---

    @pytest.mark.parametrize("model", [InboxEvent, Dispatch])
    def test_event_that_cannot_be_kept_is_asked_for_again(self, model: Any) -> None:
        event = self.event_of(CAPTURED)
        with inserts_fail(model, OperationalError("server has gone away")):
            assert self.post(event).status_code == 503
        self.nothing_kept()
        assert self.post(event).json()["status"] == "sent"
        assert len(sent(self.signal_of(CAPTURED))) == 1

    # --- What nobody reads ---

    @needs(lambda given: given.private)
    def test_no_line_of_the_log_and_no_reason_tells_of_the_learner(self, caplog: pytest.LogCaptureFixture) -> None:
        assert not isinstance(self.private, Absent)
        whole = self.event_of(CAPTURED)
        body = self.as_bytes(whole)
        assert all(value and value in body.decode() for value in self.private), "the event carries all private values"
        broken = changed(self.event_of(CAPTURED, event_id="evt_2"), self.required[CAPTURED.contract][0], ...)
        with caplog.at_level(logging.DEBUG):
            answers = [
                self.post(body, headers={}),
                self.post(body, headers=self.sign_with_another_secret(body)),
                self.post(whole),
                self.post(whole),
                self.post(broken),
                self.post(self.not_ours(event_id="evt_3")),
            ]
            with inserts_fail(InboxEvent, OperationalError("server has gone away")):
                answers.append(self.post(self.event_of(CAPTURED, event_id="evt_4")))
        assert [answer.status_code // 100 for answer in answers] == [4, 4, 2, 2, 2, 2, 5]
        written = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
        shown = "\n".join(answer.content.decode() for answer in answers)
        reasons = "\n".join(InboxEvent.objects.values_list("reason", flat=True))
        for value in [*self.private, body.decode()]:
            assert value not in written
            assert value not in shown
            assert value not in reasons
