"""A MariaDB and a Redis of our own, on free ports of 127.0.0.1, and what must be installed for it."""

import functools
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from commerce_coordinator.console.supervisor import Process, Sink, free_port

#: Where servers lie that an ordinary user's PATH does not name.
SERVER_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/libexec")

DATABASE = "coordinator"


def program(*names: str) -> str | None:
    path = os.pathsep.join([os.environ.get("PATH", ""), *SERVER_FOLDERS])
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


@functools.cache
def missing() -> str:
    """What is not here of what a run needs, with the remedy, in one line; empty if all is."""
    remedies = []
    if importlib.util.find_spec("MySQLdb") is None:
        remedies.append(
            "mysqlclient (Debian: apt install build-essential pkg-config python3-dev default-libmysqlclient-dev, "
            "then make mysqlclient)"
        )
    if program("mariadbd") is None or program("mariadb-install-db") is None:
        remedies.append("mariadbd, the server itself, for one of its own (Debian: apt install mariadb-server)")
    if program("redis-server") is None:
        remedies.append("redis-server (Debian: apt install redis-server)")
    return "; ".join(remedies)


class MariaDB:
    """Durable, as the page on operating asks for. Its data survive each of its deaths."""

    def __init__(self, folder: Path, env: Mapping[str, str], sink: Sink) -> None:
        self.port = free_port()
        self._data = folder / "mariadb"
        self._scratch = folder / "mariadb-scratch"
        # As root it must become somebody else; a socket's path may have no more than about a hundred characters.
        self._user = ["--user=mysql"] if os.geteuid() == 0 else []
        command = [str(program("mariadbd")), "--no-defaults", *self._user, f"--datadir={self._data}"]
        command += [f"--socket={self._data}/s", f"--pid-file={self._data}/pid", f"--tmpdir={self._scratch}"]
        command += ["--bind-address=127.0.0.1", f"--port={self.port}", "--skip-name-resolve"]
        command += ["--innodb-flush-log-at-trx-commit=1", "--character-set-server=utf8mb4", "--log-warnings=1"]
        self.process = Process("database", command, env, sink)

    def prepare(self) -> None:
        """Make the data folder. Raises CalledProcessError with what was printed."""
        for each in (self._data, self._scratch):
            each.mkdir()
            if self._user:
                user = pwd.getpwnam("mysql")
                os.chown(each, user.pw_uid, user.pw_gid)
        command = [str(program("mariadb-install-db")), "--no-defaults", *self._user, f"--datadir={self._data}"]
        command += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        # The usual folder for temporary files may be closed to the user that it becomes.
        env = {**os.environ, "TMPDIR": str(self._scratch)}
        subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=120)

    def answers(self) -> bool:
        import MySQLdb

        try:
            self.connect("").close()
        except MySQLdb.Error:
            return False
        return True

    def connect(self, database: str = DATABASE, *, timeout: int = 10) -> Any:
        """A connection that goes round the proxy. The caller closes it."""
        import MySQLdb

        return MySQLdb.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            database=database,
            connect_timeout=2,
            read_timeout=timeout,
            charset="utf8mb4",
            autocommit=True,
        )

    def create_database(self) -> None:
        connection = self.connect("")
        try:
            connection.cursor().execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
        finally:
            connection.close()


class Redis:
    """Set up as the page on operating asks for."""

    def __init__(self, folder: Path, env: Mapping[str, str], sink: Sink) -> None:
        self.port = free_port()
        data = folder / "redis"
        data.mkdir()
        command = [str(program("redis-server")), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(data)]
        command += ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]
        command += ["--maxmemory-policy", "noeviction", "--loglevel", "warning"]
        self.process = Process("broker", command, env, sink)

    def answers(self) -> bool:
        import redis

        try:
            with redis.Redis(port=self.port, socket_timeout=2, socket_connect_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def wipe(self) -> None:
        import redis

        with redis.Redis(port=self.port, socket_timeout=5, socket_connect_timeout=5) as client:
            client.flushall()
