"""All processes of a run together: started, started again when they die, and ended whatever happens."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import psutil
import yaml

from commerce_coordinator.console.supervisor import BIN, ROOT, CannotStart, Process, answers, free_port
from commerce_coordinator.settings.local_keys import public_set, signing_key
from commerce_coordinator.tests.proxy import Proxy

from .faults import RELAYS, WORKERS
from .servers import DATABASE, MariaDB, Redis

#: Compressed times, in seconds. Many short steps: what an outage costs of them must not make a delivery dead.
COMPRESSED = {
    "CC_TASK_SOFT_TIME_LIMIT": "5",
    "CC_TASK_TIME_LIMIT": "6",
    "CC_LEASE_SECONDS": "7",
    "CC_RETRY_SCHEDULE": ",".join(["0.3", "0.5", "1", "1", "2", "2", "3", "3", *["4"] * 22]),
    "CC_RELAY_INTERVAL": "0.3",
    "CC_WAKE_GAP_SECONDS": "2",
    "CC_LMS_CONNECT_TIMEOUT": "1",
    "CC_LMS_READ_TIMEOUT": "2",
    "CC_DATABASE_TIMEOUT": "3",
}

SECRET = "whsec_of_a_run_that_proves"
SERVICE = ("web", *WORKERS, *RELAYS)

#: Seconds that each answer of the LMS takes, as over a network: an attempt must be met in the middle of its calls.
LMS_LATENCY = 0.1

#: By this variable of its environment a process is known as one of a run.
MARK = "CC_CHAOS_FOLDER"

#: Seconds that a server may take to answer after its start. Repairing after a kill takes one or two.
START_PATIENCE = 60


class Cluster:
    """Everything is in `folder`; logs are in `folder/logs`, one file per process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.mails = folder / "mails"
        self._files: dict[str, IO[str]] = {}
        self._write = threading.Lock()
        bare = {name: value for name, value in os.environ.items() if not name.startswith(("CC_", "DJANGO_"))}
        # Who is killed leaves his temporary files behind; they shall go with the folder.
        (folder / "tmp").mkdir()
        bare.update({MARK: str(folder), "PYTHONUNBUFFERED": "1", "TMPDIR": str(folder / "tmp")})
        self.mariadb = MariaDB(folder, bare, self._sink)
        self.redis = Redis(folder, bare, self._sink)
        self.lms_port, self.web_port = free_port(), free_port()
        self.lms_data = folder / "lms"
        self.proxies = {
            "database": Proxy(self.mariadb.port),
            "broker": Proxy(self.redis.port),
            "lms": Proxy(self.lms_port, latency=LMS_LATENCY),
        }
        lms_secret = secrets.token_urlsafe(16)
        self.lms_env = {
            **bare,
            "DJANGO_SETTINGS_MODULE": "commerce_coordinator.settings.local",
            "CC_DATA": str(self.lms_data),
            "CC_PORT": str(self.lms_port),
            "CC_ROLE": "web",
            "CC_LMS_CLIENT_ID": "coordinator",
            "CC_LMS_CLIENT_SECRET": lms_secret,
        }
        self.env = self._production(bare, lms_secret)
        self.processes = {
            "database": self.mariadb.process,
            "broker": self.redis.process,
            "lms": Process("lms", _gunicorn(self.lms_port, workers=1, threads=16), self.lms_env, self._sink),
            **{
                name: Process(name, command, {**self.env, "CC_ROLE": name.partition("-")[0]}, self._sink)
                for name, command in self._service_commands().items()
            },
        }
        #: What ended though nobody killed it, by process and exit code.
        self.ended_by_themselves: Counter[str] = Counter()
        #: Held while somebody ends or starts a process, or has it frozen.
        self._locks = {name: threading.Lock() for name in self.processes}
        self._stop = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def lms_url(self) -> str:
        """Round the proxy, for orders and not for calls."""
        return f"http://127.0.0.1:{self.lms_port}/demo_lms"

    # --- Start and end ---

    def start(self, tell: Callable[[str], None]) -> None:
        """Raises CannotStart, or CalledProcessError of a command that failed."""
        self.mails.mkdir()
        self.mariadb.prepare()
        for name in ("database", "broker"):
            self.processes[name].start()
        tell("MariaDB and Redis start ...")
        self.wait_for("database")
        self.wait_for("broker")
        self.mariadb.create_database()
        self._manage(self.env, "migrate", "-v0")
        self._manage(self.env, "collectstatic", "--noinput", "-v0")
        self._manage(self.lms_env, "migrate", "-v0")
        tell("Web, two workers, two relays and the LMS start ...")
        for name in ("lms", *SERVICE):
            self.processes[name].start()
        self.wait_for("lms")
        self.wait_for("web")
        threading.Thread(target=self._watch, name="watch", daemon=True).start()

    def stop(self) -> None:
        """End all of them, hard: nothing of theirs is needed any more."""
        self._stop.set()
        for process in self.processes.values():
            process.kill()
        for proxy in self.proxies.values():
            proxy.close()
        end_all_of(self.folder)
        for each in self._files.values():
            each.close()

    def lines_with(self, text: str) -> int:
        """How many lines of all logs have it."""
        return sum(path.read_text(encoding="utf-8").count(text) for path in self.logs.iterdir())

    def wait_for(self, name: str, seconds: float = START_PATIENCE) -> None:
        """Until it answers. Raises CannotStart when it does not."""
        probes: dict[str, Callable[[], bool]] = {
            "database": self.mariadb.answers,
            "broker": self.redis.answers,
            "lms": lambda: answers(f"http://127.0.0.1:{self.lms_port}/health/"),
            "web": lambda: answers(f"{self.url}/health/"),
        }
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._stop.is_set():
            if probes[name]():
                return
            time.sleep(0.1)
        raise CannotStart(f"The {name} process did not answer within {seconds:.0f} s; its log may say why.")

    # --- What faults do ---

    def kill(self, name: str) -> None:
        """SIGKILL, with all its children. The watch starts it again."""
        with self._locks[name]:
            self.processes[name].kill()

    @contextlib.contextmanager
    def down(self, name: str) -> Iterator[None]:
        """SIGKILL, and not started again before the end of the block; then until it answers."""
        with self._locks[name]:
            self.processes[name].kill()
            yield
            self._start(name)
        self.wait_for(name)

    def restart(self, name: str) -> None:
        """SIGTERM and start, as for an update."""
        with self._locks[name]:
            self.processes[name].stop(START_PATIENCE)
            self._start(name)
        self.wait_for(name)

    @contextlib.contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """SIGSTOP to it and all its children; SIGCONT at the end."""
        with self._locks[name]:
            group = self.processes[name].pid
            _signal_group(group, signal.SIGSTOP)
            try:
                yield
            finally:
                _signal_group(group, signal.SIGCONT)

    def kill_pool_process(self, name: str) -> None:
        """SIGKILL to one of the processes in which a worker runs its tasks."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.processes[name].pid).children()[-1:]:
                child.kill()

    def _watch(self) -> None:
        """Start again at once what died, as an init system would."""
        while not self._stop.wait(0.1):
            for name, process in self.processes.items():
                if process.is_running or not self._locks[name].acquire(blocking=False):
                    continue
                try:
                    if process.exit_code != -signal.SIGKILL:
                        self.ended_by_themselves[f"{name}, exit code {process.exit_code}"] += 1
                    process.kill()  # what it left behind would go on serving the port or the queue
                    self._start(name)
                finally:
                    self._locks[name].release()

    def _start(self, name: str) -> None:
        if not self._stop.is_set():
            self.processes[name].start()

    # --- Parts ---

    def _production(self, bare: dict[str, str], lms_secret: str) -> dict[str, str]:
        """The environment of the service: production's settings, mails into files."""
        config = self.folder / "coordinator.yml"
        mail = {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": str(self.mails),
        }
        config.write_text(yaml.safe_dump(mail), encoding="utf-8")
        return {
            **bare,
            **COMPRESSED,
            "DJANGO_SETTINGS_MODULE": "commerce_coordinator.settings.production",
            "COMMERCE_COORDINATOR_CFG": str(config),
            "SECRET_KEY": secrets.token_urlsafe(64),
            "ALLOWED_HOSTS": "127.0.0.1",
            "SECURE_SSL_REDIRECT": "false",
            "STATIC_ROOT": str(self.folder / "static"),
            "DATABASE_URL": f"mysql://root@127.0.0.1:{self.proxies['database'].port}/{DATABASE}",
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{self.proxies['broker'].port}/0",
            "CC_STRIPE_SECRETS": json.dumps({"": [SECRET]}),
            "CC_STRIPE_LIVEMODE": "false",
            "CC_LMS_URL_ROOT": f"http://127.0.0.1:{self.proxies['lms'].port}/demo_lms",
            "CC_LMS_CLIENT_ID": "coordinator",
            "CC_LMS_CLIENT_SECRET": lms_secret,
            # Nobody calls the REST endpoints here; production demands to know whose JWTs it would take.
            "CC_LMS_JWT_ISSUER": "https://lms.example.com/oauth2",
            "CC_LMS_JWT_AUDIENCE": "openedx",
            "CC_LMS_JWT_JWK_SET": public_set(signing_key(self.folder)),
            "REMAP_SIGTERM": "SIGQUIT",
        }

    def _service_commands(self) -> dict[str, list[str]]:
        celery = [str(BIN / "celery"), "-q", "-A", "commerce_coordinator", "worker", "-P", "prefork", "-c", "4"]
        celery += ["--without-gossip", "--without-mingle", "-n"]
        return {
            "web": _gunicorn(self.web_port, workers=2, threads=8),
            **{name: [*celery, f"{name}@%h"] for name in WORKERS},
            **{name: [sys.executable, "manage.py", "relay"] for name in RELAYS},
        }

    def _manage(self, env: dict[str, str], *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(
            command,
            cwd=ROOT,
            env={**env, "CC_ROLE": "command"},
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def _sink(self, name: str, line: str) -> None:
        with self._write:
            if name not in self._files:
                self._files[name] = (self.logs / f"{name}.log").open("a", encoding="utf-8", buffering=1)
            if not self._files[name].closed:
                self._files[name].write(f"{line}\n")


def _gunicorn(port: int, *, workers: int, threads: int) -> list[str]:
    command = [str(BIN / "gunicorn"), "commerce_coordinator.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads)]
    return [*command, "--log-level", "warning", "--no-control-socket"]


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


# --- Nothing is left running ---


def processes_of(folder: Path | str) -> list[int]:
    """Ids of all processes of the run in this folder: by the mark in their environment, or because they work in it."""
    found = [int(path.name) for path in Path("/proc").glob("[0-9]*") if _is_of(path, Path(folder))]
    return [pid for pid in found if pid != os.getpid()]


def _is_of(process: Path, folder: Path) -> bool:
    try:
        marked = f"{MARK}={folder}\0".encode() in (process / "environ").read_bytes() + b"\0"
        # Redis writes its title over its environment.
        return marked or folder in (process / "cwd").readlink().parents
    except OSError:  # it has ended, or is none of ours
        return False


def end_all_of(folder: Path | str) -> None:
    """Kill what is left of the run, until there is nothing: a process may fork while it is looked for."""
    for _ in range(50):
        left = processes_of(folder)
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


@contextlib.contextmanager
def last_will(folder: Path) -> Iterator[None]:
    """Should this process be killed itself, a small one of its own ends all others of the run."""
    code = (
        "import sys; sys.stdin.read(); "
        "from commerce_coordinator.tests.chaos.cluster import end_all_of; end_all_of(sys.argv[1])"
    )
    # Its session is its own, so that Ctrl-C does not reach it; it ends when the pipe does.
    executor = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield
    finally:
        assert executor.stdin is not None
        executor.stdin.close()
        executor.wait(30)
