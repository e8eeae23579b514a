"""Mentions become turns; a 🛑 ends one."""

from __future__ import annotations

import re

import discord
import structlog
from discord.ext import commands

from cogs.agent import words
from cogs.agent.attachments import Attached
from cogs.agent.history import Quoted
from cogs.agent.messenger import From, Messenger, NotDelivered
from cogs.agent.turns import Mention, Turns, Verdict
from operations import call_ids
from operations.guild_state import GuildState, bits_at
from operations.ledger import phase
from operations.render import author_row
from policy.permissions import Bits
from storage.facts import PlatformFacts

log = structlog.get_logger(__name__)

STOP = "🛑"


class AgentCog(commands.Cog):
    def __init__(
        self, client: discord.Client, turns: Turns, messenger: Messenger, state: GuildState, facts: PlatformFacts
    ) -> None:
        self._client = client
        self._turns = turns
        self._messenger = messenger
        self._state = state
        self._facts = facts

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Only people are answered: neither bots, nor webhooks, nor itself."""
        if message.guild is None or message.author.bot or message.webhook_id is not None or not self._is_asked(message):
            return
        if not self._answers_in(message.guild.id, message.channel):
            return
        mention = await self._mention(message, message.guild.id)
        verdict = self._turns.submit(mention)
        if said := self._said(verdict, mention):
            await self._say(mention, said)

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """By the turn's author, or by who may manage messages there; under any message of the channel."""
        if payload.emoji.name != STOP or payload.guild_id is None:
            return
        running = self._turns.running(payload.channel_id)
        if running is None or payload.user_id == self._state.source.bot_user_id:
            return
        self._turns.stop(payload.channel_id, payload.user_id, may_manage=await self._manages(payload))

    async def _manages(self, payload: discord.RawReactionActionEvent) -> bool:
        guild = None if payload.guild_id is None else self._client.get_guild(payload.guild_id)
        channel = None if guild is None else guild.get_channel_or_thread(payload.channel_id)
        if guild is None or channel is None or payload.member is None:
            return False
        return bool(bits_at(guild, channel, payload.member) & Bits.manage_messages)

    def _answers_in(self, guild_id: int, channel: object) -> bool:
        """In the channels that were allowed to it, and in their threads."""
        snapshot = self._facts.snapshot
        installation = snapshot.installations.get(guild_id)
        if installation is None or not installation.active:
            return False
        allowed = snapshot.chat_channels.get(installation.id, frozenset())
        home = channel.parent_id if isinstance(channel, discord.Thread) else getattr(channel, "id", None)
        return home in allowed

    def _is_asked(self, message: discord.Message) -> bool:
        """By a mention in the text, or by a reply to a message of the assistant's own."""
        own_id = self._state.source.bot_user_id
        if re.search(rf"<@!?{own_id}>", message.content):
            return True
        answered = message.reference.resolved if message.reference is not None else None
        return isinstance(answered, discord.Message) and answered.author.id == own_id

    async def _mention(self, message: discord.Message, guild_id: int) -> Mention:
        own_id = self._state.source.bot_user_id
        return Mention(
            guild_id=guild_id,
            channel_id=message.channel.id,
            message_id=message.id,
            author_id=message.author.id,
            author_name=message.author.name,
            text=re.sub(rf"<@!?{own_id}>", "", message.content).strip(),
            at=message.created_at.timestamp(),
            quoted=await self._quoted(message),
            attached=tuple(
                Attached(each.filename, each.url, each.size, each.content_type or "") for each in message.attachments
            ),
        )

    async def _quoted(self, message: discord.Message) -> Quoted | None:
        """What it answers, in this very channel."""
        reference = message.reference
        if reference is None or reference.message_id is None or reference.channel_id != message.channel.id:
            return None
        found = reference.resolved
        if found is None:
            guild_id = message.guild.id if message.guild else None
            with phase("read", call_ids.new_call_id(), caller_id=f"discord:{message.author.id}", guild_id=guild_id):
                try:
                    found = await message.channel.fetch_message(reference.message_id)
                except discord.HTTPException as error:
                    log.info("what was replied to could not be read", status=error.status)
                    return None
        if not isinstance(found, discord.Message):
            return None
        author = author_row(found)
        return Quoted(found.id, found.author.id, author["name"], author["kind"], found.content)

    def _said(self, verdict: Verdict, mention: Mention) -> str:
        match verdict:
            case Verdict.COOLING:
                return words.cooling(self._turns.cooldown(mention))
            case Verdict.FULL:
                return words.QUEUE_FULL
            case Verdict.BUSY:
                return words.BUSY
            case _:
                return ""

    async def _say(self, mention: Mention, text: str) -> None:
        turn_id = call_ids.new_call_id()
        sender = From(turn_id, mention.guild_id, mention.author_id)
        try:
            await self._messenger.send(sender, mention.channel_id, text, nonce=turn_id[3:], reply_to=mention.message_id)
        except NotDelivered as error:
            log.info("an answer was not shown", reason=str(error))
