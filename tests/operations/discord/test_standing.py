"""What a member may do by rights that discord.py or an old timeout would hide."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app import Place, Town, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

IN_THREADS_ONLY: dict[str, Any] = {
    "channels": [{"name": "general", "overwrites": [{"role": "Member", "deny": ["send_messages"]}]}],
    "everyone_permissions": ["view_channel", "send_messages_in_threads", "embed_links", "read_message_history"],
}


async def test_who_writes_in_threads_only_may_embed_there(town: Town) -> None:
    """discord.py takes embed_links from whoever may not send in the channel itself; a thread has rights of its own."""
    place = await town.place("Threads", **IN_THREADS_ONLY)
    thread = await place.thread("ada", "general", "tides")
    sent = await place.call(
        "message_send", "nina", channel=thread, embeds=[{"description": "high water"}], dry_run=False
    )
    assert sent.status == "done", sent
    outside = await place.call("message_send", "nina", channel=place.channel("general"), content="hi", dry_run=False)
    assert outside.code == "you_lack_permission"


async def test_an_administrator_is_not_kept_by_an_old_timeout(place: Place, town: Town) -> None:
    """The owner and administrators are exempt from timeouts.

    https://discord.com/developers/docs/topics/permissions#permissions-for-timed-out-members
    """
    await town.sandbox.control("timeout", guild=place.guild_id, user=int(place.member("nina")), seconds=3600)
    kept = await place.call("message_send", "nina", channel=place.channel("general"), content="hi")
    assert kept.status == "refused", kept
    roles = [int(place.role("Member")), int(place.role("Admin"))]
    await town.sandbox.control("set_roles", guild=place.guild_id, user=int(place.member("nina")), roles=roles)
    guild = town.core.state.source.cached(place.guild_id)
    assert guild is not None

    def promoted() -> bool:
        member = guild.get_member(int(place.member("nina")))
        return member is not None and member.is_timed_out() and member.guild_permissions.administrator

    await until(promoted, "the roles arrive")
    sent = await place.call("message_send", "nina", channel=place.channel("general"), content="hi", dry_run=False)
    assert sent.status == "done", sent


async def test_who_is_named_twice_is_notified_once(place: Place) -> None:
    """Discord refuses a list of mentions that names somebody twice."""
    twice = [place.member("bela"), place.member("bela")]
    sent = await place.sent("ada", "general", content=f"high water <@{twice[0]}>", ping=twice)
    message = next(each for each in await place.history("general") if each["id"] == sent)
    assert message["pinged"]["users"] == [place.member("bela")]
