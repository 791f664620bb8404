"""A legacy shop over HTTP, and a client that has forgotten whatever it knew."""

from collections.abc import Iterator
from typing import Any

import pytest

from commerce_coordinator.core import oauth

from .. import client as client_module
from .. import resting
from .fake_shop import FakeShop, running_shop


def forget_client() -> None:
    client = client_module._local.__dict__.pop("client", None)
    if client is not None:
        client.session.close()
    resting.end()
    oauth.forget_all()


@pytest.fixture
def shop(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeShop]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # whatever proxy this machine has
    forget_client()
    with running_shop() as running:
        settings.CC_LMS_URL_ROOT = f"{running.url}/lms"
        settings.CC_LMS_CLIENT_ID = "coordinator"
        settings.CC_LMS_CLIENT_SECRET = "lms-secret"
        settings.CC_ECOMMERCE_URL_ROOT = running.root
        settings.CC_ECOMMERCE_PUBLIC_URL_ROOT = "https://shop.example.com"
        settings.CC_ECOMMERCE_REDEEM_PATH = "coupons/redeem/"
        yield running
        forget_client()
