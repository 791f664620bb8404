"""The service in both sizes: embedded (SQLite, file broker) and as in production (MariaDB, Redis)."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from commerce_coordinator.conftest import WITHOUT

from .service import RedisServer, RunningService, mariadb_database

SIZES = [
    "embedded",
    pytest.param("services", marks=[pytest.mark.service, pytest.mark.needs_mariadb, pytest.mark.needs_redis]),
]


#: Their modules name models of the plugins, which are none where a plugin is left out.
collect_ignore = ["money", "test_full_circle.py"] if WITHOUT else []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The whole needs all its parts."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.needs_plugins("stripe", "fulfillment", "lms", "notifications", "demo_lms"))


only_services = pytest.mark.parametrize("size", [SIZES[1]], indirect=True, scope="module")


@pytest.fixture(scope="module", params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def more_env() -> dict[str, str]:
    """What a test module wants otherwise in its service's environment: it overrides this fixture."""
    return {}


@pytest.fixture(scope="module")
def service(size: str, more_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One running service per test module and size."""
    folder: Path = tmp_path_factory.mktemp(f"service-{size}")
    with ExitStack() as stack:
        env = {**more_env}
        if size == "services":
            redis_server = RedisServer(folder)
            redis_server.start()
            stack.callback(redis_server.stop)
            env["DATABASE_URL"] = stack.enter_context(mariadb_database())
            env["CELERY_BROKER_URL"] = redis_server.url
        running = RunningService(folder, env)
        if size == "services":
            running.redis = redis_server
        stack.callback(running.stop)
        running.start()
        yield running
