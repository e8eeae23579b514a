from __future__ import annotations

import datetime

import discord
import pytest

from sandbox import internals
from sandbox.internals import Backend, trim, verify
from sandbox.world import World


def test_the_self_check_names_what_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    verify()
    monkeypatch.setattr(internals, "SUPPORTED_VERSION", "0.0.1")
    monkeypatch.delattr("simcord.backend.ops.messages.MessageMixin.prepare_message")
    with pytest.raises(RuntimeError, match=r"0\.0\.1 is expected.*Backend\.prepare_message is gone"):
        verify()


def test_what_is_made_at_a_past_moment_carries_that_moments_id_and_timestamp() -> None:
    world = World()
    moment = datetime.datetime(2024, 5, 17, 8, 30, tzinfo=datetime.UTC)
    with world.clock.at(moment):
        guild = world.backend.create_guild("Old")
        channel = world.backend.create_channel(guild.id, "general")
        message = world.backend.create_message(channel.id, guild.owner_id, "hello")
    assert message.timestamp == moment.isoformat()
    assert discord.utils.snowflake_time(message.id) == moment
    assert world.clock.now() > moment


def test_trimming_keeps_the_newest_messages_and_forgets_the_files_of_the_others() -> None:
    world = World()
    backend: Backend = world.backend
    guild = backend.create_guild("Long Running")
    channel = backend.create_channel(guild.id, "general")
    made = [
        backend.create_message(
            channel.id,
            guild.owner_id,
            str(number),
            attachments=backend.store_attachments(channel.id, [(f"{number}.txt", b"x")]),
        )
        for number in range(10)
    ]
    urls = [str(message.attachments[0]["url"]) for message in made]
    for _ in range(2):  # what is gone stays gone, and ids stay unique
        trim(backend, messages_per_channel=3, audit_entries=1, expired_before=backend.now_iso())
    assert sorted(backend.messages[channel.id]) == [message.id for message in made[-3:]]
    assert [internals.cdn_blob(backend, url) for url in (urls[0], urls[-1])] == [None, b"x"]
    later = backend.create_message(channel.id, guild.owner_id, "later")
    assert later.id > made[-1].id


def test_logs_of_simcord_are_capped() -> None:
    world = World()
    guild = world.backend.create_guild("Chatty")
    channel = world.backend.create_channel(guild.id, "general")
    for number in range(600):
        world.backend.create_message(channel.id, guild.owner_id, str(number))
        world.request("GET", f"/channels/{channel.id}")
    assert len(world.backend.transcript) == 500
    assert len(world.backend.http_requests) == 500
