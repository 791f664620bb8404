"""One run from start to end."""

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from . import evidence, faults, stream, verdict
from .breaking import Breaker
from .cluster import SECRET, Cluster, last_will
from .sender import Sender

#: Seconds that may pass after the last fault until everything is in effect.
PATIENCE = 180

#: How often progress is told, in seconds: on a terminal, and elsewhere.
ON_TERMINAL, ELSEWHERE = 0.5, 10.0


def run(*, seed: int, events: int, minutes: float, tell: Callable[[str], None]) -> bool:
    """Were the promises kept? Raises CannotStart, or CalledProcessError of a command that failed."""
    seconds = minutes * 60
    planned = faults.plan(seed, seconds)
    tell(f"SEED={seed} EVENTS={events} MINUTES={minutes:g}: {len(planned)} faults")
    tell(faults.described(planned))
    folder = Path(tempfile.mkdtemp(prefix="cc-chaos-"))
    folder.chmod(0o711)  # the database server runs as a user of its own
    kept = interrupted = False
    try:
        with last_will(folder):
            cluster = Cluster(folder)
            try:
                cluster.start(tell)
                found = _drive(cluster, Breaker(cluster, planned), stream.plan(seed, events, seconds), seconds, tell)
            finally:
                cluster.stop()
        tell(verdict.table(found))
        kept = found.is_kept
        for problem in found.problems:
            tell(f"✘ {problem}")
        if kept:
            tell(f"Nothing lost, nothing doubled, nothing left. The same again: SEED={seed}")
        return kept
    except KeyboardInterrupt:
        interrupted = True
        raise
    finally:
        if kept or interrupted:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            tell(f"The logs are in {folder / 'logs'}, the data beside them. The same again: SEED={seed}")


def _drive(
    cluster: Cluster,
    breaker: Breaker,
    planned: tuple[stream.PlannedEvent, ...],
    seconds: float,
    tell: Callable[[str], None],
) -> verdict.Verdict:
    """Send, break, wait until it is well again, and judge."""
    sender = Sender(f"{cluster.url}/stripe/webhook/", SECRET, planned)
    progress = Progress(cluster, breaker, sender, seconds)
    try:
        breaker.start()
        sender.start()
        while not breaker.is_done or progress.elapsed < seconds:
            progress.show()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not (sender.is_done and progress.open_deliveries == 0):
            progress.show()
    finally:
        progress.end()
        breaker.stop()
        sender.stop()
    with contextlib.closing(cluster.mariadb.connect()) as connection:
        found = evidence.gather(connection, cluster.lms_data, cluster.mails, sender.ledger)
    answers = ", ".join(f"{count} × {answer}" for answer, count in sender.answers.most_common())
    tell(f"Answers to {sum(sender.answers.values())} sendings: {answers}.")
    tell(
        f"Attempts lost with their process: {found.attempts_lost}; of them woke too late and settled nothing: "
        f"{cluster.lines_with('Not settled: the lease ran out')}. Mails: {sum(found.mails.values())}."
    )
    for what, count in cluster.ended_by_themselves.items():
        tell(f"Ended by itself, and was started again: {what}, {count} times.")
    return verdict.judge(found, breaker.done, [*breaker.failures, *verdict.wrong_answers(sender.answers)])


class Progress:
    """A bar on a terminal; elsewhere a line now and then."""

    def __init__(self, cluster: Cluster, breaker: Breaker, sender: Sender, seconds: float) -> None:
        self.cluster, self.breaker, self.sender, self.seconds = cluster, breaker, sender, seconds
        #: None while nobody knows, as the database is away.
        self.open_deliveries: int | None = None
        self._started_at = time.monotonic()
        self._shown_at = 0.0
        self._terminal = sys.stdout.isatty()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._started_at

    def show(self) -> None:
        time.sleep(ON_TERMINAL)
        self._look()
        if not self._terminal and time.monotonic() - self._shown_at < ELSEWHERE:
            return
        self._shown_at = time.monotonic()
        sys.stdout.write(f"\r\033[K{self._line()}" if self._terminal else f"{self._line()}\n")
        sys.stdout.flush()

    def end(self) -> None:
        if self._terminal:
            sys.stdout.write("\r\033[K")

    def _look(self) -> None:
        import MySQLdb

        try:
            with contextlib.closing(self.cluster.mariadb.connect(timeout=1)) as connection:
                self.open_deliveries = evidence.open_deliveries(connection)
        except MySQLdb.Error:
            self.open_deliveries = None

    def _line(self) -> str:
        width, part = 24, min(1.0, self.elapsed / self.seconds)
        bar = "█" * round(width * part) + "░" * (width - round(width * part))
        now = ", ".join(each.kind for each in list(self.breaker.on)) or ("-" if part < 1 else "waiting for the rest")
        unknown = "?" if self.open_deliveries is None else str(self.open_deliveries)
        return (
            f"{bar} {self.elapsed:4.0f} s  accepted {self.sender.accepted}/{len(self.sender.ledger)}  "
            f"open {unknown}  now: {now}"
        )
