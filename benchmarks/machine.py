"""The machine and the programs that the figures are of. No names, no addresses."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from commerce_coordinator.conftest import MARIADB_URL


def describe() -> dict[str, str]:
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "Kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
        **{name: version(name) for name in ("Django", "celery", "kombu", "gunicorn", "mysqlclient", "stripe")},
        "MariaDB": _mariadb(),
        "Redis": _redis(),
        "Load before the run": f"{os.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def _mariadb() -> str:
    import MySQLdb

    address = urlsplit(MARIADB_URL)
    connection = MySQLdb.connect(
        host=address.hostname,
        port=address.port or 3306,
        user=address.username or "root",
        password=address.password or "",
    )
    cursor = connection.cursor()
    cursor.execute("SELECT VERSION(), @@innodb_flush_log_at_trx_commit, @@innodb_buffer_pool_size")
    name, flush, pool = cursor.fetchone()
    connection.close()
    return f"{name}, innodb_flush_log_at_trx_commit={flush}, buffer pool {int(pool) / 2**20:.0f} MiB"


def _redis() -> str:
    said = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v=(\S+)", said)
    return f"{found[1] if found else said.strip()}, nothing written to disk"
