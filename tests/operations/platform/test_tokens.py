"""Tokens that people make for themselves in Discord: shown once, kept nowhere, ended at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from operations.base import Outcome, Status
from operations.outcomes import structured
from operations.outcomes import text as in_words
from operations.platform.tokens import TokenResult
from policy.model import PlatformRole, Step, Tier
from storage.tables import metadata
from tests.administering import asked, by_hand, done, pressed, refused
from tests.app import Place, answer_of, connected

pytestmark = pytest.mark.asyncio(loop_scope="session")


def token_in(outcome: Outcome) -> str:
    assert outcome.status is Status.DONE, outcome
    assert isinstance(outcome.data, TokenResult)
    assert isinstance(outcome.data.token, SecretStr)
    return outcome.data.token.get_secret_value()


async def made(place: Place, who: str = "nina", /, **arguments: Any) -> tuple[str, str]:
    """The client's id, and its token."""
    outcome = await by_hand(place, "token_create", who, name="desk", **arguments)
    token = token_in(outcome)
    assert isinstance(outcome.data, TokenResult)
    return outcome.data.client, token


async def whoami(place: Place, token: str) -> dict[str, Any]:
    async with connected(place.town.app.port, token) as client:
        return answer_of(await client.call_tool("whoami", {})).data


async def is_refused(place: Place, token: str) -> bool:
    try:
        await whoami(place, token)
    except Exception:  # noqa: BLE001 - however the client reports a 401
        return True
    return False


async def everything_stored(place: Place) -> str:
    """All rows of all tables, opened where they are sealed texts of calls."""
    database = place.town.core.database
    found: list[str] = []
    async with database.read() as session:
        for table in metadata.sorted_tables:
            for row in (await session.execute(text(f'SELECT * FROM "{table.name}"'))).all():  # noqa: S608 - our names
                for value in row:
                    found.append(repr(value))
                    if isinstance(value, bytes) and value:
                        try:
                            found.append(database.keyring.open(value))
                        except Exception:  # noqa: BLE001, S112 - not a sealed text
                            continue
    return "\n".join(found)


async def test_a_plain_member_makes_a_token_that_acts_as_himself_in_this_guild_alone(
    place: Place, elsewhere: Place
) -> None:
    client, token = await made(place, "nina", scopes=["write"], expires_in_days=7)
    assert token.startswith("ghd_")
    found = await whoami(place, token)
    assert (found["user_id"], [guild["id"] for guild in found["guilds"]]) == (place.member("nina"), [place.id])
    assert found["expires_at"] is not None
    granted = place.town.core.facts.snapshot.clients[client]
    assert (granted.user_id, granted.guild_ids) == (int(place.member("nina")), frozenset({place.guild_id}))
    assert granted.workspace_id == place.workspace_id != elsewhere.workspace_id


async def test_the_token_is_in_the_answer_and_in_nothing_that_is_kept_or_said_again(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    key = "once and no more"
    first = await by_hand(place, "token_create", "nina", name="desk", idempotency_key=key)
    token = token_in(first)
    again = await by_hand(place, "token_create", "nina", name="desk", idempotency_key=key)
    assert (again.status, again.call_id) == (Status.DONE, first.call_id)
    [renewed_client] = [each["client"] for each in (await done(place, "token_list", "nina"))["tokens"]]
    renewed = token_in(await by_hand(place, "token_renew", "nina", client=renewed_client))
    stored = await everything_stored(place)
    said = json.dumps([structured(first), structured(again), await done(place, "token_list", "nina")])
    said += in_words(first) + in_words(again) + repr(first) + repr(again) + str(first.data)
    said += json.dumps(await done(place, "audit_get", "nina", call=first.call_id))
    out, err = capfd.readouterr()
    assert "expires_in_days" in stored, "sealed texts are read, too"
    for secret in (token, renewed):
        for place_of_text in (stored, said, out, err):
            assert secret not in place_of_text
            assert secret.removeprefix("ghd_") not in place_of_text


async def test_a_renewed_token_works_and_the_old_one_ends(place: Place) -> None:
    client, old = await made(place)
    new = token_in(await by_hand(place, "token_renew", "nina", client=client))
    assert (await whoami(place, new))["user_id"] == place.member("nina")
    assert await is_refused(place, old)
    await place.set_role("ada", PlatformRole.ADMIN)
    refusal = await refused(place, "token_renew", "ada", client=client)
    assert "Only its person renews it" in refusal.remedy


async def test_a_viewer_makes_none(place: Place) -> None:
    assert (await refused(place, "token_create", "wren", name="desk")).code == "role"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"scopes": ["all"]}, "administration is never offered to MCP clients"),
        ({"scopes": ["admin:policy"]}, "administration is never offered to MCP clients"),
        ({"scopes": ["messages"]}, "Write <toolset>:<action>"),
        ({"toolsets": ["kites"]}, "There is no toolset kites"),
        ({"toolsets": ["administration"]}, "There is no toolset administration"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"name": ""}, "name"),
    ],
)
async def test_a_token_that_makes_no_sense_is_refused_in_words(
    place: Place, arguments: dict[str, Any], says: str
) -> None:
    refusal = await refused(place, "token_create", "nina", **{"name": "desk", **arguments})
    assert says in refusal.reason
    assert (await done(place, "token_list", "nina"))["tokens"] == []


async def test_own_tokens_are_listed_and_revoked_by_their_person(place: Place) -> None:
    client, token = await made(place)
    [listed] = (await done(place, "token_list", "nina"))["tokens"]
    assert (listed["client"], listed["name"], listed["state"]) == (client, "desk", "active")
    await done(place, "token_revoke", "nina", client=client)
    assert await is_refused(place, token)
    assert (await done(place, "token_list", "nina"))["tokens"] == []
    [ended] = (await done(place, "token_list", "nina", ended=True))["tokens"]
    assert ended["state"] == "revoked"
    assert "ended already" in (await refused(place, "token_revoke", "nina", client=client)).reason


async def test_others_tokens_are_an_admins_to_see_and_to_revoke_and_unknown_to_everybody_else(place: Place) -> None:
    client, token = await made(place)
    for who in ("bela", "marlow", "ada"):
        assert await refused(place, "token_revoke", who, client=client) == await refused(
            place, "token_revoke", who, client="mc_nothing"
        )
        assert (await refused(place, "token_list", who, everybody=True)).code == "role"
        assert (await done(place, "token_list", who))["tokens"] == []
    await place.set_role("ada", PlatformRole.ADMIN)
    assert client in {each["client"] for each in (await done(place, "token_list", "ada", everybody=True))["tokens"]}
    await done(place, "token_revoke", "ada", client=client)
    assert await is_refused(place, token)


async def test_another_workspaces_token_is_unknown(place: Place, elsewhere: Place) -> None:
    client, _ = await made(elsewhere, "nina")
    assert await refused(place, "token_revoke", client=client) == await refused(
        place, "token_revoke", client="mc_nothing"
    )
    listed = await done(place, "token_list", everybody=True, ended=True)
    assert client not in str(listed)


async def test_an_admin_by_the_guilds_role_map_knows_of_this_guilds_tokens_alone(place: Place) -> None:
    await place.set_rules(role_map={int(place.role("Admin")): "admin"})
    here, _ = await made(place)
    await place.token("olive", key="wide")
    wide = place.granted["wide"].id
    listed = await done(place, "token_list", "ada", everybody=True)
    assert {each["client"] for each in listed["tokens"]} == {here}
    assert (await refused(place, "token_revoke", "ada", client=wide)).code == "unknown_token"
    await done(place, "token_revoke", "ada", client=here)


async def test_undoing_a_token_revokes_it(place: Place) -> None:
    outcome = await by_hand(place, "token_create", "nina", name="desk")
    token = token_in(outcome)
    await done(place, "audit_revert", "nina", call=outcome.call_id)
    assert await is_refused(place, token)


async def test_twenty_five_tokens_are_enough(place: Place) -> None:
    for number in range(25):
        await place.token("nina", key=f"nina {number}")
    assert "revoke one that you don't use" in (await refused(place, "token_create", "nina", name="desk")).reason


async def test_with_four_eyes_whoever_confirms_never_sees_it_and_its_person_renews_it(place: Place) -> None:
    await place.set_rules(four_eyes=True, approvals_channel_id=int(place.channel("mod-room")))
    waiting = await asked(place, "token_create", "nina", name="desk")
    assert waiting.preview is not None
    assert "token_renew" in waiting.preview.unknowns[0]
    outcome = await pressed(place, waiting, "marlow")
    assert outcome.status is Status.DONE
    assert "ghd_" not in json.dumps(structured(outcome)) + in_words(outcome)
    [listed] = (await done(place, "token_list", "nina"))["tokens"]
    token = token_in(await by_hand(place, "token_renew", "nina", client=listed["client"]))
    assert (await whoami(place, token))["user_id"] == place.member("nina")


async def test_a_critical_token_waits_for_one_press_and_is_then_shown(place: Place) -> None:
    await place.set_rules(tiers={"token_create": "critical"})
    waiting = await asked(place, "token_create", "nina", name="desk")
    assert waiting.tier is Tier.CRITICAL
    assert (await whoami(place, token_in(await pressed(place, waiting, "nina"))))["user_id"] == place.member("nina")


async def test_a_token_ends_with_the_membership(place: Place) -> None:
    _, token = await made(place)
    await place.by_hand("olive", "DELETE", f"/guilds/{place.id}/members/{place.member('nina')}")
    assert (await refused_scope(place, token)) is not None


async def refused_scope(place: Place, token: str) -> Step | str | None:
    """Why the token reaches nothing any more."""
    try:
        async with connected(place.town.app.port, token) as client:
            answer = answer_of(await client.call_tool("channel_list", {"guild": place.id}))
    except Exception:  # noqa: BLE001 - however the client reports a 401
        return Step.CLIENT
    return answer.code if answer.is_error else None
