"""Fulfilment: payments to orders to enrolments, by signals alone. Knows no provider and no LMS."""
