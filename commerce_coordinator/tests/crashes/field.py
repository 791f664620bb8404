"""Instances of the service side by side, in each of which one purchase after the other survives its crashes."""

import queue
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from commerce_coordinator.tests.service import RedisServer, mariadb_database

from .crashing import CrashingService
from .points import Deaths
from .surviving import Story, survive


class Field:
    """Some instances of one size, which take the deaths that wait in line. Each outcome is a Future."""

    def __init__(self, size: str, folder: Path, instances: int) -> None:
        self._stack = ExitStack()
        self._free: queue.SimpleQueue[CrashingService] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(instances)
        try:
            services = [self._service(size, folder / str(number)) for number in range(instances)]
            list(self._pool.map(CrashingService.start, services))
        except BaseException:
            self.stop()
            raise
        for service in services:
            self._free.put(service)

    def survive(self, deaths: Deaths) -> "Future[Story]":
        return self._pool.submit(self._take, deaths)

    def stop(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._stack.close()

    def _take(self, deaths: Deaths) -> Story:
        service = self._free.get()
        try:
            return survive(service, deaths)
        finally:
            self._free.put(service)

    def _service(self, size: str, folder: Path) -> CrashingService:
        folder.mkdir()
        env: dict[str, str] = {}
        if size == "services":
            redis_server = RedisServer(folder)
            redis_server.start()
            self._stack.callback(redis_server.stop)
            env["DATABASE_URL"] = self._stack.enter_context(mariadb_database())
            env["CELERY_BROKER_URL"] = redis_server.url
        service = CrashingService(folder, env)
        self._stack.callback(service.stop)
        return service
