"""Random guilds: who is there, with what rights, in which channels, and what was said."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from sandbox.guild_builder import GuildBuilder
from sandbox.guild_spec import GuildSpec
from sandbox.internals import BackendError
from sandbox.world import World

EVERYDAY = [
    "view_channel",
    "send_messages",
    "read_message_history",
    "embed_links",
    "attach_files",
    "add_reactions",
    "connect",
    "speak",
    "send_messages_in_threads",
    "create_public_threads",
    "create_instant_invite",
    "send_polls",
    "change_nickname",
]
POWERS = [
    "administrator",
    "manage_channels",
    "manage_roles",
    "manage_messages",
    "manage_threads",
    "manage_webhooks",
    "manage_guild",
    "manage_nicknames",
    "moderate_members",
    "kick_members",
    "ban_members",
    "mention_everyone",
    "view_audit_log",
    "create_private_threads",
    "pin_messages",
    "bypass_slowmode",
]
# What an overwrite of a random world names: administrator is no permission of a channel.
IN_CHANNELS = [*EVERYDAY[:-1], *POWERS[1:6], "mention_everyone", "create_private_threads", "pin_messages"]
KINDS = ("text", "announcement", "voice", "stage", "forum")
FAR_AWAY = "2035-01-01T00:00:00+00:00"


@dataclass(slots=True)
class Said:
    """``own_of``: for whom Guildhall sent it."""

    channel_id: int
    message_id: int
    author_id: int
    own_of: int | None = None


@dataclass(frozen=True, slots=True)
class CaseAbout:
    """``channel_id``: where it is from. ``reported_by``: of a report that waits."""

    user_id: int
    channel_id: int | None = None
    reported_by: int | None = None


@dataclass(slots=True)
class Scene:
    """The ids of one random guild. ``members``: with the owner, without the bot; ``roles``: without @everyone.

    What Guildhall itself keeps of it (see tests.truth.own): ``cases`` by number, ``tokens``: client -> whose it is,
    ``role_map``: role -> platform role, ``locked``: channels.
    """

    guild_id: int
    owner_id: int
    bot_id: int
    members: list[int]
    roles: list[int]
    channels: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    threads: list[int] = field(default_factory=list[int])
    said: list[Said] = field(default_factory=list[Said])
    banned: list[int] = field(default_factory=list[int])
    webhook_channels: dict[int, int] = field(default_factory=dict[int, int])
    invites: list[str] = field(default_factory=list[str])
    cases: dict[int, CaseAbout] = field(default_factory=dict[int, CaseAbout])
    tokens: dict[str, int] = field(default_factory=dict[str, int])
    role_map: dict[int, str] = field(default_factory=dict[int, str])
    locked: list[int] = field(default_factory=list[int])

    def of_kinds(self, *kinds: str) -> list[int]:
        return [channel_id for kind in kinds for channel_id in self.channels.get(kind, ())]

    @property
    def everywhere(self) -> list[int]:
        """Every channel that is no category."""
        return self.of_kinds(*KINDS)

    @property
    def sent(self) -> dict[tuple[int, int], int]:
        """The messages that Guildhall sent, and for whom."""
        return {(each.channel_id, each.message_id): each.own_of for each in self.said if each.own_of is not None}


def some(rng: random.Random, names: list[str], share: float) -> list[str]:
    return [name for name in names if rng.random() < share]


def random_spec(rng: random.Random) -> GuildSpec:
    roles: list[dict[str, Any]] = []
    for number in range(rng.randint(3, 6)):
        powers = some(rng, POWERS[1:], rng.choice([0.0, 0.1, 0.4, 0.9]))
        powers += ["administrator"] if rng.random() < 0.12 else []
        roles.append(
            {
                "name": f"Role {number}",
                "permissions": powers + some(rng, EVERYDAY, 0.3),
                "mentionable": rng.random() < 0.4,
            }
        )
    names = [role["name"] for role in roles]
    members: list[dict[str, Any]] = []
    for number in range(rng.randint(4, 7)):
        member: dict[str, Any] = {"name": f"person{number}", "roles": some(rng, names, 0.35)}
        member["timed_out_until"] = FAR_AWAY if rng.random() < 0.08 else None
        member["pending"] = rng.random() < 0.04
        member["bot"] = rng.random() < 0.08
        members.append(member)
    channels: list[dict[str, Any]] = [
        {"name": f"Category {number}", "type": "category", "overwrites": random_overwrites(rng, names, members)}
        for number in range(2)
    ]
    for number in range(rng.randint(5, 8)):
        kind = rng.choices(KINDS, (6, 2, 2, 1, 1))[0]
        channels.append(
            {
                "name": f"channel-{number}",
                "type": kind,
                "category": f"Category {rng.randrange(2)}" if rng.random() < 0.5 else None,
                "topic": "a topic" if kind not in ("voice", "stage") and rng.random() < 0.3 else None,
                "slowmode_seconds": 30 if rng.random() < 0.02 else 0,
                "overwrites": random_overwrites(rng, names, members),
            }
        )
    share = rng.choice([1.0, 1.0, 1.0, 0.95, 0.7])
    return GuildSpec(
        name="Random",
        owner="owner",
        roles=roles,  # pyright: ignore[reportArgumentType] - pydantic makes specs of them
        members=members,  # pyright: ignore[reportArgumentType]
        channels=channels,  # pyright: ignore[reportArgumentType]
        everyone_permissions=some(rng, EVERYDAY, rng.choice([1.0, 0.9, 0.5])),
        bot_permissions=[*some(rng, [*EVERYDAY, *POWERS[1:]], share), *(["administrator"] * (rng.random() < 0.08))],
        bot_position=rng.randint(1, len(roles) + 1),
    )


def random_overwrites(rng: random.Random, roles: list[str], members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of some roles, of @everyone, of a member, of the bot's own role; each names a few bits, none twice."""
    found: list[dict[str, Any]] = []
    chance = rng.choice([0.0, 0.0, 0.2, 0.4])
    subjects: list[dict[str, str]] = [
        *({"role": name} for name in ["@everyone", "Guildhall", *roles] if rng.random() < chance),
        *({"member": member["name"]} for member in members if rng.random() < chance / 4),
    ]
    for subject in subjects:
        named = rng.sample(IN_CHANNELS, rng.randint(1, 4))
        cut = rng.randint(0, len(named))
        found.append({**subject, "allow": named[:cut], "deny": named[cut:]})
    return found


def build(world: World, rng: random.Random) -> Scene:
    """Makes the guild, announces it, and lets things happen in it."""
    guild = GuildBuilder(world, random_spec(rng)).build()
    backend = world.backend
    kinds = {0: "text", 2: "voice", 4: "category", 5: "announcement", 13: "stage", 15: "forum"}
    bot_role = next(role.id for role in guild.roles.values() if role.managed)
    scene = Scene(
        guild.id,
        guild.owner_id,
        world.bot_id,
        members=[user_id for user_id in guild.members if user_id != world.bot_id],
        roles=[role_id for role_id in guild.roles if role_id != guild.id],
    )
    assert bot_role in scene.roles
    for channel_id in guild.channel_ids:
        scene.channels.setdefault(kinds[int(backend.channels[channel_id].type)], []).append(channel_id)
    _threads(world, rng, scene)
    _messages(world, rng, scene)
    _leftovers(world, rng, scene)
    return scene


def _threads(world: World, rng: random.Random, scene: Scene) -> None:
    for parent_id in rng.sample(scene.of_kinds("text"), min(2, len(scene.of_kinds("text")))):
        private = rng.random() < 0.4
        body = {"name": "a thread", "type": 12 if private else 11}
        made = world.request_as(scene.owner_id, "POST", f"/channels/{parent_id}/threads", body)
        thread_id = int(made["id"])
        scene.threads.append(thread_id)
        for user_id in [*rng.sample(scene.members, 2), *([scene.bot_id] if rng.random() < 0.7 else [])]:
            world.backend.add_thread_member(thread_id, user_id)
        if rng.random() < 0.3:
            state = {"archived": rng.random() < 0.5, "locked": rng.random() < 0.7}
            world.request_as(scene.owner_id, "PATCH", f"/channels/{thread_id}", state)


def _messages(world: World, rng: random.Random, scene: Scene) -> None:
    for channel_id in [*scene.of_kinds("text", "announcement", "voice"), *scene.threads]:
        for _ in range(rng.randint(1, 3)):
            own_of = rng.choice(scene.members) if rng.random() < 0.5 else None
            author = scene.bot_id if own_of is not None or rng.random() < 0.3 else rng.choice(scene.members)
            message = world.backend.create_message(channel_id, author, f"words {rng.randrange(1000)}")
            scene.said.append(Said(channel_id, message.id, author, own_of))


def _leftovers(world: World, rng: random.Random, scene: Scene) -> None:
    """A ban, a webhook, an invite."""
    backend = world.backend
    stranger = backend.make_user("stranger")
    world.request_as(scene.owner_id, "PUT", f"/guilds/{scene.guild_id}/bans/{stranger.id}", {})
    scene.banned.append(stranger.id)
    for channel_id in rng.sample(scene.of_kinds("text"), min(2, len(scene.of_kinds("text")))):
        creator = scene.bot_id if rng.random() < 0.5 else rng.choice(scene.members)
        scene.webhook_channels[backend.create_webhook(channel_id, "a webhook", creator).id] = channel_id
        invite = backend.create_invite(channel_id, rng.choice(scene.members))
        scene.invites.append(invite.code)


def remember(world: World, scene: Scene) -> int:
    """The last thing that happens: who sees it has seen all. Gives the id of the channel that it is."""
    try:
        body = {"name": "last", "type": 0}
        made = world.request_as(scene.owner_id, "POST", f"/guilds/{scene.guild_id}/channels", body)
    except BackendError as error:
        raise RuntimeError("the owner may make a channel") from error
    scene.channels.setdefault("text", []).append(int(made["id"]))
    return int(made["id"])


def names(world: World, scene: Scene) -> dict[int, str]:
    """What the ids of a guild are called."""
    backend = world.backend
    guild = backend.guilds[scene.guild_id]
    found = {each.id: each.name for each in guild.roles.values()}
    found |= {user_id: backend.users[user_id].name for user_id in guild.members}
    for channel_id in [*guild.channel_ids, *guild.thread_ids]:
        found[channel_id] = f"#{backend.channels[channel_id].name}"
    for each in scene.said:
        by = "the bot" if each.author_id == scene.bot_id else found.get(each.author_id, "somebody")
        whose = f" for {found[each.own_of]}" if each.own_of is not None else ""
        found[each.message_id] = f"message of {by}{whose} in {found[each.channel_id]}"
    return {**found, scene.guild_id: "the guild"}
