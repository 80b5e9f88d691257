"""Whom we believe when we call out over TLS: the machine's own authorities, read once a process.

Reading them takes a tenth of a second, on the event loop. An authority added to the machine counts from the next start.
"""

import ssl
from functools import cache


@cache
def machine() -> ssl.SSLContext:
    """Certificate and name are checked (ssl.create_default_context). Changed by nobody."""
    return ssl.create_default_context()
