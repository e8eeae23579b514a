"""A guild's policy by slash command: who may tighten it, who may loosen it, and what each is told."""

from __future__ import annotations

from typing import Any

import pytest

from operations.base import Status
from policy.model import PlatformRole, Step, Tier
from policy.rules import GuildRules
from tests.administering import asked, by_hand, confirmed, done, pressed, refused
from tests.app import Place, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


def rules(place: Place) -> GuildRules:
    return place.town.core.facts.snapshot.guild_rules.get(place.installation_id, GuildRules())


# ---------------------------------------------------------------- tightening
async def test_a_manager_tightens_at_once(place: Place) -> None:
    await place.set_role("marlow", PlatformRole.MANAGER)
    result = await done(
        place,
        "policy_set",
        "marlow",
        write="confirm",
        destroy="deny",
        tiers={"channel_create": "critical"},
        record_reads=True,
    )
    assert result["changed"] == ["write", "destroy", "tier of channel_create", "record_reads"]
    assert result["loosened"] == []
    found = rules(place)
    assert (found.rules.write, found.rules.destroy, found.record_reads) == ("confirm", "deny", True)
    assert found.tiers == {"channel_create": "critical"}
    [intent, confirmed_, outcome] = await place.audited(operation="policy_set")
    assert (intent.entry, confirmed_.status, outcome.status) == ("intent", "confirmed", "done")
    assert str(intent.user_id) == place.member("marlow")


async def test_what_is_not_named_stays(place: Place) -> None:
    await done(place, "policy_set", write="confirm", tiers={"message_send": "risky"})
    await done(place, "policy_set", destroy="confirm", tiers={"channel_edit": "critical"})
    assert rules(place) == GuildRules.model_validate(
        {
            "rules": {"write": "confirm", "destroy": "confirm"},
            "tiers": {"message_send": "risky", "channel_edit": "critical"},
        }
    )


@pytest.mark.parametrize("who", ["nina", "wren", "marlow"])
async def test_a_plain_member_a_viewer_and_a_moderator_without_a_role_are_told_which_role_it_takes(
    place: Place, who: str
) -> None:
    refusal = await refused(place, "policy_set", who, write="deny")
    assert (refusal.step, refusal.code) == (Step.SCOPE, "role")
    assert refusal.reason == "policy_set needs the workspace role manager or higher."
    assert refusal.remedy == "Ask an admin of the workspace for that role."
    assert rules(place) == GuildRules()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "Nothing would change; it is so already."),
        ({"write": "allow"}, "Nothing would change; it is so already."),
        ({"tiers": {"whoami": "risky"}}, "whoami is not an operation that writes"),
        ({"tiers": {"fly_away": "risky"}}, "fly_away is not an operation that writes"),
        ({"tiers": {"member_ban": "risky"}}, "member_ban is critical by itself; risky would raise nothing."),
        ({"tiers": {"message_send": "none"}}, "The tier of message_send is not raised"),
        ({"role_map": {"100000000000000001": "viewer"}}, "100000000000000001 is not a role of this guild."),
        ({"four_eyes": True}, "set one first (approvals_channel_set)"),
    ],
)
async def test_what_nobody_can_mean_is_refused_in_words(place: Place, arguments: dict[str, Any], says: str) -> None:
    refusal = await refused(place, "policy_set", **arguments)
    assert says in refusal.reason
    assert rules(place) == GuildRules()


async def test_a_wrong_argument_says_what_to_write(place: Place) -> None:
    refusal = await refused(place, "policy_set", write="maybe")
    assert refusal.code == "invalid_arguments"
    assert "write" in refusal.reason
    assert "confirm" in refusal.reason


# ----------------------------------------------------------------- loosening
async def test_loosening_takes_a_workspace_admin_who_is_administrator_in_discord_and_a_press(place: Place) -> None:
    await place.set_rules(rules={"write": "deny"}, tiers={"message_send": "critical"})
    await place.set_role("marlow", PlatformRole.ADMIN)  # no administrator in Discord
    await place.set_role("ada", PlatformRole.MANAGER)  # administrator in Discord, no admin here
    loosening: dict[str, Any] = {"write": "allow", "tiers": {"message_send": "none"}}
    refusal = await refused(place, "policy_set", "marlow", **loosening)
    assert (refusal.step, refusal.code) == (Step.DISCORD, "you_lack_permission")
    assert "administrator" in refusal.reason
    refusal = await refused(place, "policy_set", "ada", **loosening)
    assert (refusal.step, refusal.code) == (Step.SCOPE, "role")
    assert "admin" in refusal.reason
    await place.set_role("ada", PlatformRole.ADMIN)
    waiting = await asked(place, "policy_set", "ada", **loosening)
    assert waiting.tier is Tier.CRITICAL
    assert waiting.preview is not None
    assert waiting.preview.summary == (
        "LOOSENS THE POLICY of Harbor (write from deny to allow; the tier of message_send from critical to unset): "
        "Set write, tier of message_send"
    )
    assert rules(place).rules.write == "deny"
    outcome = await pressed(place, waiting, "ada", typed="another name")
    assert outcome.refusal is not None
    assert outcome.refusal.code == "wrong_name"
    outcome = await pressed(place, waiting, "ada")
    assert outcome.status is Status.DONE
    assert rules(place) == GuildRules()


async def test_what_changed_meanwhile_refuses_the_plan_and_says_what(place: Place) -> None:
    await place.set_rules(rules={"write": "deny"})
    waiting = await asked(place, "policy_set", write="allow")
    await done(place, "policy_set", tiers={"message_send": "risky"})
    outcome = await pressed(place, waiting)
    assert outcome.refusal is not None
    assert outcome.refusal.code == "changed_since"
    assert "tiers" in outcome.refusal.reason
    assert rules(place).rules.write == "deny"


async def test_rights_lost_between_asking_and_pressing_refuse_it(place: Place) -> None:
    await place.set_rules(rules={"write": "deny"})
    await place.set_role("ada", PlatformRole.ADMIN)
    waiting = await asked(place, "policy_set", "ada", write="allow")
    await place.set_role("ada", PlatformRole.MANAGER)
    assert (await pressed(place, waiting, "ada", typed="Harbor")).status is Status.REFUSED
    assert rules(place).rules.write == "deny"


async def test_a_guild_that_denies_everything_can_be_opened_again(place: Place) -> None:
    """The rules are no rules for administration: else nobody could ever take them back."""
    await done(place, "policy_set", read="deny", write="deny", destroy="deny")
    assert (await done(place, "policy_get"))["rules"] == {"read": "deny", "write": "deny", "destroy": "deny"}
    await confirmed(place, "policy_set", read="allow", write="allow", destroy="allow")
    assert rules(place) == GuildRules()


async def test_a_role_map_makes_admins_of_a_role_and_is_critical(place: Place) -> None:
    role = place.role("Admin")
    refusal = await refused(place, "policy_set", "ada", role_map={role: "admin"})
    assert refusal.code == "role"
    await confirmed(place, "policy_set", "olive", role_map={role: "admin"})
    await place.set_rules(**(rules(place).model_dump() | {"rules": {"write": "deny"}}))
    await confirmed(place, "policy_set", "ada", write="allow")
    assert rules(place).rules.write == "allow"


async def test_everybody_mapped_to_viewer_is_tightening(place: Place) -> None:
    await done(place, "policy_set", role_map={place.id: "viewer"})
    answer = await place.call("message_send", "nina", channel=place.channel("general"), content="hi")
    assert answer.data["step"] == "scope"


# ------------------------------------------------------------------- undoing
async def test_undoing_restores_what_was_and_is_judged_as_the_direct_change(place: Place) -> None:
    await place.set_role("marlow", PlatformRole.MANAGER)
    role = place.role("Member")
    outcome = await by_hand(
        place, "policy_set", "marlow", write="deny", tiers={"message_send": "risky"}, role_map={role: "viewer"}
    )
    assert outcome.status is Status.DONE
    refusal = await refused(place, "audit_revert", "marlow", call=outcome.call_id)
    assert refusal.code == "role"
    waiting = await asked(place, "audit_revert", "olive", call=outcome.call_id)
    assert waiting.tier is Tier.CRITICAL
    assert (await pressed(place, waiting)).status is Status.DONE
    assert rules(place) == GuildRules()


# ------------------------------------------------------- approvers, channels
async def test_approvers_are_set_from_nothing_by_an_admin_and_moved_by_a_critical_plan(place: Place) -> None:
    moderator, member = place.role("Moderator"), place.role("Member")
    assert (await refused(place, "approvers_set", "nina", roles=[moderator])).code == "role"
    await done(place, "approvers_set", roles=[moderator])
    assert rules(place).approver_role_ids == (int(moderator),)
    waiting = await asked(place, "approvers_set", roles=[moderator, member])
    assert waiting.tier is Tier.CRITICAL
    assert waiting.preview is not None
    assert "the approver roles, which are set already" in waiting.preview.summary
    assert (await pressed(place, waiting)).status is Status.DONE
    assert rules(place).approver_role_ids == tuple(sorted((int(moderator), int(member))))
    await confirmed(place, "approvers_set", roles=[])
    assert rules(place).approver_role_ids == ()


async def test_everyone_is_no_approver(place: Place) -> None:
    assert "pick other roles" in (await refused(place, "approvers_set", roles=[place.id])).reason


async def test_an_approvals_channel_is_set_moved_and_taken_away(place: Place) -> None:
    await done(place, "approvals_channel_set", channel=place.channel("mod-room"))
    waiting = await asked(place, "approvals_channel_set", channel=place.channel("general"))
    outcome = await pressed(place, waiting)
    assert outcome.status is Status.DONE
    assert rules(place).approvals_channel_id == int(place.channel("general"))
    await confirmed(place, "approvals_channel_set", off=True)
    assert rules(place).approvals_channel_id is None


async def test_a_deleted_approvals_channel_counts_as_none(place: Place) -> None:
    await done(place, "approvals_channel_set", channel=place.channel("mod-room"))
    await place.by_hand("olive", "DELETE", f"/channels/{place.channel('mod-room')}")
    guild = place.town.core.state.source.cached(place.guild_id)
    assert guild is not None
    await until(lambda: guild.get_channel(int(place.channel("mod-room"))) is None, "the deletion arrives")
    shown = await done(place, "policy_get")
    assert shown["approvals_channel"] == {"id": place.channel("mod-room"), "note": "It no longer exists."}
    await done(place, "approvals_channel_set", channel=place.channel("general"))


@pytest.mark.parametrize(
    ("channel", "says"),
    [("Talk", "not a channel that messages are sent to"), ("help", "not a channel that messages are sent to")],
)
async def test_a_channel_that_takes_no_cards_is_refused(place: Place, channel: str, says: str) -> None:
    for operation in ("approvals_channel_set", "log_channel_set"):
        assert says in (await refused(place, operation, channel=place.channel(channel))).reason


async def test_a_channel_that_is_closed_to_the_bot_is_refused_with_what_it_lacks(town: Any) -> None:
    closed = [{"role": "Guildhall", "deny": ["send_messages", "embed_links"]}]
    place: Place = await town.place(channels=[{"name": "general"}, {"name": "quiet", "overwrites": closed}])
    refusal = await refused(place, "log_channel_set", channel=place.channel("quiet"))
    assert "I lack" in refusal.reason
    assert "embed_links" in refusal.reason


async def test_a_manager_sets_the_log_channel_and_moving_it_is_an_admins(place: Place) -> None:
    await place.set_role("marlow", PlatformRole.MANAGER)
    await done(place, "log_channel_set", "marlow", channel=place.channel("mod-room"))
    assert rules(place).log_channel_id == int(place.channel("mod-room"))
    refusal = await refused(place, "log_channel_set", "marlow", off=True)
    assert refusal.code == "role"
    await confirmed(place, "log_channel_set", off=True)
    assert rules(place).log_channel_id is None


async def test_a_channel_or_none_must_be_given(place: Place) -> None:
    for given in ({}, {"channel": place.channel("general"), "off": True}):
        assert "off=true" in (await refused(place, "log_channel_set", **given)).reason


async def test_a_channel_that_one_cannot_see_is_unknown(place: Place) -> None:
    await place.set_role("marlow", PlatformRole.ADMIN)
    for operation in ("approvals_channel_set", "log_channel_set", "chat_channel_allow"):
        hidden = await refused(place, operation, "marlow", channel=place.channel("vault"))
        nowhere = await refused(place, operation, "marlow", channel="1000000000000000001")
        assert hidden == nowhere


# ----------------------------------------------------------------- four eyes
async def test_four_eyes_is_lifted_by_two_people(place: Place) -> None:
    await done(place, "approvals_channel_set", channel=place.channel("mod-room"))
    await done(place, "policy_set", four_eyes=True)
    await place.set_role("ada", PlatformRole.ADMIN)
    waiting = await asked(place, "policy_set", "olive", four_eyes=False)
    alone = await pressed(place, waiting, "olive")
    assert alone.refusal is not None
    assert alone.refusal.code == "four_eyes"
    assert (await pressed(place, waiting, "ada")).status is Status.DONE
    assert not rules(place).four_eyes


async def test_with_four_eyes_the_approvals_channel_stays(place: Place) -> None:
    await done(place, "approvals_channel_set", channel=place.channel("mod-room"))
    await done(place, "policy_set", four_eyes=True)
    assert "turn that off first" in (await refused(place, "approvals_channel_set", off=True)).reason


# ------------------------------------------------------------------ channels
async def test_a_channels_policy_is_tightened_by_a_manager_and_loosened_by_an_admin(place: Place) -> None:
    general = place.channel("general")
    await place.set_role("marlow", PlatformRole.MANAGER)
    result = await done(place, "channel_policy_set", "marlow", channel=general, write="deny")
    assert result["rules"] == {"read": "allow", "write": "deny", "destroy": "allow"}
    answer = await place.call("message_send", "nina", channel=general, content="hi")
    assert (answer.data["step"], answer.code) == ("channel", "denied_by_policy")
    assert (await refused(place, "channel_policy_set", "marlow", channel=general, write="confirm")).code == "role"
    waiting = await asked(place, "channel_policy_set", channel=general, clear=True)
    assert waiting.preview is not None
    assert waiting.preview.summary.startswith("LOOSENS THE POLICY of Harbor (write from deny to allow): Set write")
    outcome = await pressed(place, waiting, typed="general")
    assert outcome.status is Status.DONE
    assert place.town.core.facts.snapshot.channel_rules.get((place.installation_id, int(general))) is None
    assert (await place.call("message_send", "nina", channel=general, content="hi")).status == "preview"


async def test_a_categorys_policy_holds_in_its_channels(place: Place) -> None:
    await done(place, "channel_policy_set", channel=place.channel("Talk"), destroy="deny")
    answer = await place.call("channel_delete", "ada", channel=place.channel("general"))
    assert answer.code == "denied_by_policy"


async def test_rules_or_none_must_be_given_for_a_channel(place: Place) -> None:
    general = place.channel("general")
    for given in ({}, {"clear": True, "write": "deny"}):
        assert "clear=true" in (await refused(place, "channel_policy_set", channel=general, **given)).reason


async def test_a_channels_policy_that_changed_meanwhile_refuses(place: Place) -> None:
    general = place.channel("general")
    await done(place, "channel_policy_set", channel=general, write="deny")
    waiting = await asked(place, "channel_policy_set", channel=general, write="allow")
    await done(place, "channel_policy_set", channel=general, destroy="deny")
    outcome = await pressed(place, waiting)
    assert outcome.refusal is not None
    assert (outcome.refusal.code, "destroy" in outcome.refusal.reason) == ("changed_since", True)


async def test_undoing_a_channels_policy_restores_it(place: Place) -> None:
    general = place.channel("general")
    outcome = await by_hand(place, "channel_policy_set", channel=general, write="deny", destroy="confirm")
    await confirmed(place, "audit_revert", call=outcome.call_id)
    assert place.town.core.facts.snapshot.channel_rules.get((place.installation_id, int(general))) is None


# -------------------------------------------------------------------- showing
async def test_a_guild_with_nothing_set_up_shows_what_holds(place: Place) -> None:
    assert await done(place, "policy_get") == {
        "guild_id": place.id,
        "rules": {"read": "allow", "write": "allow", "destroy": "allow"},
        "tiers": {},
        "role_map": [],
        "four_eyes": False,
        "record_reads": False,
        "approver_roles": [],
        "preset": "all",
        "channels": [],
        "chat_channels": [],
    }
    assert (await refused(place, "policy_get", "nina")).code == "role"


async def test_a_policy_is_shown_with_names_and_without_what_one_cannot_see(place: Place) -> None:
    await place.set_role("marlow", PlatformRole.MANAGER)
    await done(place, "approvers_set", roles=[place.role("Moderator")])
    await done(place, "approvals_channel_set", channel=place.channel("vault"))
    await done(place, "channel_policy_set", channel=place.channel("vault"), write="deny")
    await done(place, "channel_policy_set", channel=place.channel("general"), write="confirm")
    whole = await done(place, "policy_get", "olive")
    assert whole["approver_roles"] == [{"id": place.role("Moderator"), "name": "Moderator"}]
    assert whole["approvals_channel"] == {"id": place.channel("vault"), "name": "vault"}
    assert [each["channel"]["name"] for each in whole["channels"]] == ["general", "vault"]
    seen = await done(place, "policy_get", "marlow")
    assert seen["approvals_channel"] == {"note": "You can't see it."}
    assert [each["channel"]["name"] for each in seen["channels"]] == ["general"]
    assert place.channel("vault") not in str(seen)


# -------------------------------------------------------------------- testing
async def test_a_policy_is_tested_for_a_member(place: Place) -> None:
    await done(place, "channel_policy_set", channel=place.channel("general"), write="deny")
    call = {"channel": place.channel("general"), "content": "hi"}
    found = await done(place, "policy_test", member=place.member("nina"), operation="message_send", arguments=call)
    assert found["would_pass"] is False
    assert [step["step"] for step in found["steps"] if not step["passed"]] == ["channel"]
    other = {**call, "channel": place.channel("news")}
    found = await done(place, "policy_test", member=place.member("wren"), operation="message_send", arguments=other)
    assert [step["step"] for step in found["steps"] if not step["passed"]] == ["scope"]
    agent = await done(
        place,
        "policy_test",
        member=place.member("marlow"),
        operation="invite_create",
        arguments={"channel": place.channel("news")},
        through="agent",
    )
    assert (agent["would_pass"], agent["confirmation"]) == (True, "human")


async def test_a_test_tells_nothing_of_what_the_tester_cannot_see(place: Place) -> None:
    await place.set_role("marlow", PlatformRole.MANAGER)

    async def tested(channel: str) -> Any:
        call = {"channel": channel, "content": "hi"}
        return await refused(
            place, "policy_test", "marlow", member=place.member("ada"), operation="message_send", arguments=call
        )

    assert await tested(place.channel("vault")) == await tested("1000000000000000001")


async def test_administration_is_tested_as_offered(place: Place) -> None:
    for through in ("mcp", "agent"):
        refusal = await refused(
            place,
            "policy_test",
            member=place.member("ada"),
            operation="policy_set",
            arguments={"write": "deny"},
            through=through,
        )
        assert refusal.code == "unknown_operation"
