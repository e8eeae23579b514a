"""Overwrites without a guild: models, bits, needs."""

from __future__ import annotations

import discord
import pytest
from pydantic import ValidationError

from operations.discord.channel_create import ChannelCreateEffect
from operations.discord.channel_delete import ChannelDeleteEffect
from operations.discord.channel_edit import ChannelEditEffect
from operations.discord.overwrites import (
    OverwriteInput,
    ResolvedOverwrite,
    named_bits,
    need_for_new_channel,
    overwrite_changes,
    overwrite_problems,
)
from policy.model import Target
from policy.permissions import ALL, Bits

GUILD = Target("guild", 1, 1, "Harbor")
MODS = Target("role", 2, 1, "Mods")


def test_an_overwrite_is_for_one_role_or_one_member() -> None:
    for given in ({}, {"role": "Mods", "member": "ada"}):
        with pytest.raises(ValidationError, match="either role or member"):
            OverwriteInput.model_validate(given)


def test_an_unknown_permission_is_named_in_the_error() -> None:
    with pytest.raises(ValidationError, match="view_channels"):
        OverwriteInput.model_validate({"role": "Mods", "allow": ["view_channels"]})


def test_every_bit_that_is_allowed_or_denied_counts() -> None:
    given = [
        OverwriteInput(role="Mods", allow=("view_channel",)),
        OverwriteInput(role="@everyone", deny=("send_messages", "view_channel")),
    ]
    assert named_bits(given) == Bits.view_channel | Bits.send_messages


def test_overwrites_of_a_new_channel_need_manage_roles_and_the_bits_themselves() -> None:
    need = need_for_new_channel(GUILD, int(Bits.send_messages))
    assert need.bot_bits == need.actor_bits == Bits.manage_roles
    assert need.grants == Bits.send_messages


def test_manage_roles_in_an_overwrite_of_a_new_channel_needs_an_administrator() -> None:
    need = need_for_new_channel(GUILD, int(Bits.manage_roles))
    assert need.bot_bits == need.actor_bits == Bits.manage_roles | Bits.administrator


def test_a_bit_both_allowed_and_denied_and_a_subject_named_twice_are_problems() -> None:
    both = ResolvedOverwrite(subject=MODS, allow=int(Bits.connect), deny=int(Bits.connect | Bits.speak))
    assert len(overwrite_problems([both])) == 1
    twice = ResolvedOverwrite(subject=MODS, allow=int(Bits.connect))
    assert overwrite_problems([twice]) == ()
    assert len(overwrite_problems([twice, twice])) == 1


def test_changes_name_permissions_and_disarm_names() -> None:
    hostile = Target("role", 3, 1, "@everyone\n`**")
    (change,) = overwrite_changes([ResolvedOverwrite(subject=hostile, deny=int(Bits.view_channel))])
    assert change.after == {"allow": [], "deny": ["view_channel"]}
    assert "`" not in change.target
    assert "\n" not in change.target
    assert "@everyone" not in change.target.removeprefix("role 3 @")


def test_discord_py_knows_every_bit_so_none_is_lost_on_the_way() -> None:
    assert discord.Permissions(ALL).value == ALL
    for bit in Bits:
        allow, deny = discord.PermissionOverwrite.from_pair(
            discord.Permissions(int(bit)), discord.Permissions.none()
        ).pair()
        assert (allow.value, deny.value) == (int(bit), 0)


def test_effects_survive_their_storage_exactly() -> None:
    category = Target("channel", (1 << 62) + 1, 1, "Talk")
    quiet = ResolvedOverwrite(subject=MODS, deny=int(Bits.send_messages))
    effects = (
        ChannelCreateEffect(name="quiet", type="voice", user_limit=5, category=category, overwrites=(quiet,)),
        ChannelEditEffect(channel=category, type="text", topic="", moves=True, category=None),
        ChannelDeleteEffect(channel=category, type="category"),
    )
    for effect in effects:
        assert type(effect).model_validate_json(effect.model_dump_json()) == effect
