"""Mistakes in the map of signals and in that of filters, as Django check messages that cannot be silenced."""

from django.core.checks import Error, Warning

#: In CC_SIGNALS and around it.
SIGNAL_MISTAKES = {
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
    "E025": "a receiver takes another type than the contract carries",
    "E026": "a contract that cannot be JSON",
    "E027": "signals that send each other in a circle",
}

#: In OPEN_EDX_FILTERS_CONFIG and around it.
FILTER_MISTAKES = {
    "E015": "a step does not resolve",
    "E016": "a step is no PipelineStep",
    "E017": "a step has no run_filter that answers",
    "E018": "a step is listed twice",
    "E019": "a pipeline that nobody runs",
    "E020": "a filter is not configured",
    "E021": "a filter may fail silently",
    "E022": "a filter's configuration has the wrong shape",
    "E023": "a filter has the wrong name",
    "E024": "two filters have one type",
}

#: In CC_SIGNAL_ORIGINS and what it needs.
ORIGIN_MISTAKES = {
    "E030": "an origin is none",
    "E031": "an origin is missing that the others need",
    "E032": "confined signals have no way to the API",
}

#: In the operator's file.
FILE_MISTAKES = {
    "E028": "a key stands twice",
    "E029": "a value carries a tag",
    "E033": "the file is no map of settings",
}

#: In CC_OPENTELEMETRY and what it needs.
TELEMETRY_MISTAKES = {
    "E040": "OpenTelemetry is switched on and not installed",
    "E041": "spans are to leave in a way that we do not have",
}

IDS = {**SIGNAL_MISTAKES, **FILTER_MISTAKES, **ORIGIN_MISTAKES, **FILE_MISTAKES, **TELEMETRY_MISTAKES}

#: What may be right. These keep nobody from starting, and can be silenced.
DOUBTS = {
    "W001": "a type that cannot be looked up",
    "W002": "a signal that nobody is known to send",
    "W003": "a soft time limit that never comes",
    "W004": "a file of the operator's that is not read",
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


def doubt(number: str, subject: object, problem: str, hint: str) -> Warning:
    """A doubt `cc.<number>`, as a mistake is told."""
    if number not in DOUBTS:
        raise ValueError(f"Unknown doubt {number}.")
    return Warning(f"{subject} {problem}.", hint=hint, id=f"cc.{number}")
