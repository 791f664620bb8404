"""Are the values of the operator's file of the kind that their settings are? YAML makes one of whatever it reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Those whose own complaint says more, or which may be of several kinds.
JUDGED_ELSEWHERE = frozenset(
    {
        "CC_LMS_JWT_JWK_SET",
        "CC_OPERATOR_EMAILS",
        "CC_PAYPAL",
        "CC_RETENTION_DAYS",
        "CC_SIGNALS",
        "CC_SIGNAL_ORIGINS",
        "CC_STRIPE_API_KEYS",
        "CC_STRIPE_LIVEMODE",
        "CC_STRIPE_SECRETS",
        "OPEN_EDX_FILTERS_CONFIG",
        "SECRET_KEY",
    }
)

#: (kind of the setting, what a value may be, in words). A bool is an int to Python: it stands before.
_KINDS: list[tuple[type | tuple[type, ...], type | tuple[type, ...], str]] = [
    (bool, bool, "true or false"),
    (int, int, "a whole number"),
    (float, (int, float), "a number"),
    ((str, Path), str, "a text; put it into quotes"),
    ((list, tuple), (list, tuple), "a list"),
    (Mapping, Mapping, "a map"),
]


def complaints(loaded: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """`NAME must be ...`, for each value that is of another kind than the setting has now. No value is shown."""
    found = []
    for name, value in loaded.items():
        if name in JUDGED_ELSEWHERE or settings.get(name) is None:
            continue
        present: Any = settings[name]
        allowed, told = next(((kinds, told) for kind, kinds, told in _KINDS if isinstance(present, kind)), (object, ""))
        if not isinstance(value, allowed) or (isinstance(value, bool) and not isinstance(present, bool)):
            found.append(f"{name} must be {told}")
        elif name == "CC_RETRY_SCHEDULE" and not _are_delays(value):
            found.append(f"{name} must be a list of seconds")
    return found


def _are_delays(values: Any) -> bool:
    return bool(values) and all(_is_delay(each) for each in values)


def _is_delay(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")
