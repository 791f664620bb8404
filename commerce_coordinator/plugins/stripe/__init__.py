"""Stripe: payments come in by its webhook. Facts are from Stripe's documentation of webhooks and of PaymentIntents."""
