"""A stand-in for the Open edX LMS, as much of it as this service calls.

oauth.py        tokens: POST oauth2/access_token
enrollment.py   the enrolment API: each call kept, each fault shown
rules.py        what the LMS does with an enrolment call: pure functions
faults.py       taking the next fault, and answering with it
control.py      what tests and people ask of the stand-in itself: faults/ calls/ enrollments/
requests.py     reading bodies; answers in JSON
"""
