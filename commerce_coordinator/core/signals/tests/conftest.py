import pytest

from .plugin_of_a_test import plugin_of_a_test


@pytest.fixture
def shop():
    with plugin_of_a_test() as plugin:
        yield plugin
