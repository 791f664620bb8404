"""Stories by the user name of whom they are about."""

from commerce_coordinator.core.references import Named, finds

from .models import User


@finds("user name", private=True)
def by_username(text: str) -> Named:
    found = User.objects.filter(username=text).values_list("username", "lms_user_id")
    # MariaDB takes `Amina` for `amina`; the LMS does not.
    return Named(people=[str(person) for name, person in found if name == text and person is not None])
