"""The floor: what a plain Django project does with the same webhook. Nothing slowed, nothing tuned.

It verifies Stripe's signature with Stripe's library, keeps one inbox row and one delivery row per receiver in one
transaction, and sends one Celery task per delivery when that is committed. It promises nothing beyond that.
"""
