"""What slash commands and their buttons must not do: whoever presses, copies, looks or pings."""

from __future__ import annotations

import dataclasses

import discord
import pytest

from cogs import texts
from cogs.slash.answering import row
from cogs.slash.autocomplete import Autocompletes
from cogs.slash.button_ids import ButtonId, ButtonIds
from operations.ledger import phase
from policy.model import Face
from storage.calls import CallState
from tests.app import Place, until
from tests.cogs.approving import state_of
from tests.cogs.slashing import Told, channel, presses, role, user, uses

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def copied(place: Place, custom_id: str) -> Told:
    """A message of the bot's own in #general that bears this custom id, as if somebody had got it there."""
    client, channel_id = place.town.core.client, int(place.channel("general"))
    button = discord.ui.Button[discord.ui.View](label="Confirm", custom_id=custom_id)
    with phase("system", "cl_copied"):
        made = await client.get_partial_messageable(channel_id, guild_id=place.guild_id).send(
            "look", view=row(button), allowed_mentions=discord.AllowedMentions.none()
        )
    message = next(each for each in await place.history("general") if each["id"] == str(made.id))
    return Told({"message": message}, str(channel_id))


async def labels(place: Place, who: str, kind: str) -> list[str]:
    """What this member is offered of a kind, with nothing written yet."""
    core = place.town.core
    offers = Autocompletes(core.registry, core.executor, core.desk, core.callers, core.state)
    caller = core.callers.of_member(place.guild_id, int(place.member(who)), Face.SLASH)
    assert caller is not None
    return [offer.label for offer in await offers.found(kind, caller, place.guild_id)]


async def waiting(place: Place) -> tuple[Told, str]:
    told = await uses(place, "ada", "channel delete", channel=channel(place, "news"))
    found = ButtonId.parse(told.custom_id("Confirm"))
    assert found is not None
    return told, found.subject


async def test_a_copied_button_serves_nobody_else(place: Place) -> None:
    told, plan_id = await waiting(place)
    shown = await copied(place, told.custom_id("Confirm"))
    # Also the guild's owner, who might approve it: the press is not his.
    assert (await presses(place, "olive", shown, "Confirm")).text == texts.NOT_YOUR_BUTTON
    assert await state_of(place, plan_id, "ada") is CallState.PENDING


async def test_a_changed_custom_id_counts_for_nothing(place: Place) -> None:
    told, plan_id = await waiting(place)
    found = ButtonId.parse(told.custom_id("Confirm"))
    assert found is not None
    olive = int(place.member("olive"))
    for custom_id in (
        f"gs:{found.press}:{found.subject}:{olive}:{found.mac}",
        f"gs:ok:{found.subject}:{found.user_id}:{found.mac}",
        f"gs:{found.press}:{found.subject[:-1]}q:{found.user_id}:{found.mac}",
        "gs:something that an older version made",
    ):
        shown = await copied(place, custom_id)
        for who in ("olive", "ada"):
            assert (await presses(place, who, shown, "Confirm")).text == texts.OLD_BUTTON, custom_id
    assert await state_of(place, plan_id, "ada") is CallState.PENDING


async def test_a_button_of_another_guild_counts_for_nothing(place: Place, elsewhere: Place) -> None:
    told, _ = await waiting(place)
    ids = ButtonIds(place.town.core.database.keyring)
    found = ButtonId.parse(told.custom_id("Confirm"))
    assert found is not None
    assert ids.verify(found, place.guild_id)
    assert not ids.verify(found, elsewhere.guild_id)
    assert not ids.verify(dataclasses.replace(found, mac="0" * 32), place.guild_id)


async def test_who_has_lost_the_right_meanwhile_confirms_nothing(place: Place) -> None:
    told = await uses(place, "marlow", "channel delete", channel=channel(place, "news"))
    held = f"/guilds/{place.id}/members/{place.member('marlow')}/roles/{place.role('Moderator')}"
    await place.by_hand("ada", "DELETE", held)
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None

    def is_plain() -> bool:
        marlow = guild.get_member(int(place.member("marlow")))
        return marlow is not None and len(marlow.roles) == 1

    await until(is_plain, "the bot hears of it")
    said = await presses(place, "marlow", told, "Confirm", "news")
    assert said.text.startswith("**Not done.**"), said.text
    assert "news" in await place.channels()


async def test_a_message_in_a_hidden_channel_answers_like_one_that_is_not(place: Place) -> None:
    secret = await place.says("ada", "vault", "secret")
    told: list[str] = []
    for channel_id in (place.channel("vault"), "123456789012345678"):
        link = f"https://discord.com/channels/{place.id}/{channel_id}/{secret}"
        told.append((await uses(place, "marlow", "message delete", message=link)).text)
    assert told[0] == told[1]
    assert told[0].startswith("**Not done.** No message that you can see matches"), told
    assert "Copy Message Link" in told[0]
    assert [each["id"] for each in await place.history("vault")] == [secret]


async def test_autocompletion_offers_what_one_sees_alone(place: Place) -> None:
    """Two worlds that differ in what is hidden are offered alike."""
    kinds = ("channel", "category", "thread", "plan", "call")
    seen = {kind: await labels(place, "nina", kind) for kind in kinds}
    assert "general" in seen["channel"]
    assert not {"mod-room", "vault"} & set(seen["channel"])
    assert not {"Staff", "Cellar"} & set(seen["category"])
    assert {"mod-room", "vault"} <= set(await labels(place, "ada", "channel"))
    await place.thread("ada", "mod-room", "secret")
    await place.thread("ada", "general", "private", private=True)
    await uses(place, "ada", "channel delete", channel=channel(place, "vault"))
    assert {kind: await labels(place, "nina", kind) for kind in kinds} == seen


async def test_who_may_not_see_bans_is_offered_none(place: Place) -> None:
    assert await labels(place, "ada", "ban") == []
    await place.by_hand("ada", "PUT", f"/guilds/{place.id}/bans/{place.member('bela')}")
    assert await labels(place, "olive", "ban") == ["bela"]
    for who in ("nina", "marlow"):
        assert await labels(place, who, "ban") == []


async def test_nothing_that_others_wrote_pings_or_formats(place: Place) -> None:
    nasty = "@everyone <@&1> **x** ``` [a](https://evil.example)"
    told = await uses(place, "ada", "channel create", name="pottery", topic=nasty)
    assert told.text.startswith("**Done:**"), told.text
    message = told.message
    stands = [each for each in await place.history("general") if each["id"] == message["id"]]
    assert stands[0]["pinged"] == {"everyone": False, "users": [], "roles": []}
    outside = told.text.split("```")[::2]
    assert "everyone" not in "".join(outside)
    preview = await uses(place, "ada", "channel edit", channel=channel(place, "general"), topic=nasty, preview=True)
    assert preview.text.count("```") == 2
    assert "evil" not in "".join(preview.text.split("```")[::2])


async def test_what_a_person_reads_by_command_taints_none_of_his_clients(place: Place) -> None:
    await uses(place, "ada", "channel show", channel=channel(place, "general"))
    assert not (await place.done("whoami", "ada"))["tainted"]


async def test_a_viewer_changes_nothing(place: Place) -> None:
    told = await uses(place, "wren", "message send", content="hello")
    assert told.text.startswith("**Not done.**"), told.text


async def test_a_role_above_ones_own_is_refused_with_what_would_help(place: Place) -> None:
    told = await uses(place, "marlow", "role assign", member=user(place, "nina"), role=role(place, "Admin"))
    assert told.text.startswith("**Not done.**"), told.text
    guild = (await place.world())["guild"]
    (nina,) = [each for each in guild["members"] if each["id"] == place.member("nina")]
    assert place.role("Admin") not in nina["roles"]
