"""Random objects of a scene, and random values for arguments by their names."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping
from typing import Any

from tests.truth.worlds import IN_CHANNELS, POWERS, Scene

UNKNOWN_ID = 1000000000000000001
RARELY = 0.06


# --------------------------------------------------------------------- objects
def _messages(rng: random.Random, scene: Scene) -> str:
    return str(rng.choice(scene.said).message_id)


def _mentionable(rng: random.Random, scene: Scene) -> str:
    if rng.random() < 0.25:
        return rng.choice(["everyone", "here"])
    return str(rng.choice([*scene.members, *scene.roles]))


REFS: Mapping[str, Callable[[random.Random, Scene], str]] = {
    "guild": lambda rng, scene: str(scene.guild_id),
    "channel": lambda rng, scene: str(
        rng.choice([*scene.everywhere, *scene.everywhere, *scene.of_kinds("category"), *scene.threads])
    ),
    "category": lambda rng, scene: str(rng.choice(scene.of_kinds("category"))),
    "thread": lambda rng, scene: str(rng.choice(scene.threads or scene.everywhere)),
    "message": _messages,
    "member": lambda rng, scene: str(rng.choice([*scene.members, *scene.members, scene.bot_id])),
    "user": lambda rng, scene: str(rng.choice([*scene.banned, *scene.members])),
    "person": lambda rng, scene: str(rng.choice([*scene.banned, *scene.members, *scene.members])),
    "ban": lambda rng, scene: str(rng.choice([*scene.banned * 8, *scene.members])),
    "role": lambda rng, scene: str(rng.choice([*scene.roles, *scene.roles, scene.guild_id])),
    "mentionable": _mentionable,
    "webhook": lambda rng, scene: str(rng.choice([*scene.webhook_channels] or [UNKNOWN_ID])),
    "invite": lambda rng, scene: rng.choice(scene.invites or ["nowhere"]),
}

# ---------------------------------------------------------------------- values
Draw = Callable[[random.Random, Scene], Any]


def words(most: int) -> Draw:
    """Mostly a few words; sometimes at a boundary of what Discord takes, or beyond."""

    def draw(rng: random.Random, _: Scene) -> str:
        if rng.random() < RARELY:
            return rng.choice(["", " ", "x" * most, "x" * (most + 1), "é" * most])
        return " ".join(rng.choice(["tide", "harbor", "lamp", "rope"]) for _ in range(rng.randint(1, 4)))

    return draw


def number(low: int, high: int, *usual: int) -> Draw:
    """Mostly a usual one; sometimes at a boundary, or beyond."""

    def draw(rng: random.Random, _: Scene) -> int:
        return rng.choice([low - 1, low, high, high + 1]) if rng.random() < 2 * RARELY else rng.choice(usual or (low,))

    return draw


def channel_name(rng: random.Random, scene: Scene) -> str:
    if rng.random() < 0.02:
        return words(100)(rng, scene)
    return f"{rng.choice(['tide', 'harbor', 'lamp'])}-{rng.randrange(100)}"


def permission_names(rng: random.Random, _: Scene) -> list[str]:
    return rng.sample([*IN_CHANNELS, *POWERS[1:]], rng.randint(0, 3))


def moment(rng: random.Random, _: Scene) -> str:
    """Mostly within the 28 days of a timeout."""
    days = rng.choice([-1.0, 27.9, 29.0]) if rng.random() < RARELY else rng.uniform(0.01, 20)
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)).isoformat()


def address(rng: random.Random) -> str:
    return rng.choice(["ftp://example.com", "no url"]) if rng.random() < RARELY else "https://example.com/a"


def token(rng: random.Random, scene: Scene) -> str:
    return rng.choice([*scene.tokens] or ["mc_nowhere"]) if rng.random() > RARELY else "mc_nowhere"


def scopes(rng: random.Random, _: Scene) -> list[str]:
    named = ["read", "write", "messages:write", "channels:read"]
    return ["admin:policy"] if rng.random() < RARELY else ["?"] if rng.random() < RARELY else rng.sample(named, 2)


def toolsets(rng: random.Random, _: Scene) -> list[str]:
    return rng.sample(["messages", "channels", "roles", "administration" if rng.random() < RARELY else "members"], 2)


def tiers(rng: random.Random, _: Scene) -> dict[str, str]:
    """Mostly of a write that can be raised."""
    name = rng.choice(["message_send", "channel_edit", "role_create", "reaction_add"])
    if rng.random() < 2 * RARELY:
        name = rng.choice(["guild_list", "stellar_move", "member_kick"])
    return {name: rng.choice(["risky", "critical"] if rng.random() > RARELY else ["none"])}


def role_map(rng: random.Random, scene: Scene) -> dict[str, str]:
    role = str(rng.choice(scene.roles)) if rng.random() > RARELY else str(UNKNOWN_ID)
    return {role: rng.choice(["manager", "admin", "none", "member"])}


def case_number(rng: random.Random, scene: Scene) -> int:
    return rng.choice([*scene.cases] or [1]) if rng.random() > RARELY else 9_999


FIELDS: Mapping[str, Draw] = {
    "content": words(2000),
    "topic": words(1024),
    "reason": words(400),
    "allow": permission_names,
    "deny": permission_names,
    "permissions": permission_names,
    "grant": permission_names,
    "revoke": permission_names,
    "nickname": words(32),
    "until": moment,
    "since": moment,
    "contains": words(200),
    "avatar": lambda rng, _: None,
    "max_age_seconds": number(0, 604_800, 0, 3_600, 86_400),
    "max_uses": number(0, 100, 0, 1, 10),
    "auto_archive_minutes": lambda rng, _: rng.choice([60, 1440, 4320, 10080, 5]),
    "afk_timeout_seconds": lambda rng, _: rng.choice([60, 300, 900, 1800, 3600, 7]),
    "preferred_locale": lambda rng, _: rng.choice(["en-US", "de", "fr", "xx"]),
    "emoji": lambda rng, _: rng.choice(["\N{THUMBS UP SIGN}", "\N{WHITE HEAVY CHECK MARK}", "tide", "<:tide:1>"]),
    "slowmode_seconds": number(0, 21_600, 0, 5, 60),
    "bitrate": number(8_000, 96_000, 64_000, 48_000),
    "user_limit": number(0, 99, 0, 10),
    "duration_seconds": number(1, 28 * 86_400, 60, 3_600, 86_400),
    "delete_message_seconds": number(0, 604_800, 0, 3_600),
    "hours": number(1, 768, 1, 24),
    "color": number(0, 0xFFFFFF, 0, 0x336699),
    "url": lambda rng, _: address(rng),
    "image_url": lambda rng, _: address(rng),
    "thumbnail_url": lambda rng, _: address(rng),
}
# By operation and field, where the name alone would mislead.
ONLY_FOR: Mapping[tuple[str, str], Draw] = {
    ("case_edit", "case"): case_number,
    ("case_edit", "new_reason"): words(1_000),
    ("policy_set", "tiers"): tiers,
    ("policy_set", "role_map"): role_map,
    ("token_create", "name"): words(80),
    ("token_create", "scopes"): scopes,
    ("token_create", "toolsets"): toolsets,
    ("token_renew", "client"): token,
    ("token_revoke", "client"): token,
    ("guild_resume", "client"): token,
    ("channel_create", "name"): channel_name,
    ("channel_edit", "name"): channel_name,
    ("channel_permissions_edit", "clear"): permission_names,
    ("role_reorder", "position"): number(1, 6, 1, 2, 3, 4),
    ("role_create", "name"): words(100),
    ("role_modify", "name"): words(100),
    ("webhook_create", "name"): words(80),
    ("webhook_modify", "name"): words(80),
    ("thread_create", "name"): words(100),
    ("EmbedInput", "title"): words(256),
    ("EmbedInput", "description"): words(4096),
    ("EmbedInput", "footer"): words(2048),
    ("EmbedInput", "author"): words(256),
    ("EmbedField", "name"): words(256),
    ("EmbedField", "value"): words(1024),
    ("PollInput", "question"): words(300),
    ("PollInput", "answers"): lambda rng, scene: [words(55)(rng, scene) for _ in range(rng.choice([1, 2, 3, 10, 11]))],
    ("ButtonInput", "label"): words(80),
    ("FileInput", "name"): lambda rng, _: rng.choice(["a.txt", "b.png"]),
    ("FileInput", "data"): lambda rng, _: "aGVsbG8=" if rng.random() > RARELY else "no base64!",
    # A file behind an address is fetched by the product itself; tests/operations/test_file_fetch.py has those.
    ("FileInput", "url"): lambda rng, _: None,
}
ALWAYS = frozenset({("FileInput", "data"), ("EmbedInput", "description")})
LEFT_OUT = frozenset({"cursor", "idempotency_key", "dry_run", "plan_token"})
