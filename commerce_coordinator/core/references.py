"""What else a story is found by: what other apps call it, such as a payment id or a user's name.

    @finds("payment id")
    def by_payment(text):
        return Named(subjects=Payment.objects.filter(payment_id=text).values_list("order_number", flat=True))

It stands in the app's module `references`, which every process imports. Each goes by equality along an index: whoever
searches asks all of them.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Named:
    """What a text names. Empty texts count for nothing.

    subjects: order numbers, as a rule; people: LMS user ids; sendings: pairs of a signal's name and a dedupe key.
    """

    subjects: Iterable[str] = ()
    people: Iterable[str] = ()
    sendings: Iterable[tuple[str, str]] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finder:
    """A way to find stories. what: what people call such a text. private: who may see no names may not search by it."""

    what: str
    private: bool
    function: Callable[[str], Named]


_finders: list[Finder] = []


def finds(what: str, *, private: bool = False) -> Callable[[Callable[[str], Named]], Callable[[str], Named]]:
    """Register a function from a text to what it names."""

    def decorate(function: Callable[[str], Named]) -> Callable[[str], Named]:
        _finders.append(Finder(what=what, private=private, function=function))
        return function

    return decorate


def known(*, private: bool) -> list[str]:
    """What the apps let search by, for people to read."""
    return sorted({each.what for each in _finders if private or not each.private})


def named_by(text: str, *, private: bool) -> Iterator[Named]:
    """What each app knows of the text. private: names may be searched by, too."""
    for each in _finders:
        if private or not each.private:
            yield each.function(text)
