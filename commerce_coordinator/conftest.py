"""What the tests need from outside: MariaDB, Redis, mysqlclient, Chromium. What is not there is said, once each.

CC_REQUIRE_SERVICES=1 turns each of these skips into a failure.
"""

import functools
import importlib.util
import os
import shutil
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from commerce_coordinator.tests.browser import Browser, Chromium
from commerce_coordinator.tests.browser import program as chromium
from commerce_coordinator.tests.chaos.servers import program

REQUIRED = bool(os.environ.get("CC_REQUIRE_SERVICES"))
MARIADB_URL = os.environ.get("CC_TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306")


def missing_mysqlclient() -> str:
    if importlib.util.find_spec("MySQLdb") is None:
        return (
            "mysqlclient is not installed: it needs a C compiler and the headers of the MySQL client "
            "(Debian: build-essential pkg-config python3-dev default-libmysqlclient-dev)"
        )
    return ""


@functools.cache
def missing_mariadb() -> str:
    """Why MariaDB cannot be used; empty if it can."""
    if missing := missing_mysqlclient():
        return missing
    address = urlsplit(MARIADB_URL)
    if not _listens(address.hostname or "127.0.0.1", address.port or 3306):
        return f"nothing listens at {address.hostname}:{address.port or 3306} (CC_TEST_MARIADB_URL names another)"
    return ""


@functools.cache
def missing_redis() -> str:
    """Why Redis cannot be used; empty if it can. Tests start servers of their own, to stop and to kill them."""
    return "" if shutil.which("redis-server") else "no redis-server on the PATH"


@functools.cache
def missing_mariadbd() -> str:
    """Why no MariaDB server of our own can be started: one that answers elsewhere cannot be killed."""
    if missing := missing_mysqlclient():
        return missing
    if any(program(name) is None for name in ("mariadbd", "mariadb-install-db")):
        return "mariadbd, the server itself, is not installed here (Debian: mariadb-server); one at 3306 is not enough"
    return ""


@functools.cache
def missing_chromium() -> str:
    return "" if chromium() else "no chromium on the PATH"


#: Plugins left out of the settings: their own tests, and those that need them, are left out too.
WITHOUT = [name for name in os.environ.get("CC_WITHOUT_PLUGINS", "").split(",") if name]
collect_ignore = [f"plugins/{name}" for name in WITHOUT]
if WITHOUT:
    collect_ignore.append("tests")  # the whole needs all its parts, and its tests import them

NEEDS = {
    "mariadb": missing_mariadb,
    "mariadbd": missing_mariadbd,
    "redis": missing_redis,
    "chromium": missing_chromium,
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs_plugins(*names): left out where one of these plugins is")
    for name in NEEDS:
        config.addinivalue_line("markers", f"needs_{name}: skipped without {name}, unless CC_REQUIRE_SERVICES is set")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not WITHOUT:
        return
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        needed = {name for marker in item.iter_markers("needs_plugins") for name in marker.args}
        (left_out if needed & set(WITHOUT) else kept).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name, missing in NEEDS.items():
        if item.get_closest_marker(f"needs_{name}") and missing():
            if REQUIRED:
                pytest.fail(f"{name} is required (CC_REQUIRE_SERVICES), but: {missing()}", pytrace=False)
            pytest.skip(f"{name}: {missing()}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, missing in NEEDS.items():
        verdict = f"not here, its tests are skipped: {missing()}" if missing() else "here, its tests run"
        terminalreporter.write_line(f"{name}: {verdict}")


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    """One test's broken broker is not the next one's, nor are its refused webhooks."""
    from commerce_coordinator.core.deliveries.publish import publisher
    from commerce_coordinator.core.inbox.refusals import refusals

    publisher.forget_failures()
    refusals.forget()
    yield
    publisher.forget_failures()
    refusals.forget()


@pytest.fixture(scope="session")
def _chromium() -> Iterator[Chromium]:
    """One process for all tests; it is started by the first that needs it."""
    process = Chromium()
    yield process
    process.stop()


@pytest.fixture
def browser(_chromium: Chromium) -> Iterator[Browser]:
    """Opens pages, which are closed after the test. Whoever uses it is marked `needs_chromium`."""
    opened = Browser(_chromium)
    yield opened
    opened.close_pages()


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False
