"""The whole way of a message, with the official client, over every transport that an instance serves."""

from __future__ import annotations

import pytest

from tests.app import HANDSHAKE, MODERN, SSE, Answer, Place, answer_of, names

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRANSPORTS = pytest.mark.parametrize("mode", [HANDSHAKE, MODERN, SSE])


@TRANSPORTS
async def test_a_client_looks_around_previews_sends_and_finds_it_in_the_audit(place: Place, mode: str) -> None:
    await place.says(
        "nina",
        "general",
        "the plan is attached",
        embeds=[{"title": "Harbor plan", "description": "dredge at dawn"}],
        attachments=[{"name": "tides.txt", "text": "high at six"}],
    )
    async with place.client("ada", mode) as client:

        async def call(name: str, **arguments: object) -> Answer:
            return answer_of(await client.call_tool(name, arguments))

        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert {"guild_list", "channel_list", "message_list_recent", "message_send", "audit_list"} <= set(listed)
        assert all(tool.description and tool.input_schema["type"] == "object" for tool in listed.values())

        channels = await call("channel_list", guild="Harbor")
        general = next(
            channel
            for category in channels.data["categories"]
            for channel in category["channels"]
            if channel["name"] == "general"
        )
        assert general["id"] == place.channel("general")

        read = await call("message_list_recent", guild="Harbor", channel="general")
        (row,) = read.data["messages"]
        for piece in ("the plan is attached", "Harbor plan", "dredge at dawn", "tides.txt"):
            assert piece in row["text"], row

        asked = {"guild": "Harbor", "channel": "general", "content": "dawn it is"}
        preview = await call("message_send", **asked)
        assert (preview.status, preview.data["would_succeed"], preview.data["plan_id"]) == ("preview", "yes", None)
        assert preview.text.startswith("NOT DONE")
        assert [message["content"] for message in await place.history("general")] == ["the plan is attached"]

        done = await call("message_send", **asked, dry_run=False)
        assert done.status == "done", done
        history = await place.history("general")
        assert [message["content"] for message in history] == ["the plan is attached", "dawn it is"]
        assert history[-1]["id"] == done.data["result"]["message_id"]

        audited = await call("audit_list", guild="Harbor")
        found = next(each for each in audited.data["calls"] if each["call_id"] == done.data["call_id"])
        assert (found["operation"], found["status"], found["by"]["user_id"]) == (
            "message_send",
            "done",
            place.member("ada"),
        )
        assert "dawn it is" not in audited.text
        # A preview sends nothing and leaves no trace but in the counts.
        assert preview.data["call_id"] not in {each["call_id"] for each in audited.data["calls"]}


@TRANSPORTS
async def test_a_refusal_says_its_step_its_reason_and_what_to_do(place: Place, mode: str) -> None:
    async with place.client("nina", mode) as client:
        refused = answer_of(
            await client.call_tool("channel_create", {"guild": place.id, "name": "mine", "dry_run": False})
        )
    assert refused.is_error
    assert (refused.status, refused.data["step"]) == ("refused", "discord")
    assert "manage_channels" in refused.data["reason"].lower().replace(" ", "_")
    assert refused.data["remedy"]
    assert refused.text.startswith("Refused at step discord: ")
    assert "mine" not in names((await place.channels()).values())


async def test_a_jump_link_reads_the_message_that_it_names(place: Place) -> None:
    message_id = await place.says("nina", "general", "look here")
    link = f"https://discord.com/channels/{place.id}/{place.channel('general')}/{message_id}"
    read = await place.done("message_get", "bela", message=link)
    assert read["message"]["text"].endswith("look here")


async def test_a_listing_can_be_narrowed_by_the_address(place: Place) -> None:
    from tests.app import connected

    token = await place.token("ada")
    async with connected(place.town.app.port, token, query="?toolsets=messages") as client:
        listed = {tool.name for tool in (await client.list_tools()).tools}
    assert "message_send" in listed
    assert not any(name.startswith("channel_") for name in listed)


async def test_a_viewer_is_not_even_shown_what_he_may_not_do(place: Place) -> None:
    async with place.client("wren") as client:
        listed = {tool.name for tool in (await client.list_tools()).tools}
    assert "message_list_recent" in listed
    assert not {"message_send", "message_edit", "channel_create", "channel_delete"} & listed


async def test_the_generic_tools_take_the_same_road(place: Place) -> None:
    async with place.client("ada") as client:

        async def through(tool: str, name: str, **arguments: object) -> Answer:
            return answer_of(await client.call_tool(tool, {"name": name, "arguments": arguments}))

        listed = await through("operation_read", "channel_list", guild=place.id)
        assert listed.data["guild_id"] == place.id
        sent = await through(
            "operation_write", "message_send", channel=place.channel("general"), content="hi", dry_run=False
        )
        assert sent.status == "done", sent
        wrong = await through("operation_read", "message_send", channel=place.channel("general"), content="no")
        assert wrong.code == "wrong_class"
        doomed = await through("operation_destroy", "channel_delete", channel=place.channel("news"), dry_run=False)
        assert doomed.status == "needs_confirmation", doomed
    assert [message["content"] for message in await place.history("general")] == ["hi"]
    assert "news" in await place.channels()
