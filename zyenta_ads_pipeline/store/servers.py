"""Which server a row is about: several homes, each with a server of its own, may share a database.

The same account number on a sandbox and on Meta is not the same account.
"""

from __future__ import annotations

import hashlib


def server_prefix(server: str) -> str:
    """What keys of this server begin with: nine characters; none where there is no server."""
    if not server:
        return ""
    return hashlib.blake2b(server.encode(), digest_size=4).hexdigest() + ":"
