from typing import Any

import pytest

from . import wire


@pytest.fixture(autouse=True)
def secret(settings: Any) -> None:
    settings.TILLPAY_SECRET = wire.SECRET
