"""The axis of a trace: moments to places on a line from 0 to 100. Pure functions.

A story may last a day and hold calls of some milliseconds. So the axis is even wherever something happens, and a long
stretch in which nothing begins or ends is cut: drawn short, and said to be.
"""

import bisect
import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

#: A stretch is cut when it lasts longer than this, in seconds,
LEAST_CUT = 1.0
#: and this many times as long as all that is drawn evenly. Waiting is cut sooner than what runs, which shall look long.
TIMES_THE_REST = {"waits": 0.5, "runs": 10.0}
#: How wide a cut is drawn, of 100; all of them together take up no more than the second.
CUT_WIDTH, ALL_CUTS = 5.0, 50.0
#: Marks stand at least this far apart.
BETWEEN_MARKS = 20.0
STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600, 7200)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stretch:
    """A part of the axis: places from 0 to 100, and how many seconds it stands for."""

    start: float
    end: float
    seconds: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mark:
    """A place and the seconds since the axis began."""

    place: float
    seconds: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Axis:
    """offsets: seconds since `begins` at which the scale may change, rising; places: where they are drawn."""

    begins: datetime
    offsets: Sequence[float]
    places: Sequence[float]
    cuts: Sequence[Stretch]

    def at(self, moment: datetime) -> float:
        """The place of a moment; what lies outside is drawn at the edge."""
        offset = (moment - self.begins).total_seconds()
        after = bisect.bisect_right(self.offsets, offset)
        if after == 0:
            return 0.0
        if after == len(self.offsets):
            return self.places[-1]
        left, right = self.offsets[after - 1], self.offsets[after]
        share = (offset - left) / (right - left)
        return self.places[after - 1] + share * (self.places[after] - self.places[after - 1])

    @property
    def seconds(self) -> float:
        return self.offsets[-1]

    @property
    def seconds_cut(self) -> float:
        return sum(cut.seconds for cut in self.cuts)

    def marks(self) -> list[Mark]:
        """What stands above the axis: where each even run begins, and round steps from there, where there is room."""
        edges = [0.0, *(edge for cut in self.cuts for edge in (cut.start, cut.end)), self.places[-1]]
        runs = list(zip(edges[::2], edges[1::2], strict=True))
        begins = [self._offset_at(start) for start, _ in runs]
        found: dict[str, Mark] = {}
        for offset in [*begins, *(step for start, end in runs for step in self._steps(start, end))]:
            place = self.at(self.begins + timedelta(seconds=offset))
            room = all(abs(place - mark.place) >= BETWEEN_MARKS for mark in found.values())
            if room and place <= 100 - BETWEEN_MARKS / 2:
                found.setdefault(spell(offset), Mark(place=place, seconds=offset))
        return sorted(found.values(), key=lambda mark: mark.place)

    def _steps(self, start: float, end: float) -> list[float]:
        """Round steps, as offsets, from the place where an even run begins."""
        since, until = self._offset_at(start), self._offset_at(end)
        step = _step(until - since, end - start)
        return [since + number * step for number in range(1, int((until - since) / step) + 1)]

    def _offset_at(self, place: float) -> float:
        return self.offsets[min(bisect.bisect_left(self.places, place), len(self.offsets) - 1)]


def axis(moments: Iterable[datetime], running: Iterable[tuple[datetime, datetime]] = ()) -> Axis:
    """The axis for a story in which something began or ended at these moments. Raises ValueError where there are none.

    running: from when to when something ran; elsewhere it waited.
    """
    known = sorted(set(moments))
    if not known:
        raise ValueError("An axis needs at least one moment.")
    offsets = [(moment - known[0]).total_seconds() for moment in known]
    lengths = [right - left for left, right in itertools.pairwise(offsets)]
    cut = _cut(lengths, _runs(known, running))
    cut_width = min(CUT_WIDTH, ALL_CUTS / len(cut)) if cut else 0.0
    even = sum(length for number, length in enumerate(lengths) if number not in cut)
    # Nothing but cuts: they share all of it.
    scale = (100 - cut_width * len(cut)) / even if even else 0.0
    if cut and not even:
        cut_width = 100 / len(cut)
    places, cuts = [0.0], []
    for number, length in enumerate(lengths):
        width = cut_width if number in cut else length * scale
        places.append(places[-1] + width)
        if number in cut:
            cuts.append(Stretch(start=places[-2], end=places[-1], seconds=length))
    return Axis(begins=known[0], offsets=offsets, places=places, cuts=cuts)


def _runs(moments: Sequence[datetime], running: Iterable[tuple[datetime, datetime]]) -> list[bool]:
    """For each stretch between two moments: did anything run in it?"""
    changes = [0] * (len(moments) + 1)
    for start, end in running:
        changes[bisect.bisect_left(moments, start)] += 1
        changes[bisect.bisect_left(moments, end)] -= 1
    return [count > 0 for count in itertools.accumulate(changes)]


def _cut(lengths: Sequence[float], runs: Sequence[bool]) -> set[int]:
    """Which stretches are much longer than all that is drawn evenly."""
    cut, even = set(), 0.0
    for number in sorted(range(len(lengths)), key=lambda number: lengths[number]):
        times = TIMES_THE_REST["runs" if runs[number] else "waits"]
        if lengths[number] > max(LEAST_CUT, times * even):
            cut.add(number)
        else:
            even += lengths[number]
    return cut


def _step(seconds: float, width: float) -> float:
    """The least round step, in seconds, at which marks of a run of this width have room."""
    if not width:
        return max(seconds, STEPS[0])
    least = seconds * BETWEEN_MARKS / width
    return next((step for step in STEPS if step >= least), max(seconds, STEPS[-1]))


def spell(seconds: float) -> str:
    """A span for people: `0.4 ms`, `21 ms`, `1.2 s`, `4 min 5 s`, `27 h 30 min`, `3 d 4 h`."""
    if seconds < 0.01:
        return f"{seconds * 1000:.1f}".removesuffix(".0") + " ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours_of_day = divmod(hours, 24)
    pairs = ((days, "d", hours_of_day, "h"), (hours, "h", minutes, "min"), (minutes, "min", rest, "s"))
    for more, unit, less, smaller in pairs:
        if more >= (2 if unit == "d" else 1):
            return f"{more} {unit} {less} {smaller}" if less else f"{more} {unit}"
    return f"{rest} s"
