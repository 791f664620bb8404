"""E-mails to learners and to the operator. A mail server cannot be asked whether it has a mail: at least once, then."""
