"""`make chaos`: the whole service by real processes, a seeded schedule of faults, and a count at the end.

faults.py    the kinds of fault, and which come when: a pure function of the seed
stream.py    the events that will be sent, and which of them several times: a pure function of the seed
sender.py    sends them as Stripe does, again and again until a 2xx, and keeps the ledger
servers.py   a MariaDB, a Redis and a stand-in LMS of our own
cluster.py   all processes together, started again when they die, and ended whatever happens
breaking.py  doing a fault to the cluster, and undoing it
evidence.py  what the rows, the LMS and the mails say when it is over
verdict.py   what follows from it: the table, and whether the promises were kept
run.py       one run from start to end
"""
