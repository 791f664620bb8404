"""Ten incidents on a running service, as an operator meets them; each is one of the runbooks (docs/runbooks).

campus/            a site's own plugin: what goes wrong in code that is not ours
settings.py        the local settings with that plugin and the operator's file
site.py            the service, its operator's file, its releases, and what belongs to others: Redis, price list, LMS
operator.py        who sits before the screens, in a browser and a terminal
incidents.py       the incidents: how it comes, what is seen, how it is mended, what is then true
test_incidents.py  all ten of them, one after the other, on one service
"""
