"""The kinds of fault, and which of them come when: pure functions, the same for the same seed."""

import dataclasses
import random
from collections.abc import Iterator, Sequence

WORKERS = ("worker-1", "worker-2")
RELAYS = ("relay-1", "relay-2")

#: Seconds from the start of one fault to the start of the next, on average.
ONE_EVERY = 3.2

#: The first fault waits for so many seconds, so that there is something to break.
QUIET_AT_FIRST = 1.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of fault. `lasts`: shortest and longest in seconds; (0, 0) for what is over at once."""

    name: str
    targets: tuple[str, ...]
    lasts: tuple[float, float] = (0.0, 0.0)


#: Longer than CC_LEASE_SECONDS of the run: who wakes then has lost its deliveries to another, and must not settle.
PAST_THE_LEASE = (8.0, 11.0)

KINDS = (
    Kind(name="web killed", targets=("web",)),
    Kind(name="web frozen", targets=("web",), lasts=(1.0, 7.0)),
    Kind(name="worker killed", targets=WORKERS),
    Kind(name="pool process killed", targets=WORKERS),
    Kind(name="worker frozen", targets=WORKERS, lasts=(1.0, 4.0)),
    Kind(name="worker frozen past the lease", targets=WORKERS, lasts=PAST_THE_LEASE),
    Kind(name="relay killed", targets=RELAYS),
    Kind(name="relay frozen", targets=RELAYS, lasts=PAST_THE_LEASE),
    Kind(name="broker killed", targets=("broker",), lasts=(0.5, 6.0)),
    Kind(name="broker restarted", targets=("broker",)),
    Kind(name="broker wiped", targets=("broker",)),
    Kind(name="broker frozen", targets=("broker",), lasts=(2.0, 8.0)),
    Kind(name="broker half-open", targets=("broker",), lasts=(2.0, 6.0)),
    Kind(name="broker connections cut", targets=("broker",)),
    Kind(name="database killed", targets=("database",), lasts=(0.1, 3.0)),
    Kind(name="database restarted", targets=("database",)),
    Kind(name="database frozen", targets=("database",), lasts=(1.0, 5.0)),
    Kind(name="database half-open", targets=("database",), lasts=(1.0, 4.0)),
    Kind(name="database connections cut", targets=("database",)),
    Kind(name="LMS answers 500", targets=("lms",), lasts=(2.0, 8.0)),
    Kind(name="LMS answers 429", targets=("lms",), lasts=(2.0, 8.0)),
    Kind(name="LMS answers HTML, 502", targets=("lms",), lasts=(2.0, 6.0)),
    Kind(name="LMS answers HTML, 200", targets=("lms",), lasts=(2.0, 6.0)),
    Kind(name="LMS takes too long", targets=("lms",), lasts=(2.0, 6.0)),
    Kind(name="LMS acts, answers too late", targets=("lms",), lasts=(2.0, 6.0)),
    Kind(name="LMS acts, connection dropped", targets=("lms",), lasts=(2.0, 8.0)),
    Kind(name="LMS gives no token", targets=("lms",), lasts=(2.0, 6.0)),
    Kind(name="LMS killed", targets=("lms",), lasts=(0.1, 3.0)),
    Kind(name="LMS frozen", targets=("lms",), lasts=(2.0, 6.0)),
)

#: After a fault its target rests for so many seconds before the next one, to come up in.
REST = {"web": 4.0, "worker-1": 4.0, "worker-2": 4.0, "relay-1": 3.0, "relay-2": 3.0}
SHORTEST_REST = 1.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """One of them. `at`: seconds from the start of the stream."""

    at: float
    seconds: float
    kind: str
    target: str

    @property
    def ends_at(self) -> float:
        return self.at + self.seconds

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        where = f" ({self.target})" if self.target[-1].isdigit() else ""
        return f"{self.at:6.1f} s  {self.kind}{where}{lasting}"


def plan(seed: int, seconds: float) -> tuple[Fault, ...]:
    """The faults of a run of so many seconds, in order. All of them are over when it ends.

    Several may be on at once, but of one target only one. Every kind comes once before any comes twice.
    """
    chance = random.Random(f"faults {seed}")
    planned: list[Fault] = []
    free_at: dict[str, float] = {}
    kinds = _rounds(chance)
    waiting: list[Kind] = []
    at = QUIET_AT_FIRST
    while at < seconds:
        fault = _fitting(waiting, kinds, chance, free_at, round(at, 1), seconds)
        if fault is not None:
            planned.append(fault)
            free_at[fault.target] = fault.ends_at + REST.get(fault.target, SHORTEST_REST)
        at += chance.uniform(0.4, 1.6) * ONE_EVERY
    return tuple(planned)


def _rounds(chance: random.Random) -> Iterator[Kind]:
    while True:
        yield from chance.sample(KINDS, len(KINDS))


def _fitting(
    waiting: list[Kind],
    kinds: Iterator[Kind],
    chance: random.Random,
    free_at: dict[str, float],
    at: float,
    end: float,
) -> Fault | None:
    """The next kind that has a free target; those that have none keep their place in `waiting`."""
    for number in range(len(KINDS)):
        if number == len(waiting):
            waiting.append(next(kinds))
        kind = waiting[number]
        lasts = round(chance.uniform(*kind.lasts), 1)
        free = [target for target in kind.targets if free_at.get(target, 0.0) <= at]
        if free and at + lasts <= end:
            del waiting[number]
            return Fault(at=at, seconds=lasts, kind=kind.name, target=chance.choice(free))
    return None


def described(planned: Sequence[Fault]) -> str:
    return "\n".join(str(each) for each in planned)
