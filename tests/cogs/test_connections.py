"""``/mcp token`` and ``/connect``: a member's own client, from the token to its first call."""

from __future__ import annotations

import re

import pytest

from cogs import texts
from cogs.connections import said
from tests.administering import done
from tests.app import Place, answer_of, connected
from tests.cogs.slashing import Told, offered, presses, uses

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOKEN = re.compile(r"ghd_[\w-]+")


def token_in(told: Told) -> str:
    [found] = TOKEN.findall(told.all_text)
    return found


async def whoami(place: Place, token: str) -> str:
    async with connected(place.town.app.port, token) as client:
        user_id: str = answer_of(await client.call_tool("whoami", {})).data["user_id"]
        return user_id


async def test_a_plain_member_makes_a_token_is_shown_it_once_and_uses_it(place: Place) -> None:
    told = await uses(place, "nina", "mcp token create", name="desk", scopes="read, write")
    assert told.text.startswith("**Your token**, shown this once"), told.text
    assert await whoami(place, token_in(told)) == place.member("nina")
    listed = await uses(place, "nina", "mcp token list")
    assert "desk" in listed.text
    assert not TOKEN.search(listed.all_text)


async def test_a_token_is_renewed_and_revoked_by_picking_it(place: Place) -> None:
    old = token_in(await uses(place, "nina", "mcp token create", name="desk"))
    [token] = (await done(place, "token_list", "nina"))["tokens"]
    [shown] = await offered(place, "nina", "mcp token renew", "token", "des")
    assert token["client"] in shown
    assert await offered(place, "bela", "mcp token renew", "token", "des") == []
    new = token_in(await uses(place, "nina", "mcp token renew", token=token["client"]))
    assert new != old
    assert await whoami(place, new) == place.member("nina")
    told = await uses(place, "bela", "mcp token revoke", token=token["client"])
    assert told.text == (
        "**Not done.** There is no such token that you may know of. `/mcp token list` shows your tokens."
    )
    told = await uses(place, "nina", "mcp token revoke", token=token["client"])
    assert told.text.startswith("**Done:**"), told.text


async def test_a_critical_token_is_shown_to_its_person_after_the_press(place: Place) -> None:
    await place.set_rules(tiers={"token_create": "critical"})
    told = await uses(place, "nina", "mcp token create", name="desk")
    assert told.text.startswith("NOT DONE"), told.text
    told = await presses(place, "nina", told, "Confirm", "Harbor")
    assert await whoami(place, token_in(told)) == place.member("nina")


async def test_undoing_a_token_ends_it(place: Place) -> None:
    told = await uses(place, "nina", "mcp token create", name="desk")
    told = await presses(place, "nina", told, "Undo")
    assert told.text.startswith("**Done:**"), told.text
    assert (await done(place, "token_list", "nina"))["tokens"] == []


async def test_connect_gives_the_address_and_a_configuration_that_works_with_a_token_in_its_place(
    place: Place,
) -> None:
    told = await uses(place, "nina", "connect")
    url = f"{place.town.url}/mcp"
    assert url in told.text
    assert "mcpServers" in told.text
    assert f"Bearer {texts.YOUR_TOKEN}" in told.text
    assert "PUBLIC_URL" in told.text, "it is served on loopback"


async def test_the_file_has_every_client_and_a_public_address_is_not_called_local() -> None:
    async def public() -> str:
        return "https://guildhall.example"

    answer = await said(public)
    assert "https://guildhall.example/mcp" in answer.text
    assert "PUBLIC_URL" not in answer.text
    assert answer.file is not None
    for client in ("claude mcp add", ".vscode/mcp.json", ".cursor/mcp.json", "Claude Desktop", "GUILDHALL_TOKEN"):
        assert client in answer.file[1]


async def test_an_instance_without_http_says_so() -> None:
    async def nowhere() -> None:
        return None

    assert (await said(nowhere)).text == texts.CONNECT_STDIO
