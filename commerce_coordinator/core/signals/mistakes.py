"""Mistakes in the map, as Django check messages that cannot be silenced."""

from django.core.checks import Error

IDS = {
    "E001": "a path does not resolve",
    "E002": "not a CoordinatorSignal",
    "E003": "a signal is not in the map",
    "E004": "a receiver is not callable",
    "E005": "a receiver is connected beside the map",
    "E006": "a receiver is listed twice",
    "E007": "a Celery task that is no delivery task",
    "E008": "a receiver requires what the contract does not carry",
    "E009": "the map has the wrong shape",
    "E010": "a signal takes a field that its contract lacks",
    "E011": "a delivery task declares to send what is no signal",
    "E012": "a lease is not longer than the task's time limit",
    "E013": "a signal is named by another path than its own",
    "E014": "a contract's field has a name that send_robust needs itself",
}


class MapError(Error):
    """SILENCED_SYSTEM_CHECKS has no power over these: a wrong map loses payments."""

    def is_silenced(self) -> bool:
        return False


def mistake(number: str, subject: object, problem: str, hint: str) -> MapError:
    """A mistake `cc.<number>`: what, what is wrong with it, what would be right."""
    if number not in IDS:
        raise ValueError(f"Unknown mistake {number}.")
    return MapError(f"{subject} {problem}.", hint=hint, id=f"cc.{number}")
