"""In which language a mail is written.

The LMS does not tell us a learner's language. So it is one for all learners (CC_MAIL_LANGUAGE); the operator's mails
are in LANGUAGE_CODE, the language of the admin that they lead to.
"""

from pathlib import Path

from django.conf import settings

#: What the templates themselves are written in.
SOURCE = "en"

OWN = Path(__file__).parent / "locale"


def available() -> list[str]:
    """Languages that there are translations for, as language codes: ours, and the folders of LOCALE_PATHS."""
    folders = (OWN, *map(Path, settings.LOCALE_PATHS))
    found = {path.parent.parent.name for folder in folders for path in folder.glob("*/LC_MESSAGES/django.mo")}
    return sorted({SOURCE, *map(_code, found)})


def shown_in(language: str) -> str | None:
    """The translation that a mail of this language uses: de-at is written as de where it has none of its own.

    None where there is none at all; then it is in the language of the templates.
    """
    known, asked = available(), language.lower()
    return next((each for each in (asked, asked.partition("-")[0]) if each in known), None)


def _code(folder: str) -> str:
    """pt_BR, as gettext names its folders, is pt-br as Django names languages."""
    return folder.replace("_", "-").lower()
