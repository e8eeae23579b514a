"""Cards outlive the process that posted them; one that was never posted is posted by the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import update
from sqlmodel import col

from storage.tables import Call
from tests.app import until
from tests.cogs.approving import Card
from tests.faults.instance import Instance
from tests.faults.planned import card_of
from tests.sandbox_process import GuildIds, SandboxProcess


async def presses(sandbox: SandboxProcess, guild: GuildIds, card: Card, label: str) -> dict[str, Any]:
    where = {"user": int(guild["members"]["ada"]), "channel": int(card.channel)}
    return await sandbox.control("click", **where, message=int(card.id), custom_id=card.custom_id(label), wait=20)


async def names(sandbox: SandboxProcess, guild: GuildIds) -> set[str]:
    seen = await sandbox.control("world", guild=int(guild["id"]))
    return {channel["name"] for channel in seen["guilds"][0]["channels"]}


async def asks(instance: Instance, guild: GuildIds) -> str:
    """ada's client asks for a channel to be deleted."""
    token = await instance.token(guild, "ada")
    answer = await instance.call(token, "channel_delete", channel=guild["channels"]["news"], dry_run=False)
    assert answer.status == "needs_confirmation", answer
    plan_id: str = answer.data["plan_id"]
    return plan_id


async def types(sandbox: SandboxProcess, guild: GuildIds, card: Card, clicked: dict[str, Any]) -> dict[str, Any]:
    where = {"user": int(guild["members"]["ada"]), "channel": int(card.channel)}
    interaction = int(clicked["interaction"])
    return await sandbox.control("modal", **where, interaction=interaction, values={"name": "news"}, wait=20)


async def restarted(instance: Instance, guild: GuildIds) -> None:
    await instance.kill()
    await instance.let_the_lease_run_out()
    await instance.start()
    await instance.until_part("gateway", "up")


async def test_buttons_and_open_modals_work_after_a_restart(
    sandbox: SandboxProcess, guild: GuildIds, sqlite_url: str, tmp_path: Path
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url) as instance:
        card = await card_of(sandbox, guild, await asks(instance, guild))
        before = await presses(sandbox, guild, card, "Approve")
        assert before["kind"] == "modal"
        await restarted(instance, guild)
        after = await presses(sandbox, guild, card, "Approve")
        assert after["kind"] == "modal"
        # The one that was open when the process ended is as good.
        answer = await types(sandbox, guild, card, before)
        assert answer["message"]["content"] == "Done.", answer
        assert "news" not in await names(sandbox, guild)
        assert instance.mistakes == []


async def test_a_plan_that_was_asked_for_and_has_no_card_gets_one_at_the_next_start(
    sandbox: SandboxProcess, guild: GuildIds, sqlite_url: str, tmp_path: Path
) -> None:
    async with Instance(sandbox, tmp_path, sqlite_url) as instance:
        plan_id = await asks(instance, guild)
        card = await card_of(sandbox, guild, plan_id)
        await instance.kill()
        # As if it had ended between the post and the row.
        async with instance.database() as database, database.unit_of_work() as session:
            nowhere = {"card_guild_id": None, "card_channel_id": None, "card_message_id": None}
            await session.execute(update(Call).where(col(Call.call_id) == plan_id).values(**nowhere))
        await instance.let_the_lease_run_out()
        await instance.start()

        async def placed() -> bool:
            async with instance.database() as database, database.read() as session:
                row = await session.get(Call, plan_id)
                return row is not None and row.card_message_id == int(card.id)

        await until(placed, "the card is known again", 30)
        history = (await sandbox.control("history", channel=int(card.channel)))["messages"]
        assert len([message for message in history if plan_id in str(message["embeds"])]) == 1
        clicked = await presses(sandbox, guild, card, "Approve")
        answer = await types(sandbox, guild, card, clicked)
        assert answer["message"]["content"] == "Done.", answer
        assert "news" not in await names(sandbox, guild)


async def test_without_a_gateway_a_critical_call_says_that_nobody_can_press_a_button(
    sandbox: SandboxProcess, guild: GuildIds, sqlite_url: str, tmp_path: Path
) -> None:
    async with Instance(
        sandbox, tmp_path, sqlite_url, ALLOWED_GUILD_IDS=guild["id"], ENABLE_GATEWAY="false"
    ) as instance:
        token = await instance.token(guild, "ada")
        answer = await instance.call(token, "channel_delete", channel=guild["channels"]["news"], dry_run=False)
        assert (answer.status, answer.code) == ("refused", "no_approver"), answer
        assert "ENABLE_GATEWAY=true" in answer.text
        assert "news" in await names(sandbox, guild)
