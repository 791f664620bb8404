from collections.abc import Iterator
from typing import Any

import pytest

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import routes_as, run_deliveries

from . import shop
from .mail_server import MailServer, running


@pytest.fixture
def tell(db: None) -> Iterator[Any]:
    """Send a shop's signal and run what is due: `tell(placed, username="bob")` returns the delivery."""
    for signal in (shop.placed, shop.refunded, shop.refused, shop.held, shop.doubtful):
        contracts.remember(signal.name, signal.contract)
    with routes_as(shop.ROUTES):

        def send(signal: CoordinatorSignal, **changes: Any) -> Delivery:
            signal.send_robust(sender="test", **{**shop.VALUES[signal.name], **changes})
            [delivery] = run_deliveries()
            return delivery

        yield send


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    """A mail server of the test's own, which the settings name."""
    with running() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 5
        yield server
