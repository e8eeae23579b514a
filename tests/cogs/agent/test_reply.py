"""A reply grows by edits at the pace that is free, and what Discord refuses ends nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from cogs.agent.messenger import From, NotDelivered
from cogs.agent.reply import EditPace, Reply
from cogs.agent.reply_text import OwnLinks
from tests.app import until

HERE, DIRECT = 10, 99


@dataclass
class Channels:
    """What stands where. ``closed``: channels that take nothing; ``log``: what was done, in order."""

    stands: dict[int, str] = field(default_factory=dict[int, str])
    where: dict[int, int] = field(default_factory=dict[int, int])
    log: list[str] = field(default_factory=list[str])
    closed: set[int] = field(default_factory=set[int])
    dm_closed: bool = False

    async def send(self, sender: From, channel_id: int, text: str, *, nonce: str, reply_to: int | None = None) -> int:
        if channel_id in self.closed:
            raise NotDelivered("closed", closed=True)
        message_id = 1000 + len(self.stands)
        self.stands[message_id], self.where[message_id] = text, channel_id
        self.log.append(f"send {reply_to}")
        return message_id

    async def edit(self, sender: From, channel_id: int, message_id: int, text: str) -> None:
        if message_id not in self.stands:
            raise NotDelivered("deleted", closed=True)
        self.stands[message_id] = text
        self.log.append("edit")

    async def direct_channel(self, sender: From) -> int:
        if self.dm_closed:
            raise NotDelivered("no", closed=True)
        return DIRECT

    async def typing(self, sender: From, channel_id: int) -> None: ...

    def texts(self, channel_id: int = HERE) -> list[str]:
        return [text for message_id, text in self.stands.items() if self.where[message_id] == channel_id]


def reply(channels: Channels, free: int = 45) -> Reply:
    return Reply(
        channels,
        From("cl_abcdefghijklmnopq", 5, 7),
        EditPace(lambda: free),
        channel_id=HERE,
        reply_to=3,
        own_links=OwnLinks.of([], 5),
    )


@pytest.mark.parametrize(
    ("growing", "free", "seconds"), [(1, 45, 1.0), (30, 45, 2.0), (200, 45, 5.0), (1, 0, 5.0), (1, 1, 3.0)]
)
def test_edits_take_a_third_of_what_is_free(growing: int, free: int, seconds: float) -> None:
    pace = EditPace(lambda: free)
    pace.growing = growing
    assert pace.seconds() == pytest.approx(seconds)


async def test_the_first_sentence_is_shown_while_the_rest_is_written() -> None:
    channels = Channels()
    async with reply(channels) as growing:
        growing.add("Half a sen")
        growing.add("tence. And")
        await until(lambda: channels.texts() == ["Half a sentence. And"], "it stands there")
        growing.add(" more.")
        await growing.finish()
    assert channels.texts() == ["Half a sentence. And more."]
    assert channels.log == ["send 3", "edit"]


async def test_tools_at_work_are_one_quiet_line_that_text_takes_the_place_of() -> None:
    channels = Channels()
    async with reply(channels) as growing:
        growing.using(["message_list_recent", "role_list", "role_list"])
        await until(lambda: channels.texts() == ["-# using message list recent, role list …"], "it stands there")
        growing.add("Found it.")
        await growing.finish()
    assert channels.texts() == ["Found it."]


async def test_what_is_private_goes_to_the_requester_and_the_channel_is_told() -> None:
    channels = Channels()
    async with reply(channels) as growing:
        growing.add("Let me look.")
        await growing.go_private()
        growing.add("The secret.")
        await growing.finish()
    assert channels.texts(DIRECT) == ["The secret."]
    assert channels.texts() == [
        "Let me look.\n\n-# The rest holds what not everyone here can see. I sent it to you directly."
    ]


@pytest.mark.parametrize("shut", ["no channel", "no message"])
async def test_what_can_not_be_sent_privately_is_sent_nowhere(shut: str) -> None:
    channels = Channels(dm_closed=shut == "no channel", closed={DIRECT} if shut == "no message" else set())
    async with reply(channels) as growing:
        await growing.go_private()
        growing.add("The secret.")
        await growing.finish()
    assert channels.texts(DIRECT) == []
    (said,) = channels.texts()
    assert "did not let me write to you" in said


async def test_a_reply_that_was_deleted_is_not_written_again() -> None:
    channels = Channels()
    async with reply(channels) as growing:
        growing.add("First. ")
        await until(channels.texts, "it stands there")
        channels.stands.clear()
        growing.add("Second.")
        await growing.finish()
    assert channels.texts() == []


async def test_a_long_text_becomes_several_messages_and_only_the_first_one_answers() -> None:
    channels = Channels()
    async with reply(channels) as growing:
        growing.add("\n\n".join("word " * 100 for _ in range(10)))
        await growing.finish()
    assert len(channels.texts()) == 4
    assert [entry for entry in channels.log if entry.startswith("send")] == ["send 3", *["send None"] * 3]
