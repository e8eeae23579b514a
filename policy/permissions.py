"""Discord's permission bits by discord.py's own names.

Source: https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag


class Bits(IntFlag):
    create_instant_invite = 1 << 0
    kick_members = 1 << 1
    ban_members = 1 << 2
    administrator = 1 << 3
    manage_channels = 1 << 4
    manage_guild = 1 << 5
    add_reactions = 1 << 6
    view_audit_log = 1 << 7
    priority_speaker = 1 << 8
    stream = 1 << 9
    view_channel = 1 << 10
    send_messages = 1 << 11
    send_tts_messages = 1 << 12
    manage_messages = 1 << 13
    embed_links = 1 << 14
    attach_files = 1 << 15
    read_message_history = 1 << 16
    mention_everyone = 1 << 17
    use_external_emojis = 1 << 18
    view_guild_insights = 1 << 19
    connect = 1 << 20
    speak = 1 << 21
    mute_members = 1 << 22
    deafen_members = 1 << 23
    move_members = 1 << 24
    use_voice_activation = 1 << 25
    change_nickname = 1 << 26
    manage_nicknames = 1 << 27
    manage_roles = 1 << 28
    manage_webhooks = 1 << 29
    manage_expressions = 1 << 30
    use_application_commands = 1 << 31
    request_to_speak = 1 << 32
    manage_events = 1 << 33
    manage_threads = 1 << 34
    create_public_threads = 1 << 35
    create_private_threads = 1 << 36
    use_external_stickers = 1 << 37
    send_messages_in_threads = 1 << 38
    use_embedded_activities = 1 << 39
    moderate_members = 1 << 40
    view_creator_monetization_analytics = 1 << 41
    use_soundboard = 1 << 42
    create_expressions = 1 << 43
    create_events = 1 << 44
    use_external_sounds = 1 << 45
    send_voice_messages = 1 << 46
    set_voice_channel_status = 1 << 48
    send_polls = 1 << 49
    use_external_apps = 1 << 50
    pin_messages = 1 << 51
    bypass_slowmode = 1 << 52


ALL = int(sum(Bits))
# As a plain int: an `&` with a flag goes through the enum's own code, which takes longer than all else of a check.
ADMINISTRATOR = int(Bits.administrator)

# Whoever holds one of these can take over or wreck a guild, or act on its members: granting one is never a plain write.
DANGEROUS = int(
    Bits.administrator
    | Bits.kick_members
    | Bits.ban_members
    | Bits.manage_channels
    | Bits.manage_guild
    | Bits.view_audit_log
    | Bits.manage_messages
    | Bits.mention_everyone
    | Bits.manage_roles
    | Bits.manage_webhooks
    | Bits.manage_expressions
    | Bits.manage_events
    | Bits.manage_threads
    | Bits.manage_nicknames
    | Bits.moderate_members
    | Bits.mute_members
    | Bits.deafen_members
    | Bits.move_members
)


def bits(*names: str) -> int:
    """The sum of the named bits. Raises KeyError for an unknown name."""
    value = 0
    for name in names:
        value |= Bits[name]
    return int(value)


def names_of(value: int) -> tuple[str, ...]:
    """The names of the bits that are set, lowest first; unknown bits are named ``bit_<n>``."""
    return tuple(_name(position) for position in range(value.bit_length()) if value >> position & 1)


def _name(position: int) -> str:
    member = _BY_POSITION.get(position)
    return member if member is not None else f"bit_{position}"


_BY_POSITION = {int(bit).bit_length() - 1: bit.name or "" for bit in Bits}


def missing(have: int, want: int) -> int:
    """The bits of ``want`` that ``have`` lacks; an administrator lacks none."""
    return 0 if have & ADMINISTRATOR else want & ~have


def join(values: Iterable[int]) -> int:
    total = 0
    for value in values:
        total |= value
    return total
