"""Discord's OAuth2: the authorization page, the token endpoint, and the two routes a login reads.

https://discord.com/developers/docs/topics/oauth2
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import html
import secrets
import time
import urllib.parse
from typing import Any

import orjson
from aiohttp import web

from sandbox.internals import serializers
from sandbox.world import World

CODE_SECONDS = 600.0
TOKEN_SECONDS = 604_800
_MAX_GRANTS = 20_000


@dataclasses.dataclass(frozen=True, slots=True)
class _Grant:
    user_id: int
    scope: str
    redirect_uri: str
    expires_at: float


def _json(data: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, headers={"Content-Type": "application/json"})


def _is_loopback(redirect_uri: str) -> bool:
    parts = urllib.parse.urlsplit(redirect_uri)
    return parts.scheme in ("http", "https") and parts.hostname in ("127.0.0.1", "localhost", "::1")


class OAuth:
    """Logins of simulated people; anyone may pick who to be, since nobody here is real."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.client_secret = f"sandbox.{secrets.token_urlsafe(24)}"
        self._codes: dict[str, _Grant] = {}
        self._access: dict[str, _Grant] = {}
        self._refresh: dict[str, _Grant] = {}

    async def authorize(self, request: web.Request) -> web.Response:
        """The page that asks who you are; each link goes back with a code."""
        query = request.query
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != str(self._world.application_id):
            return web.Response(status=400, text="client_id is not the application of this sandbox.")
        if query.get("response_type") != "code":
            return web.Response(status=400, text="response_type has to be code.")
        if not _is_loopback(redirect_uri):
            return web.Response(status=400, text="redirect_uri has to lead to this machine (a loopback address).")
        scope = query.get("scope", "identify")
        people = [user for user in self._world.backend.users.values() if not user.bot]
        links = "".join(
            f'<li><a href="{html.escape(self._way_back(user.id, scope, redirect_uri, query.get("state")))}">'
            f"{html.escape(user.name)}</a></li>"
            for user in people
        )
        page = f"<!doctype html><title>Sandbox login</title><h1>Sandbox: log in as</h1><ul>{links}</ul>"
        return web.Response(
            text=page, content_type="text/html", headers={"Content-Security-Policy": "default-src 'none'"}
        )

    def _way_back(self, user_id: int, scope: str, redirect_uri: str, state: str | None) -> str:
        code = secrets.token_urlsafe(16)
        _keep(self._codes, code, _Grant(user_id, scope, redirect_uri, time.time() + CODE_SECONDS))
        parameters = {"code": code} | ({"state": state} if state is not None else {})
        separator = "&" if urllib.parse.urlsplit(redirect_uri).query else "?"
        return f"{redirect_uri}{separator}{urllib.parse.urlencode(parameters)}"

    async def token(self, request: web.Request) -> web.Response:
        """Exchange a code or a refresh token, each once."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        if not self._is_client(request, form):
            return _json({"error": "invalid_client"}, 401)
        if form.get("grant_type") == "authorization_code":
            grant = self._codes.pop(form.get("code", ""), None)
            if grant is not None and grant.redirect_uri != form.get("redirect_uri"):
                grant = None
        elif form.get("grant_type") == "refresh_token":
            grant = self._refresh.pop(form.get("refresh_token", ""), None)
        else:
            return _json({"error": "unsupported_grant_type"}, 400)
        if grant is None or grant.expires_at < time.time():
            return _json({"error": "invalid_grant"}, 400)
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        renewed = dataclasses.replace(grant, expires_at=time.time() + TOKEN_SECONDS)
        _keep(self._access, access, renewed)
        _keep(self._refresh, refresh, renewed)
        return _json(
            {
                "access_token": access,
                "refresh_token": refresh,
                "token_type": "Bearer",
                "expires_in": TOKEN_SECONDS,
                "scope": grant.scope,
            }
        )

    def _is_client(self, request: web.Request, form: dict[str, str]) -> bool:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        authorization = request.headers.get("Authorization", "")
        if authorization.startswith("Basic "):
            try:
                client_id, _, secret = base64.b64decode(authorization[6:]).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return False
        return client_id == str(self._world.application_id) and secrets.compare_digest(
            secret.encode(), self.client_secret.encode()
        )

    def as_user(self, token: str, path: str) -> web.Response:
        """The routes that a bearer token opens: who it is, and which guilds they are in."""
        grant = self._access.get(token)
        if grant is None or grant.expires_at < time.time():
            return _json({"message": "401: Unauthorized", "code": 0}, 401)
        backend = self._world.backend
        if path == "/users/@me":
            return _json(serializers.user_payload(backend.get_user(grant.user_id)))
        if path == "/users/@me/guilds" and "guilds" in grant.scope.split():
            return _json(
                [
                    {
                        "id": str(guild.id),
                        "name": guild.name,
                        "icon": None,
                        "owner": guild.owner_id == grant.user_id,
                        "features": [],
                        "permissions": str(backend.compute_permissions(guild.id, grant.user_id)),
                    }
                    for guild in backend.guilds.values()
                    if grant.user_id in guild.members
                ]
            )
        return _json({"message": "Missing Access", "code": 50001}, 403)


def _keep(grants: dict[str, _Grant], key: str, grant: _Grant) -> None:
    while len(grants) >= _MAX_GRANTS:
        del grants[next(iter(grants))]
    grants[key] = grant
