"""Presses on the set-up card, /setup, and mentions in a guild that nobody has claimed."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self, cast

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from cogs.setup import card, texts
from cogs.setup.choices import Choices
from cogs.setup.ids import TEMPLATE, Press, SetupId, SetupIds
from cogs.setup.state import SetupStates
from cogs.slash.answering import NOBODY, Answer, Interaction, answer, deferred
from operations.failures import DISCORD_FAILED, refusal_of
from operations.guild_source import GuildStarting
from operations.guild_state import GuildState
from operations.ledger import phase
from operations.membership import role_in_guild
from policy.model import PlatformRole
from policy.permissions import Bits
from storage.facts import PlatformFacts
from storage.outages import DatabaseUnavailable

log = structlog.get_logger(__name__)

TELL_AGAIN_SECONDS = 30.0
"""How often a guild is told by a mention how to claim it: strangers spend nothing by asking again and again."""
_DECIDES = int(Bits.manage_guild | Bits.administrator)


class SetupItem(discord.ui.DynamicItem[discord.ui.Item[Any]], template=TEMPLATE):
    """Any button or menu of a card, of this or an earlier run of the bot. A cog binds a subclass of its own."""

    pressed: Callable[[Interaction, SetupId], Awaitable[None]]

    def __init__(self, item: discord.ui.Item[Any], found: SetupId) -> None:
        super().__init__(item)
        self._found = found

    @classmethod
    def bound_to(cls, pressed: Callable[[Interaction, SetupId], Awaitable[None]]) -> type[SetupItem]:
        class Bound(cls, template=TEMPLATE):
            pass

        Bound.pressed = staticmethod(pressed)
        return Bound

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        # Nothing is checked here: discord.py only logs what is raised, and the presser would get no answer.
        return cls(item, SetupId.matched(match))

    async def callback(self, interaction: Interaction) -> None:
        await type(self).pressed(interaction, self._found)


class SetupCog(commands.Cog, name="Setup"):
    """Every press is decided anew, for whoever presses; what is set is set by the operations of administration."""

    def __init__(
        self,
        client: commands.AutoShardedBot,
        state: GuildState,
        facts: PlatformFacts,
        states: SetupStates,
        ids: SetupIds,
        choices: Choices,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._state = state
        self._facts = facts
        self._states = states
        self._ids = ids
        self._choices = choices
        self._monotonic = monotonic
        self._told: dict[int, float] = {}
        self._item = SetupItem.bound_to(self.pressed)

    async def cog_load(self) -> None:
        self._client.add_dynamic_items(self._item)

    async def cog_unload(self) -> None:
        self._client.remove_dynamic_items(self._item)

    # ----------------------------------------------------------------- command
    @app_commands.command(name="setup", description=texts.COMMAND)
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    async def setup_command(self, interaction: Interaction) -> None:
        """Opens the card again, for those who may set up."""
        if interaction.guild_id is None or not await deferred(interaction):
            return
        said = await self._words_of(interaction, self._opened(interaction, interaction.guild_id))
        if said is not None:
            await answer(interaction, said)

    async def _opened(self, interaction: Interaction, guild_id: int) -> Answer:
        if not await self._may_set_up(guild_id, interaction.user.id):
            return Answer(texts.MAY_NOT if not self._states.is_inert(guild_id) else texts.HOW_TO_CLAIM)
        return await self._shown(guild_id)

    async def _shown(self, guild_id: int, *, in_dm: bool = False, finished: bool = False) -> Answer:
        """The card as it is now."""
        guild = await self._state.source.guild(guild_id)
        if guild is None:
            return Answer(texts.NOT_IN_GUILD)
        state = self._states.of(guild)
        view = None if finished else card.view(state, self._ids, guild, in_dm=in_dm)
        return Answer(embeds=(card.embed(state, in_dm=in_dm, finished=finished),), buttons=view)

    # ----------------------------------------------------------------- presses
    async def pressed(self, interaction: Interaction, found: SetupId) -> None:
        """Does what was asked for, shows the card as it stands then, and tells the presser what came of it."""
        if not self._is_ours(interaction, found):
            log.warning("a press counts for nothing", guild_id=found.guild_id, user_id=interaction.user.id)
            await _whisper(interaction, Answer(texts.NOT_A_CARD))
            return
        if not await deferred(interaction, in_place=True):
            return
        said = await self._words_of(interaction, self._done(interaction, found))
        if said is not None:
            await _whisper(interaction, said)

    async def _done(self, interaction: Interaction, found: SetupId) -> Answer:
        guild_id, in_dm = found.guild_id, interaction.guild_id is None
        # Discord is asked for him at each press: what he may do counts as of now.
        if await self._state.view(guild_id, interaction.user.id, 0.0) is None:
            return Answer(texts.NOT_IN_GUILD)
        finished = False
        match found.press:
            case Press.CLAIM:
                said = await self._choices.claim(interaction, guild_id)
            case Press.LOOK_AGAIN | Press.DONE:
                if not await self._may_set_up(guild_id, interaction.user.id):
                    return Answer(texts.MAY_NOT)
                finished = found.press is Press.DONE and not self._states.is_inert(guild_id)
                said = Answer(texts.FINISHED if finished else texts.LOOKED)
            case _ if self._states.is_inert(guild_id):
                said = Answer(texts.CLAIM_FIRST)
            case _:
                said = await self._choices.choose(interaction, found.press, guild_id, _values(interaction))
        await answer(interaction, await self._shown(guild_id, in_dm=in_dm, finished=finished))
        return said

    def _is_ours(self, interaction: Interaction, found: SetupId) -> bool:
        """On a message of the bot itself, signed for the guild in which it is pressed, or in a direct message."""
        message = interaction.message
        if message is None or self._client.user is None or message.author.id != self._client.user.id:
            return False
        if message.webhook_id is not None and message.webhook_id != self._client.application_id:
            return False
        return interaction.guild_id in (None, found.guild_id) and self._ids.verify(found)

    async def _words_of(self, interaction: Interaction, work: Awaitable[Answer]) -> Answer | None:
        """Whoever asks always gets words."""
        try:
            return await work
        except GuildStarting:
            return Answer(texts.UNREACHABLE)
        except DISCORD_FAILED as error:
            log.info("setting up did not work", reason=refusal_of(error).reason)
            return Answer(texts.UNREACHABLE)
        except DatabaseUnavailable:
            return Answer(texts.UNREACHABLE)
        except asyncio.CancelledError:
            raise
        except Exception:  # the presser gets an answer whatever happens; the mistake is in the log
            log.exception("setting up failed", user_id=interaction.user.id)
            return Answer(texts.MISTAKE)

    async def _may_set_up(self, guild_id: int, user_id: int) -> bool:
        """Manage Server or the role of a manager, as of now. Raises what says that Discord could not be asked."""
        view = await self._state.view(guild_id, user_id, 0.0)
        if view is None:
            return False
        if view.bits() & _DECIDES:
            return True
        installation = self._facts.snapshot.installations.get(guild_id)
        caller = self._choices.member(guild_id, user_id)
        if installation is None or caller is None:
            return False
        role = role_in_guild(self._facts.snapshot, caller, installation, view)
        return role is not None and role >= PlatformRole.MANAGER

    # ---------------------------------------------------------------- mentions
    @commands.Cog.listener("on_message")
    async def mentioned(self, message: discord.Message) -> None:
        """An inert guild answers with one sentence."""
        guild, me = message.guild, self._client.user
        if guild is None or me is None or message.author.bot or message.webhook_id is not None:
            return
        if me.id not in message.raw_mentions or not self._states.is_inert(guild.id):
            return
        now = self._monotonic()
        if now - self._told.get(guild.id, float("-inf")) < TELL_AGAIN_SECONDS:
            return
        if len(self._told) > 10_000:
            self._told.clear()
        self._told[guild.id] = now
        claimable = self._states.is_claimable(guild.id)
        said = texts.HOW_TO_CLAIM if claimable else texts.UNLISTED.format(guild_id=guild.id)
        with phase("system", f"su_{message.id}", guild_id=guild.id):
            try:
                await message.reply(said, mention_author=False, allowed_mentions=NOBODY)
            except DISCORD_FAILED as error:
                log.info("a mention was not answered", guild_id=guild.id, reason=refusal_of(error).reason)


def _values(interaction: Interaction) -> tuple[str, ...]:
    """What was chosen in a menu."""
    data = cast("Mapping[str, Any]", interaction.data or {})
    return tuple(str(value) for value in data.get("values", ()))


async def _whisper(interaction: Interaction, said: Answer) -> None:
    """To the presser alone, beside the card."""
    options: dict[str, Any] = {} if said.buttons is None else {"view": said.buttons}
    try:
        if interaction.response.is_done():
            await interaction.followup.send(
                said.text, embeds=list(said.embeds), ephemeral=True, allowed_mentions=NOBODY, **options
            )
        else:
            await interaction.response.send_message(said.text, ephemeral=True, allowed_mentions=NOBODY, **options)
    except DISCORD_FAILED as error:
        log.info("an answer to a press did not arrive", reason=refusal_of(error).reason)
