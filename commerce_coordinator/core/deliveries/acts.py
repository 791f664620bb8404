"""What operators do, written down in the transaction of the deed: who, when and why."""

import dataclasses
from typing import Any

from django.conf import settings

from .models import OperatorAct

LONGEST_WHY = 255


@dataclasses.dataclass(frozen=True, kw_only=True)
class By:
    """Whose act it is. who: a user's name, or that of the system's account. why: in his words, up to 255 characters."""

    who: str = ""
    why: str = ""
    origin: str = ""


#: Code that acts by itself, without a person.
NOBODY = By()


def write_down(kind: str, by: By, **row: Any) -> None:
    """row: delivery, dispatch or event, and the generation of a delivery. In the surrounding transaction."""
    OperatorAct.objects.create(
        kind=kind, who=by.who[:150], why=by.why.strip()[:LONGEST_WHY], origin=by.origin or settings.CC_ORIGIN, **row
    )
