"""Tillpay, a payment provider: payments and refunds come in by its webhook, refunds go out by its API."""
