"""E-mails to the learner. A mail server offers no way to look whether a mail was sent: at least once, then."""
