"""The page's files. They hold nothing of the world: what is in it comes by the actions, with the token of this start.

The token stands in the address behind the #, which no browser sends to anybody; the page keeps it for its tab and takes
it out of the address.
"""

from __future__ import annotations

import importlib.resources

from aiohttp import web

from sandbox.control import Control

PATH = "/preview/"

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

# Nothing is loaded from elsewhere, nothing inline runs, and text can't become markup even by mistake.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class PreviewPages:
    """The page at /preview/, and its door at /preview/act/<action>: as the control API's, with a token of its own."""

    def __init__(self, door: Control) -> None:
        self._door = door
        folder = importlib.resources.files("sandbox.preview").joinpath("static")
        self._files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}

    def url(self, base_url: str) -> str:
        """A credential: whoever has it can act as any of the simulated people."""
        return f"{base_url}{PATH}#{self._door.token}"

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get(PATH, self._file)
        router.add_get(PATH + "{name}", self._file)
        router.add_route("*", PATH + "act/{action}", self._door.handle)

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info.get("name", "index.html")
        content = self._files.get(name)
        if content is None:
            return web.Response(status=404, headers=_HEADERS)
        kind = _TYPES[name.rpartition(".")[2]]
        return web.Response(body=content, headers=_HEADERS, content_type=kind, charset="utf-8")
