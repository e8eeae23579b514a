"""The CDN: attachments, stickers, and the default avatars."""

from __future__ import annotations

import mimetypes
import re
import urllib.parse

from aiohttp import web

from sandbox.images import solid_png
from sandbox.internals import cdn_blob
from sandbox.world import World

_DEFAULT_AVATAR = re.compile(r"/cdn/embed/avatars/(\d+)\.png")
# https://discord.com/developers/docs/reference#image-formatting: six default avatars, of these colours.
_AVATAR_COLOURS = ((88, 101, 242), (117, 126, 138), (59, 165, 92), (250, 166, 26), (237, 66, 69), (235, 69, 158))


class Cdn:
    """Serves what simcord's fake CDN keeps."""

    def __init__(self, world: World, origin: str) -> None:
        self._world = world
        self._origin = origin

    async def handle(self, request: web.Request) -> web.Response:
        path = urllib.parse.unquote(request.rel_url.raw_path)
        if match := _DEFAULT_AVATAR.fullmatch(path):
            colour = _AVATAR_COLOURS[int(match[1]) % len(_AVATAR_COLOURS)]
            return web.Response(body=solid_png(64, 64, colour), content_type="image/png")
        blob = cdn_blob(self._world.backend, f"{self._origin}{path}")
        if blob is None:
            return web.Response(status=404)
        content_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
        # An uploaded page must not run as one of this origin.
        return web.Response(
            body=blob,
            headers={
                "Content-Type": content_type,
                "Content-Disposition": "attachment",
                "X-Content-Type-Options": "nosniff",
            },
        )
