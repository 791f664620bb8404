"""A stand-in for the Open edX LMS, as much of it as this service calls.

oauth.py        tokens: POST oauth2/access_token
authorize.py    log-in: the page oauth2/authorize, and learner_token/
identities.py   who its users are, and their JWTs
serving.py      from a call to its answer: each kept, each fault shown
enrollment.py   the enrolment API
entitlements.py the entitlements' API
accounts.py     deactivating an account
rules.py        what the LMS does with an enrolment call: pure functions
mended.py       what is otherwise since than the rules have it
faults.py       taking the next fault, and answering with it
control.py      what tests and people ask of the stand-in itself: faults/ calls/ enrollments/ ...
bodies.py       reading bodies; answers in JSON
"""
