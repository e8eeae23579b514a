"""``guildhall stdio`` with GUILDHALL_URL and GUILDHALL_TOKEN: a proxy to that instance.

Nothing else of Guildhall is imported for it: its client is waiting.
"""

from __future__ import annotations

import os

from bot.commands.failures import CommandError
from mcp_server.transports import proxy_stdio


async def run_from_environment() -> bool:
    """Becomes a proxy to GUILDHALL_URL; False when that is not set. Raises CommandError when the token is missing."""
    url, token = os.environ.get("GUILDHALL_URL"), os.environ.get("GUILDHALL_TOKEN")
    if not url:
        return False
    if not token:
        raise CommandError("GUILDHALL_TOKEN: missing beside GUILDHALL_URL; make one with `guildhall token create`.")
    await proxy_stdio(url if url.rstrip("/").endswith("/mcp") else f"{url.rstrip('/')}/mcp", token)
    return True
