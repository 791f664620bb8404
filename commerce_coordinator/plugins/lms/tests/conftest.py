"""An LMS over HTTP, and a client that has forgotten whatever it knew."""

from collections.abc import Iterator
from typing import Any

import pytest

from commerce_coordinator.core import oauth

from .. import client as client_module
from .fake_lms import FakeLms, running_lms


def forget_client() -> None:
    """This thread's client and its token."""
    client = client_module._local.__dict__.pop("client", None)
    if client is not None:
        client.session.close()
    oauth.forget_all()


@pytest.fixture
def lms(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLms]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # whatever proxy this machine has
    forget_client()
    with running_lms() as running:
        settings.CC_LMS_URL_ROOT = running.url
        settings.CC_LMS_CLIENT_ID = "coordinator"
        settings.CC_LMS_CLIENT_SECRET = "lms-secret"
        yield running
        forget_client()
