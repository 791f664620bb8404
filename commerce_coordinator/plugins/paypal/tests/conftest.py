"""Two accounts, a root certificate of the tests' own, PayPal's server without a network, a clock that stands still."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests.adapters
import time_machine

from commerce_coordinator.core.testing import routes_as

from .. import certificates, signals, tokens
from . import pki
from .paypal_events import ACCOUNTS, PayPalServer

TOLD = [
    signals.order_approved,
    signals.payment_captured,
    signals.payment_failed,
    signals.payment_refunded,
    signals.refund_failed,
    signals.payment_disputed,
    signals.dispute_lost,
    signals.dispute_won,
]


def take_note(**values: Any) -> None:
    """Where PayPal's facts go in these tests."""


@pytest.fixture(scope="session")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pki.write_roots(tmp_path_factory.mktemp("roots"))


@pytest.fixture(autouse=True)
def paypal(settings: Any, monkeypatch: pytest.MonkeyPatch, roots: Path) -> Iterator[PayPalServer]:
    settings.CC_PAYPAL = {name: {**entry} for name, entry in ACCOUNTS.items()}
    settings.CC_PAYPAL_TRUSTED_ROOTS = str(roots)
    server = PayPalServer()
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", lambda _, request, **options: server.send(request))
    certificates.forget_all()
    tokens._tokens.clear()
    with (
        time_machine.travel(pki.NOON, tick=False),
        routes_as({signal.name: [f"{__name__}.take_note"] for signal in TOLD}),
    ):
        yield server
    certificates.forget_all()
    tokens._tokens.clear()
