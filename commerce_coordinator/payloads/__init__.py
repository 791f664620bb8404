"""The vocabulary that all plugins share: what a payment, an order and an enrolment are here.

Every model is frozen and strict when a signal is sent. Nothing in this room knows a provider, a table or Django.
"""
