"""The legacy shop: its orders, and its enrolment codes."""
