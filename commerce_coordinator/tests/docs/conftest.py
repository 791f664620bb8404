import os

import pytest


@pytest.fixture(autouse=True)
def _all_plugins_are_there() -> None:
    if os.environ.get("CC_WITHOUT_PLUGINS"):
        pytest.skip("The documents tell of all plugins, and one is left out.")
