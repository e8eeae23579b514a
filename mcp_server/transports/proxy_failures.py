"""What the stdio proxy tells its client when the running instance gives no answer."""

from __future__ import annotations

import aiohttp


def unreachable(url: str, error: Exception, *, connected: bool) -> str:
    """Describe a connection that failed; once a request may have arrived, its effect is open."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"Guildhall can't be reached at {url}: {error.strerror or error}. Start it, or correct its URL."
    if connected:
        return "The connection to Guildhall broke before it answered: look whether the call took effect."
    return f"Guildhall at {url} did not answer ({type(error).__name__}): look whether the call took effect."


def unanswered(url: str, status: int) -> str:
    """Describe an HTTP response that holds no JSON-RPC answer."""
    match status:
        case 401 | 403:
            return f"Guildhall refused the token (HTTP {status}): issue a new one and set it."
        case _ if 300 <= status < 400:
            return f"{url} redirects elsewhere (HTTP {status}): use Guildhall's own MCP endpoint."
        case 404:
            return f"There is no MCP endpoint at {url}: correct the URL, it usually ends in /mcp."
        case 200:
            return "Guildhall ended the call without an answer: look whether it took effect."
        case _:
            return f"Guildhall answered with HTTP {status}: try again, and look into its log when that repeats."
