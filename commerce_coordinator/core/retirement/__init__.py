"""A learner retires: what names him goes from our rows, and nothing else does.

What an index finds goes at once (stories.py); what only reading finds goes batch by batch, by the relay (chores.py).
Other apps that keep something of people register a Room in a module `retirement` of theirs.
"""
