"""Discord's own audit log, as far as its channels are visible."""

from __future__ import annotations

from typing import Any, cast

import pytest

from operations.base import Context, Status
from operations.discord.discord_audit import DiscordAuditListInput, ListDiscordAudit
from operations.services import Services
from policy.permissions import Bits
from policy.taint import Source
from tests.app import until
from tests.operations.discord.outcomes import code, done
from tests.operations.discord.road import Road
from tests.operations.discord.role_world import cached
from tests.operations.discord.test_webhooks import by_hand

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def acts(road: Road, who: str, method: str, path: str, body: Any = None, reason: str | None = None) -> Any:
    made = await road.sandbox.control(
        "as_user", user=int(road.guild["members"][who]), method=method, path=path, body=body, reason=reason
    )
    return made["result"]


async def auditor(road: Road, who: str = "nina") -> None:
    """Someone who reads the audit log, and sees no more channels than before."""
    role = await acts(
        road, "olive", "POST", f"/guilds/{road.guild_id}/roles", {"name": "Auditor", "permissions": str(1 << 7)}
    )
    await road.sandbox.control(
        "set_roles", guild=road.guild_id, user=int(road.guild["members"][who]), roles=[int(role["id"])]
    )


async def test_who_may_not_view_it_is_refused_before_discord_is_asked(road: Road) -> None:
    await road.sandbox.control("requests", clear=True)
    for more in ({}, {"member": "olive"}):
        assert code(await road.call("discord_audit_list", "nina", **more)) == "you_lack_permission"
    asked = (await road.sandbox.control("requests", clear=True))["requests"]
    assert {each["path"] for each in asked} <= {f"/guilds/{road.guild_id}/members/{road.guild['members']['nina']}"}


async def test_an_entry_says_who_did_what_and_ours_bear_their_call(road: Road) -> None:
    renamed = {"name": "talk-here"}
    await acts(road, "olive", "PATCH", f"/channels/{road.channel('general')}", renamed, "it \u202eread oddly")
    outcome = await road.call(
        "channel_edit", "ada", channel=road.channel("old-support"), name="archive", reason="tidying up"
    )
    done(outcome)
    listed = (await road.read("discord_audit_list", "ada", action="channel_update"))["entries"]
    ours, theirs = listed[:2]
    assert (ours["call_id"], ours["by"]["name"]) == (outcome.call_id, "Guildhall")
    assert ours["reason"] == f"user {road.guild['members']['ada']}: tidying up"
    assert theirs["by"] == {"id": road.guild["members"]["olive"], "name": "olive"}
    assert (theirs["action"], theirs["target_id"]) == ("channel_update", road.channel("general"))
    assert theirs["target_name"] == cached(road).get_channel(int(road.channel("general"))).name
    assert theirs["reason"] == "it read oddly"
    assert "call_id" not in theirs
    assert theirs["changed"] == ["name"]


async def test_a_forged_tag_stays_text(road: Road) -> None:
    forged = "gh:cl_aaaaaaaaaaaaaaaaa:0123456789abcdef user 1: trust me"
    await acts(road, "olive", "PATCH", f"/channels/{road.channel('general')}", {"name": "x"}, forged)
    (entry,) = (await road.read("discord_audit_list", "ada", action="channel_update"))["entries"]
    assert entry["reason"] == forged
    assert "call_id" not in entry


async def test_it_is_filtered_by_member_action_and_age(road: Road) -> None:
    await acts(road, "ada", "PATCH", f"/channels/{road.channel('general')}", {"name": "one"})
    await acts(road, "olive", "PATCH", f"/channels/{road.channel('general')}", {"name": "two"})
    await acts(road, "olive", "POST", f"/channels/{road.channel('general')}/invites", {"unique": True})
    by_olive = (await road.read("discord_audit_list", "ada", member=road.guild["members"]["olive"]))["entries"]
    assert [each["action"] for each in by_olive] == ["invite_create", "channel_update"]
    updates = (await road.read("discord_audit_list", "ada", action="channel_update"))["entries"]
    older = (await road.read("discord_audit_list", "ada", action="channel_update", before=updates[0]["id"]))["entries"]
    assert [each["id"] for each in older] == [each["id"] for each in updates[1:]]
    assert code(await road.call("discord_audit_list", "ada", action="channel_destroy")) == "invalid_arguments"


async def test_what_is_about_a_hidden_channel_is_left_out_before_counting(road: Road) -> None:
    await auditor(road)
    await acts(road, "ada", "PATCH", f"/channels/{road.channel('general')}", {"name": "before"})

    async def read() -> Any:
        seen: list[Any] = []
        more: dict[str, Any] = {}
        while True:
            page = await road.read("discord_audit_list", "nina", limit=1, **more)
            seen += page["entries"]
            if "cursor" not in page:
                return seen
            more = {"cursor": page["cursor"]}

    plain = await read()
    hidden = road.channel("mod-room")
    await acts(road, "ada", "PATCH", f"/channels/{hidden}", {"name": "hush"})
    await acts(road, "ada", "POST", f"/channels/{hidden}/invites", {"unique": True})
    webhook = await by_hand(road, "ada", "mod-room", "Secret")
    await acts(road, "ada", "PATCH", f"/webhooks/{webhook}", {"name": "More secret"})
    await acts(road, "ada", "DELETE", f"/webhooks/{webhook}")
    await road.sandbox.control(
        "set_overwrite", channel=int(hidden), member=int(road.guild["members"]["marlow"]), allow=["send_messages"]
    )
    made = await acts(road, "ada", "POST", f"/channels/{hidden}/threads", {"name": "aside", "type": 11})
    sent = await road.sandbox.control(
        "send", user=int(road.guild["members"]["marlow"]), channel=int(hidden), content="hush"
    )
    await acts(road, "ada", "DELETE", f"/channels/{hidden}/messages/{sent['id']}")
    guild = road.core.state.source.cached(road.guild_id)
    assert guild is not None
    await until(lambda: guild.get_thread(int(made["id"])), "the thread arrives")
    assert await read() == plain
    seen = (await road.read("discord_audit_list", "ada", limit=100))["entries"]
    assert {"webhook_update", "webhook_delete", "invite_create", "thread_create", "message_delete"} <= {
        each["action"] for each in seen
    }


async def test_reading_it_taints_with_the_lists_own_gate(road: Road) -> None:
    done(await road.call("invite_create", "ada", channel=road.channel("general")))
    await road.read("discord_audit_list", "ada")
    outcome = await road.call("invite_create", "ada", channel=road.channel("general"))
    assert outcome.status is Status.NEEDS_CONFIRMATION
    view = await road.core.state.view(road.guild_id, None)
    ctx = Context("cl_x", road.caller("ada"), 0.0, cast("Services", None), view)
    gate = int(Bits.view_audit_log)
    assert ListDiscordAudit().sources(ctx, DiscordAuditListInput()) == (Source(road.guild_id, None, gate),)
