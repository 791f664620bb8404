"""People: who leaves, and what of them must go."""

from .base import Payload, PrivateText


class UserRetired(Payload):
    """The LMS retires this learner: whoever keeps something of him erases it. Our own rows are clean by then."""

    lms_user_id: int


class AccountDeactivationRequested(Payload):
    """A learner's account on the LMS is to be closed."""

    lms_user_id: int | None = None
    username: PrivateText
