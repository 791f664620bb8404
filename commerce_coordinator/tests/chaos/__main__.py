"""The command line of `make chaos`."""

import argparse
import math
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from commerce_coordinator.console.supervisor import CannotStart

from .run import run
from .servers import missing

LARGEST_SEED = 2**32 - 1
MOST_EVENTS = 100_000
MINUTES = (0.25, 600.0)

INTERRUPTED = 130


class BadInput(Exception):
    """One line that names the input and what would be right."""


def whole_number(name: str, text: str, *, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text[:20]) <= most):
        raise BadInput(f"{name} must be a whole number from {least} to {most}, not '{text}'.")
    return int(text)


def number_of_minutes(text: str) -> float:
    least, most = MINUTES
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not least <= minutes <= most:
        raise BadInput(f"MINUTES must be a number from {least:g} to {most:g}, not '{text}'.")
    return minutes


def read(arguments: list[str]) -> dict[str, Any]:
    """seed, events and minutes. Raises BadInput."""
    parser = argparse.ArgumentParser(prog="make chaos", description="Break the whole service, and count.")
    parser.add_argument("--seed", default="", help="the same seed, the same faults (default: one by chance)")
    parser.add_argument("--events", default="1000")
    parser.add_argument("--minutes", default="5")
    given = parser.parse_args(arguments)
    seed = str(random.SystemRandom().randint(0, 999_999)) if given.seed == "" else given.seed
    return {
        "seed": whole_number("SEED", seed, least=0, most=LARGEST_SEED),
        "events": whole_number("EVENTS", given.events, least=1, most=MOST_EVENTS),
        "minutes": number_of_minutes(given.minutes),
    }


def main(arguments: list[str]) -> int:
    """0: the promises were kept. 1: they were not. 2: it could not start. 130: interrupted."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        wishes = read(arguments)
        if missing():
            raise BadInput(f"Missing here, and needed by make chaos: {missing()}.")
        return 0 if run(**wishes, tell=_tell) else 1
    except (BadInput, CannotStart) as error:
        print(error, file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f"{error.stdout or ''}{error.stderr or ''}", file=sys.stderr)
        print(f"{Path(str(error.cmd[0])).name} ended with exit code {error.returncode}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted; all processes of the run are ended.", file=sys.stderr)
        return INTERRUPTED


def _tell(line: str) -> None:
    print(line, flush=True)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a sending that waits for its answer must not keep us
