"""Who logs in: the user model, known to the LMS by its user id."""
