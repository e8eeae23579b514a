"""What simcord leaves out of webhooks: avatars, whose application they belong to, threads, channels that are followed.

https://discord.com/developers/docs/resources/webhook
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.additions import Addition, Request, Route, invalid_form
from sandbox.internals import Backend, BackendError, serializers

MAX_WEBHOOKS = 15
MAX_NAME = 80

# Webhooks live where messages or posts are: text, voice, announcement, stage, forum, media.
_CHANNEL_TYPES = frozenset({0, 2, 5, 13, 15, 16})
_FORUM_TYPES = frozenset({15, 16})
_INCOMING, _FOLLOWER = 1, 2

_OF_CHANNEL = re.compile(r"/channels/(?P<channel>\d+)/webhooks")
_OF_GUILD = re.compile(r"/guilds/\d+/webhooks")
_FOLLOW = re.compile(r"/channels/(?P<channel>\d+)/followers")
_AUDIT_LOG = re.compile(r"/guilds/\d+/audit-logs")
_ONE = re.compile(r"/webhooks/(?P<webhook>\d+)")
_BY_TOKEN = re.compile(r"/webhooks/(?P<webhook>\d+)/(?P<token>[^/]+)")


class Webhooks(Addition):
    """Beside simcord's own: avatar hashes by webhook, and the channels that followers follow."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        # Routes may run as somebody else; whose application this is does not change by it.
        self._bot_id = backend.bot_user.id
        self._avatars: dict[int, str] = {}
        self._followed: dict[int, int] = {}

    # -------------------------------------------------------------------- rules
    def check(self, request: Request) -> None:
        fields = request.fields
        if found := request.on("POST", _OF_CHANNEL):
            self._permitted(int(found["channel"]))
            self._check_name(str(fields.get("name") or ""))
            self._check_place(int(found["channel"]))
        elif found := request.on("PATCH", _ONE):
            webhook = self._backend.get_webhook(int(found["webhook"]))
            self._permitted(webhook.channel_id)
            if fields.get("name") is not None:
                self._check_name(str(fields["name"]))
            destination = fields.get("channel_id")
            if destination is not None and int(destination) != webhook.channel_id:
                self._permitted(int(destination))
                self._check_place(int(destination))
        elif found := request.on("POST", _BY_TOKEN):
            webhook = self._backend.webhooks.get(int(found["webhook"]))
            if webhook is not None and webhook.token == found["token"]:
                self._check_thread(webhook.channel_id, request.query.get("thread_id"), fields)

    def _permitted(self, channel_id: int) -> None:
        """Rights come before everything else that could be wrong."""
        channel = self._backend.get_channel(channel_id)
        if channel.guild_id is not None:
            self._backend.require_permissions(
                channel.guild_id, self._backend.bot_user.id, channel.id, "manage_webhooks"
            )

    @staticmethod
    def _check_name(name: str) -> None:
        """1 to 80 characters, without "clyde" and "discord".

        https://discord.com/developers/docs/resources/webhook#create-webhook
        """
        if not 1 <= len(name.strip()) <= MAX_NAME:
            raise invalid_form("name: Must be between 1 and 80 in length.")
        for word in ("clyde", "discord"):
            if word in name.lower():
                raise invalid_form(f'name: Username cannot contain "{word}"')

    def _check_place(self, channel_id: int) -> None:
        channel = self._backend.get_channel(channel_id)
        if int(channel.type) not in _CHANNEL_TYPES:
            raise BackendError(400, 50024, "Cannot execute action on this channel type")
        # https://discord.com/developers/docs/topics/opcodes-and-status-codes#json (30007)
        if sum(each.channel_id == channel_id for each in self._backend.webhooks.values()) >= MAX_WEBHOOKS:
            raise BackendError(400, 30007, "Maximum number of webhooks reached (15)")

    def _check_thread(self, channel_id: int, thread_id: str | None, fields: Mapping[str, Any]) -> None:
        """A post in a forum needs a thread (error 220001); a thread must be of the webhook's channel.

        https://discord.com/developers/docs/resources/webhook#execute-webhook
        """
        channel = self._backend.get_channel(channel_id)
        if thread_id is None:
            if int(channel.type) in _FORUM_TYPES and not fields.get("thread_name"):
                raise BackendError(
                    400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id"
                )
            return
        thread = self._backend.channels.get(int(thread_id))
        if thread is None or thread.thread_metadata is None or thread.parent_id != channel_id:
            raise BackendError(404, 10003, "Unknown Channel")

    # ------------------------------------------------------------------ requests
    def play(self, request: Request, route: Route) -> Any:
        """What simcord does not keep is kept here, and given with its answers."""
        if request.on("POST", _OF_CHANNEL):
            return self._create(request, route)
        if _OF_CHANNEL.fullmatch(request.path) or _OF_GUILD.fullmatch(request.path):
            return [self._payload(each) for each in route(request)]
        if _AUDIT_LOG.fullmatch(request.path):
            result = route(request)
            return {**result, "webhooks": self._named_in(result["audit_log_entries"])}
        if found := request.on("POST", _FOLLOW):
            result = route(request)
            self._followed[int(result["webhook_id"])] = int(found["channel"])
            return result
        if found := _ONE.fullmatch(request.path):
            return self._one(request, route, int(found["webhook"]))
        if found := request.on("POST", _BY_TOKEN):
            return self._post(request, route, int(found["webhook"]))
        return route(request)

    def _create(self, request: Request, route: Route) -> dict[str, Any]:
        result = route(request)
        self._made(int(result["id"]))
        self._dress(int(result["id"]), request.fields)
        return self._payload(result)

    def _one(self, request: Request, route: Route, webhook_id: int) -> Any:
        if request.method == "DELETE":
            result = route(request)
            self._avatars.pop(webhook_id, None)
            self._followed.pop(webhook_id, None)
            return result
        if request.method != "PATCH":
            return self._payload(route(request))
        result = route(request.with_body({key: value for key, value in request.fields.items() if key != "avatar"}))
        self._dress(webhook_id, request.fields)
        return self._payload(result)

    def _post(self, request: Request, route: Route, webhook_id: int) -> Any:
        """simcord's route posts to the thread that the query names while the webhook stands there."""
        webhook = self._backend.webhooks.get(webhook_id)
        if webhook is None:
            return route(request)
        home = webhook.channel_id
        webhook.channel_id = int(request.query.get("thread_id", home))
        try:
            result = route(request)
            metadata = self._backend.get_channel(webhook.channel_id).thread_metadata
            if metadata is not None:
                # "The thread will automatically be unarchived."
                metadata.archived = False
        finally:
            webhook.channel_id = home
        # "wait: waits for server confirmation of message send before response … defaults to false".
        return result if request.query.get("wait", "").lower() in ("1", "true") else None

    def _made(self, webhook_id: int) -> None:
        """A token of 68 characters, as Discord's: nobody may take it for anything else."""
        webhook = self._backend.webhooks[webhook_id]
        self._backend.webhook_tokens.pop(webhook.token, None)
        webhook.token = secrets.token_urlsafe(51)
        self._backend.webhook_tokens[webhook.token] = webhook_id

    def _dress(self, webhook_id: int, fields: Mapping[str, Any]) -> None:
        webhook = self._backend.webhooks[webhook_id]
        self._backend.users[webhook.webhook_user_id].name = webhook.name
        if "avatar" not in fields:
            return
        self._avatars.pop(webhook_id, None)
        if fields["avatar"] is not None:
            self._avatars[webhook_id] = hashlib.md5(str(fields["avatar"]).encode(), usedforsecurity=False).hexdigest()

    def _named_in(self, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """ "webhooks: list of webhooks referenced in the audit log"."""
        ids = {int(entry["target_id"]) for entry in entries if entry["target_id"] is not None}
        found = [webhook for webhook_id, webhook in self._backend.webhooks.items() if webhook_id in ids]
        return [self._payload(serializers.webhook_payload(self._backend, webhook)) for webhook in found]

    def _payload(self, simcords: Mapping[str, Any]) -> dict[str, Any]:
        webhook = self._backend.webhooks[int(simcords["id"])]
        creator = self._backend.users[webhook.creator_id]
        application_id = webhook.creator_id if creator.bot else None
        is_ours = webhook.creator_id == self._bot_id
        if is_ours:
            application_id = self._backend.application_id
        payload = {
            **simcords,
            "type": _FOLLOWER if webhook.id in self._followed else _INCOMING,
            "avatar": self._avatars.get(webhook.id),
            "application_id": None if application_id is None else str(application_id),
            "token": webhook.token,
        }
        # "token?: the secure token of the webhook (returned for Incoming Webhooks)"; another application's is its own.
        if webhook.id in self._followed or (application_id is not None and not is_ours):
            del payload["token"]
        return payload

    def description(self, guild_id: int) -> list[dict[str, Any]]:
        """The webhooks of a guild, without their tokens."""
        return [
            {
                "id": str(webhook.id),
                "name": webhook.name,
                "channel_id": str(webhook.channel_id),
                "avatar": self._avatars.get(webhook.id),
            }
            for webhook in self._backend.webhooks.values()
            if webhook.guild_id == guild_id
        ]
