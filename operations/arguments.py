"""From a call's arguments to Targets: which guild is meant, and which objects in it, within what the caller sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operations import guildless
from operations.base import Model, Operation
from operations.failures import refusal_of
from operations.guild_state import GuildState, GuildView
from operations.membership import Membership
from operations.refusals import Rejected, ambiguous, guild_uncertain, hidden, look_alike, which_guild
from operations.resolve import Ambiguous, LookAlike, Resolved, Resolver, link, pick, snowflake
from policy import checks
from policy.model import Caller, Installation, Kind, Refuse, Step, Target

# Kinds of refs for which Discord may have to be asked.
PEOPLE = frozenset({"member", "user", "person", "ban"})
# They may need their channel, which the others give.
RESOLVED_LAST = frozenset({"message", "webhook", "invite"})


class Arguments:
    """Resolves the refs of an input. Raises Rejected, and discord.HTTPException where Discord is asked."""

    def __init__(self, state: GuildState, membership: Membership) -> None:
        self._state = state
        self._membership = membership
        self._resolver = Resolver()

    async def guild_of(
        self, operation: Operation, arguments: Model, caller: Caller, *, strict: bool
    ) -> tuple[int, tuple[str, str]]:
        """The guild of a call, and the field (with its kind) by which it was named. Raises Rejected."""
        given: str | None = getattr(arguments, "guild", None)
        if given is not None:
            guild_id = snowflake("guild", given)
            if guild_id is not None:
                return guild_id, ("guild", "guild")
            return await self._guild_by_name(given, caller, strict=strict), ("guild", "guild")
        for field, ref in operation.refs.items():
            value = getattr(arguments, field, None)
            if ref.many and ref.kind == "message":
                value = next((text for text in value or () if link(text) is not None), None)
            if not isinstance(value, str):
                continue
            jump = link(value)
            if jump is not None:
                return jump.guild_id, (field, ref.kind)
            if ref.kind in ("channel", "category") and (channel_id := snowflake(ref.kind, value)) is not None:
                guild_id = self._state.source.guild_of_channel(channel_id)
                candidates = self._membership.candidate_guilds(caller)
                # A channel of somebody else's guild is looked for, waited for and missed like one that is nowhere.
                if guild_id not in candidates:
                    guild_id = candidates[0] if len(candidates) == 1 else None
                if guild_id is None:
                    raise Rejected(
                        Refuse(Step.RESOLVE, "unknown", "No guild has that channel.", hidden=True),
                        hidden(field, ref.kind),
                    )
                return guild_id, (field, ref.kind)
        reachable, failed = await self._membership.memberships_now(caller)
        if failed is not None:
            # Which guild is meant must not hang on which of them has arrived.
            raise Rejected(guild_uncertain(refusal_of(failed)))
        if len(reachable) == 1:
            return reachable[0], ("guild", "guild")
        raise Rejected(
            which_guild([guild.name for guild_id in reachable if (guild := self._state.source.cached(guild_id))])
        )

    async def _guild_by_name(self, name: str, caller: Caller, *, strict: bool) -> int:
        found: list[tuple[str, Target]] = []
        reachable, failed = await self._membership.memberships_now(caller)
        if failed is not None:
            raise Rejected(guild_uncertain(refusal_of(failed)))
        for guild_id in reachable:
            guild = self._state.source.cached(guild_id)
            if guild is not None:
                found.append((guild.name, Target("guild", guild.id, guild.id, guild.name)))
        picked = pick(name, found, strict=strict)
        if isinstance(picked, Target):
            return picked.id
        if isinstance(picked, Ambiguous):
            raise Rejected(ambiguous("guild", "guild", picked.candidates))
        if isinstance(picked, LookAlike):
            raise Rejected(look_alike("guild", "guild", picked.candidates))
        raise Rejected(
            Refuse(Step.RESOLVE, "unknown", "No guild has that name.", hidden=True), hidden("guild", "guild")
        )

    async def resolve(
        self, operation: Operation, arguments: Model, view: GuildView, installation: Installation, *, strict: bool
    ) -> tuple[dict[str, Target], dict[str, tuple[Target, ...]]]:
        """The refs of the input, as targets within what the requester sees: single ones, and those of lists."""
        targets: dict[str, Target] = {}
        many: dict[str, tuple[Target, ...]] = {}
        self._check_guild_wide(operation, view, installation)
        last: list[tuple[str, str]] = []
        for field, ref in operation.refs.items():
            value: Any = getattr(arguments, field)
            if value is None:
                continue
            if ref.kind == "guild":
                targets[field] = guild_target(view)
            elif ref.kind in RESOLVED_LAST:
                last.append((field, ref.kind))
            elif ref.many:
                many[field] = tuple(
                    [await self._one(view, field, ref.kind, item, installation, strict=strict) for item in value]
                )
            else:
                targets[field] = await self._one(view, field, ref.kind, value, installation, strict=strict)
        for field, kind in last:
            given: str | list[str] = getattr(arguments, field)
            if isinstance(given, list):
                many[field] = await self._messages(view, field, given, targets, installation, strict=strict)
            elif kind == "message":
                targets[field] = await self._message(view, field, given, targets, installation, strict=strict)
            else:
                targets[field] = await self._guildless(
                    operation, view, field, kind, given, targets, installation, strict=strict
                )
        return targets, many

    @staticmethod
    def _check_guild_wide(operation: Operation, view: GuildView, installation: Installation) -> None:
        """Who lacks the right guild-wide is refused before a member is fetched for him."""
        if operation.kind is Kind.CONTROL:
            return
        kinds = {ref.kind for ref in operation.refs.values()}
        if not kinds & PEOPLE or kinds & {"channel", "message"}:
            return
        first: Refuse | None = None
        for need in operation.early_needs(guild_target(view)):
            known = view.facts(need)
            refusal = checks.bot_holds_rights(need, known) or checks.actor_holds_rights(need, known)
            if refusal is None:
                return
            first = first or refusal
        if first is not None:
            raise Rejected(first, installation=installation)

    async def _one(
        self, view: GuildView, field: str, kind: str, text: str, installation: Installation, *, strict: bool
    ) -> Target:
        resolved = await self._resolver.resolve(view, kind, text, strict=strict)
        return self._taken(resolved, field, kind, installation)

    @staticmethod
    def _taken(resolved: Resolved, field: str, kind: str, installation: Installation) -> Target:
        if isinstance(resolved, Target):
            return resolved
        if isinstance(resolved, Ambiguous):
            raise Rejected(ambiguous(field, kind, resolved.candidates), installation=installation)
        if isinstance(resolved, LookAlike):
            raise Rejected(look_alike(field, kind, resolved.candidates), installation=installation)
        truth = Refuse(Step.RESOLVE, "unknown", f"No visible {kind} matches {field}.", hidden=True)
        raise Rejected(truth, hidden(field, kind), installation=installation)

    async def _guildless(
        self,
        operation: Operation,
        view: GuildView,
        field: str,
        kind: str,
        text: str,
        targets: Mapping[str, Target],
        installation: Installation,
        *,
        strict: bool,
    ) -> Target:
        """A webhook or an invite. Whoever could not have the right to it anywhere is refused before it is fetched."""
        channel = targets.get("channel")
        refusal = guildless.lacks_rights(operation, view, kind, channel)
        if refusal is not None:
            raise Rejected(refusal, installation=installation)
        if kind == "invite":
            return self._taken(await guildless.invite(view, text, channel), field, kind, installation)
        if channel is None and snowflake("webhook", text) is None:
            raise Rejected(
                Refuse(
                    Step.VALIDATE,
                    "channel_missing",
                    f"`{field}` is a name without a channel.",
                    "Give `channel` as well, or the webhook's id.",
                ),
                installation=installation,
            )
        return self._taken(await guildless.webhook(view, text, channel, strict=strict), field, kind, installation)

    async def _messages(
        self,
        view: GuildView,
        field: str,
        texts: list[str],
        targets: dict[str, Target],
        installation: Installation,
        *,
        strict: bool,
    ) -> tuple[Target, ...]:
        """A list of messages, in its order. The first jump link names the channel where the call does not."""
        found: dict[str, Target] = {}
        for text in sorted(texts, key=lambda text: link(text) is None):
            found[text] = await self._message(view, field, text, targets, installation, strict=strict)
        return tuple(found[text] for text in texts)

    async def _message(
        self,
        view: GuildView,
        field: str,
        text: str,
        targets: dict[str, Target],
        installation: Installation,
        *,
        strict: bool,
    ) -> Target:
        """A message is named by its id together with a channel, or by a jump link, which names the channel as well: it
        is added to ``targets`` where the call names none.
        """
        message_id, jump = snowflake("message", text), link(text)
        channel = targets.get("channel")
        if jump is not None and channel is None and jump.channel_id is not None:
            resolved = await self._resolver.resolve(view, "channel", str(jump.channel_id), strict=strict)
            if isinstance(resolved, Target):
                channel = targets["channel"] = resolved
        names_another = jump is not None and (
            jump.guild_id != view.id or channel is None or jump.channel_id != channel.id
        )
        if message_id is None or channel is None or names_another:
            if channel is None and jump is None and message_id is not None:
                raise Rejected(
                    Refuse(
                        Step.VALIDATE,
                        "channel_missing",
                        f"`{field}` is an id without a channel.",
                        "Give `channel` as well, or a jump link (https://discord.com/channels/…).",
                    ),
                    installation=installation,
                )
            truth = Refuse(Step.RESOLVE, "unknown", f"No visible message matches {field}.", hidden=True)
            raise Rejected(truth, hidden(field, "message"), installation=installation)
        return Target("message", message_id, view.id, str(message_id), channel_id=channel.id)


def guild_target(view: GuildView) -> Target:
    return Target("guild", view.id, view.id, view.discord.name)
