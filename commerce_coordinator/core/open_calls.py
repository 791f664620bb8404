"""The crash point inside an open call: all of the request is sent, nothing of the answer is there.

No line of ours runs at that moment, so with fuses a session gets connections that stop by. Whoever dies there leaves
a far side behind that is still at work: the call takes effect after its caller's death.
"""

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from commerce_coordinator.core.crash_points import reached


def watch(session: requests.Session) -> None:
    """Make the session's calls over http:// come to the point. Only for processes that have fuses."""
    session.mount("http://", _Adapter())


class _Connection(HTTPConnection):
    sent_method = ""

    def request(self, method: str, *args: Any, **kwargs: Any) -> None:
        self.sent_method = method
        super().request(method, *args, **kwargs)

    def getresponse(self) -> Any:
        reached("client.during_call", self.sent_method)
        return super().getresponse()


class _Adapter(HTTPAdapter):
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        if isinstance(pool, HTTPConnectionPool):
            pool.ConnectionCls = _Connection
        return pool
