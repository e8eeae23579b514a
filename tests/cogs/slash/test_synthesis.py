"""Commands made from operations stay within what Discord takes, and offer what the input has."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from discord import app_commands

from bot.catalogue import CATALOGUE
from cogs.slash.autocomplete import Autocompletes
from cogs.slash.faces import FACES, GROUPS, SlashFace
from cogs.slash.options import BadValue, cut, length_of_time
from cogs.slash.sync import payload, same
from cogs.slash.synthesis import commands_of, visible_to
from operations.registry import Registry
from tests.app import Town

pytestmark = pytest.mark.asyncio(loop_scope="session")

REGISTRY = Registry(CATALOGUE)
NOBODY: Any = None


def made(*faces: SlashFace) -> list[Any]:
    offers = Autocompletes(REGISTRY, NOBODY, NOBODY, NOBODY, NOBODY)
    tree = app_commands.CommandTree(discord.Client(intents=discord.Intents.none()))
    for command in commands_of(faces or FACES, GROUPS, REGISTRY, NOBODY, offers):
        tree.add_command(command)
    return payload(tree)


def flat(command: dict[str, Any]) -> list[dict[str, Any]]:
    """The subcommands of a group, or the command itself."""
    return [each for each in command["options"] if each["type"] == 1] or [command]


def size(part: dict[str, Any]) -> int:
    """https://discord.com/developers/docs/interactions/application-commands#slash-commands"""
    own = len(part["name"]) + len(part["description"])
    own += sum(len(choice["name"]) + len(str(choice["value"])) for choice in part.get("choices", ()))
    return own + sum(size(option) for option in part.get("options", ()))


async def test_discord_takes_them(town: Town) -> None:
    """All that the bot has, also what cogs make by hand."""
    commands = payload(town.core.client.tree)
    assert len(commands) <= 100
    for command in commands:
        if command.get("type", 1) != 1:
            continue
        assert size(command) <= 8000, (command["name"], size(command))
        assert len(command["options"]) <= 25
        for each in flat(command):
            assert len(each["options"]) <= 25
            assert 1 <= len(each["description"]) <= 100
            names = [option["name"] for option in each["options"]]
            assert len(set(names)) == len(names)
            required = [bool(option.get("required")) for option in each["options"]]
            assert required == sorted(required, reverse=True), each["name"]
    assert all(command["contexts"] == [0] and command["integration_types"] == [0] for command in commands)


async def test_every_write_can_be_previewed_and_given_a_reason() -> None:
    kinds = {face.command: REGISTRY.get(face.operation) for face in FACES}
    for command in made():
        for each in flat(command):
            name = each["name"] if each is command else f"{command['name']} {each['name']}"
            operation = kinds[name]
            assert operation is not None
            names = {option["name"] for option in each["options"]}
            assert ({"reason", "preview"} <= names) is (operation.kind.value == "write"), name


async def test_an_option_takes_its_type_bounds_and_choices_from_the_input() -> None:
    (channel,) = [command for command in made() if command["name"] == "channel"]
    (create,) = [each for each in channel["options"] if each["name"] == "create"]
    options = {option["name"]: option for option in create["options"]}
    assert options["name"]["required"]
    assert (options["name"]["min_length"], options["name"]["max_length"]) == (1, 100)
    assert "text" in [choice["value"] for choice in options["type"]["choices"]]
    assert options["category"]["channel_types"] == [4]
    assert options["nsfw"]["type"] == 5
    assert options["slowmode"]["type"] == 3
    assert "10m" in options["slowmode"]["description"]


async def test_what_discord_hides_a_command_by_are_the_rights_that_all_its_writes_ask_for() -> None:
    by_name = {command["name"]: command["default_member_permissions"] for command in made()}
    assert by_name["ban"] == discord.Permissions(ban_members=True).value
    assert by_name["role"] == discord.Permissions(manage_roles=True).value
    assert by_name["channel"] == discord.Permissions(manage_channels=True).value
    assert by_name["message"] is None
    assert visible_to(()) is None


async def test_what_can_be_no_option_has_to_be_left_out() -> None:
    with pytest.raises(ValueError, match="message_send: embeds can be no option"):
        made(SlashFace("message send", "message_send"))
    with pytest.raises(ValueError, match="there is no operation nothing_such"):
        made(SlashFace("nothing", "nothing_such"))


async def test_lengths_of_time_are_read_and_bounded() -> None:
    option = length_of_time(1, 86_400)
    assert await option.transform(NOBODY, "10m") == 600
    assert await option.transform(NOBODY, "23 hours 59 minutes") == 86_340
    for wrong in ("2d", "0", "soon", "-5m", "5 apples", "1e3s", "٣m", "9" * 40 + "s"):
        with pytest.raises(BadValue, match="from 1 second to 1 day"):
            await option.transform(NOBODY, wrong)
    with pytest.raises(BadValue, match="at least 1 minute"):
        await length_of_time(60, None).transform(NOBODY, "5s")


async def test_a_description_is_cut_to_what_discord_takes() -> None:
    assert cut("`a`  b") == "a b"
    assert len(cut("x" * 300)) == 100


async def test_commands_are_compared_by_what_they_mean() -> None:
    wanted = made()
    there = [
        {
            **command,
            "id": "1",
            "version": "2",
            "application_id": "3",
            "name_localizations": None,
            "default_member_permissions": None
            if command["default_member_permissions"] is None
            else str(command["default_member_permissions"]),
        }
        for command in reversed(wanted)
    ]
    assert same(wanted, there)
    there[0] = {**there[0], "description": "another"}
    assert not same(wanted, there)
    assert not same(wanted, there[1:])
