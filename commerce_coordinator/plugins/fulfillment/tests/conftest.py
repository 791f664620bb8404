from collections.abc import Iterator

import pytest

from . import purchases, sources


@pytest.fixture
def routed() -> Iterator[None]:
    """Only this plugin's own receivers get its signals."""
    with purchases.routed():
        yield


@pytest.fixture
def shop(settings) -> "sources.Shop":
    """A system of record behind the payment's own metadata."""
    return sources.ask_shop_too(settings)
