"""What people do with messages: send, edit, delete, react; and what stands in a channel."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from pydantic import AwareDatetime

from sandbox.actions.actors import Actors
from sandbox.control import Action, ActionBody
from sandbox.internals import Channel, Message, SetupError, UserHandle, serializers
from sandbox.world import World


class AttachedFile(ActionBody):
    name: str
    text: str


class Send(ActionBody):
    """Without a channel, it is a direct message to the bot. ``at``: a moment of the past, instead of now."""

    user: int
    channel: int | None = None
    content: str = ""
    embeds: list[dict[str, Any]] = []
    attachments: list[AttachedFile] = []
    reply_to: int | None = None
    guild: int | None = None
    at: AwareDatetime | None = None


class Edit(ActionBody):
    user: int
    channel: int
    message: int
    content: str


class Delete(ActionBody):
    user: int
    channel: int
    message: int


class React(ActionBody):
    user: int
    channel: int
    message: int
    emoji: str
    remove: bool = False


class History(ActionBody):
    channel: int
    limit: int = 100
    after: int = 0


class MessageActions:
    def __init__(self, world: World) -> None:
        self._world = world
        self._backend = world.backend
        self._actors = Actors(world)

    def actions(self) -> list[Action]:
        return [
            Action("send", Send, self.send),
            Action("edit", Edit, self.edit),
            Action("delete", Delete, self.delete),
            Action("react", React, self.react),
            Action("history", History, self.history),
        ]

    async def send(self, body: Send) -> dict[str, Any]:
        backend = self._backend
        channel = backend.get_dm_channel(body.user) if body.channel is None else backend.get_channel(body.channel)
        self._require_may_send(channel, body)
        reference = None
        if body.reply_to is not None:
            backend.get_message(channel.id, body.reply_to)
            wanted = {"channel_id": str(channel.id), "message_id": str(body.reply_to)}
            reference = backend.normalize_message_reference(channel.id, wanted)
        files = [(file.name, file.text.encode()) for file in body.attachments]
        with self._world.clock.at(body.at) if body.at is not None else nullcontext():
            message = backend.create_message(
                channel.id,
                body.user,
                body.content,
                embeds=body.embeds,
                attachments=backend.store_attachments(channel.id, files),
                reference=reference,
            )
        kept = message.id in backend.messages[channel.id]
        return {"id": str(message.id), "channel": str(channel.id), "blocked_by_automod": not kept}

    def _require_may_send(self, channel: Channel, body: Send) -> None:
        if channel.guild_id is None:
            if body.user not in channel.recipient_ids:
                raise SetupError("that direct message is between the bot and somebody else")
            return
        # https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags
        needed = ["send_messages_in_threads" if channel.is_thread else "send_messages"]
        needed += ["attach_files"] if body.attachments else []
        needed += ["embed_links"] if body.embeds else []
        self._backend.require_permissions(channel.guild_id, body.user, channel.id, *needed)

    async def edit(self, body: Edit) -> dict[str, Any]:
        message = self._actors.message(body.channel, body.message)
        await self._actors.in_channel(body.user, body.channel).edit(message, body.content)
        return {}

    async def delete(self, body: Delete) -> dict[str, Any]:
        if self._actors.guild_id_of(body.channel) is None:
            await self._actors.user(body.user).delete(self._actors.message(body.channel, body.message))
        else:
            self._world.request_as(body.user, "DELETE", f"/channels/{body.channel}/messages/{body.message}")
        return {}

    async def react(self, body: React) -> dict[str, Any]:
        message = self._actors.message(body.channel, body.message)
        actor = self._actors.in_channel(body.user, body.channel)
        if isinstance(actor, UserHandle):
            await actor.set_reaction(message, body.emoji, reacted=not body.remove)
        elif body.remove:
            await actor.unreact(message, body.emoji)
        else:
            await actor.react(message, body.emoji)
        return {}

    async def history(self, body: History) -> dict[str, Any]:
        self._backend.get_channel(body.channel)
        messages = sorted(self._backend.messages.get(body.channel, {}).values(), key=lambda message: message.id)
        wanted = [message for message in messages if message.id > body.after][-body.limit :]
        return {"messages": [self._shown(message) for message in wanted]}

    def _shown(self, message: Message) -> dict[str, Any]:
        return {**serializers.message_payload(self._backend, message), "pinged": _pinged(message)}


def _pinged(message: Message) -> dict[str, Any]:
    """Who was notified: the lists of mentions in the payload name whom the text names, allowed or not."""
    return {
        "everyone": message.mention_everyone,
        "users": [str(user_id) for user_id in message.ping_user_ids],
        "roles": [str(role_id) for role_id in message.ping_role_ids],
    }
