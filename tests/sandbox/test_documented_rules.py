"""What Discord's pages say of threads, reactions and guild settings, and simcord leaves out."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.sandbox_process import ControlError, GuildIds, SandboxProcess


async def ask(sandbox: SandboxProcess, ids: GuildIds, method: str, path: str, body: Any = None) -> Any:
    """As the administrator by hand."""
    done = await sandbox.control("as_user", user=int(ids["members"]["ada"]), method=method, path=path, body=body)
    return done["result"]


async def refused(sandbox: SandboxProcess, ids: GuildIds, method: str, path: str, body: Any = None) -> str:
    with pytest.raises(ControlError) as error:
        await ask(sandbox, ids, method, path, body)
    return str(error.value)


# --------------------------------------------------------------------- threads
@pytest.mark.parametrize(
    ("channel", "body", "code"),
    [
        ("general", {"name": "", "type": 11}, 50035),
        ("general", {"name": "x" * 101, "type": 11}, 50035),
        ("general", {"name": "x", "type": 11, "auto_archive_duration": 61}, 50035),
        ("general", {"name": "x", "type": 11, "rate_limit_per_user": 21_601}, 50035),
        ("general", {"name": "x", "type": 10}, 50024),
        ("voice", {"name": "x", "type": 11}, 50024),
    ],
)
async def test_a_thread_has_limits_and_its_kind_a_kind_of_channel(
    sandbox: SandboxProcess, ids: GuildIds, channel: str, body: dict[str, Any], code: int
) -> None:
    assert str(code) in await refused(sandbox, ids, "POST", f"/channels/{ids['channels'][channel]}/threads", body)


async def test_a_message_has_one_thread_which_keeps_its_slowmode(sandbox: SandboxProcess, ids: GuildIds) -> None:
    general = ids["channels"]["general"]
    message = await ask(sandbox, ids, "POST", f"/channels/{general}/messages", {"content": "hello"})
    path = f"/channels/{general}/messages/{message['id']}"
    made = await ask(sandbox, ids, "POST", f"{path}/threads", {"name": "x", "rate_limit_per_user": 30})
    assert (made["id"], made["type"], made["rate_limit_per_user"]) == (message["id"], 11, 30)
    assert (await ask(sandbox, ids, "GET", path))["flags"] & 1 << 5, "HAS_THREAD"
    assert "160004" in await refused(sandbox, ids, "POST", f"{path}/threads", {"name": "twice"})


async def test_announcement_channels_are_of_community_guilds(sandbox: SandboxProcess, ids: GuildIds) -> None:
    for kind in (5, 13):
        assert "50024" in await refused(
            sandbox, ids, "POST", f"/guilds/{ids['id']}/channels", {"name": "news", "type": kind}
        )


async def test_an_announcement_channel_has_threads_of_its_own(sandbox: SandboxProcess) -> None:
    roles = [{"name": "Admin", "permissions": ["administrator"]}]
    members = [{"name": "ada", "roles": ["Admin"]}]
    features = ["COMMUNITY", "NEWS"]
    ids = await sandbox.make_guild("News", owner="olive", features=features, roles=roles, members=members)
    news = await ask(sandbox, ids, "POST", f"/guilds/{ids['id']}/channels", {"name": "news", "type": 5})
    path = f"/channels/{news['id']}/threads"
    assert (await ask(sandbox, ids, "POST", path, {"name": "x", "type": 10}))["type"] == 10
    for kind in (11, 12):
        assert "50024" in await refused(sandbox, ids, "POST", path, {"name": "x", "type": kind})
    message = await ask(sandbox, ids, "POST", f"/channels/{news['id']}/messages", {"content": "hello"})
    made = await ask(sandbox, ids, "POST", f"/channels/{news['id']}/messages/{message['id']}/threads", {"name": "y"})
    assert made["type"] == 10
    await ask(sandbox, ids, "PATCH", f"/channels/{made['id']}", {"archived": True})
    listed = await listing(sandbox, news["id"])
    assert [thread["id"] for thread in listed["threads"]] == [made["id"]]


async def listing(sandbox: SandboxProcess, channel_id: str, **query: str) -> Any:
    headers = {"Authorization": f"Bot {sandbox.bot_token}"}
    url = f"{sandbox.api_base_url}/channels/{channel_id}/threads/archived/public"
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url, params=query) as response:
        return await response.json()


async def test_archived_threads_come_by_the_page_the_latest_first(sandbox: SandboxProcess, ids: GuildIds) -> None:
    general = ids["channels"]["general"]
    made: list[str] = []
    for number in range(3):
        thread = await ask(sandbox, ids, "POST", f"/channels/{general}/threads", {"name": f"{number}", "type": 11})
        made.append(thread["id"])
    assert (await listing(sandbox, general))["threads"] == []
    for thread_id in (made[1], made[0], made[2]):
        await ask(sandbox, ids, "PATCH", f"/channels/{thread_id}", {"archived": True})
    first = await listing(sandbox, general, limit="2")
    assert [thread["id"] for thread in first["threads"]] == [made[2], made[0]]
    assert first["has_more"] is True
    before = first["threads"][-1]["thread_metadata"]["archive_timestamp"]
    second = await listing(sandbox, general, limit="2", before=before)
    assert [thread["id"] for thread in second["threads"]] == [made[1]]
    assert second["has_more"] is False


# ------------------------------------------------------------------- reactions
async def test_a_reaction_is_an_emoji_that_is_known_and_there_are_at_most_20(
    sandbox: SandboxProcess, ids: GuildIds
) -> None:
    general = ids["channels"]["general"]
    message = await ask(sandbox, ids, "POST", f"/channels/{general}/messages", {"content": "hello"})
    path = f"/channels/{general}/messages/{message['id']}/reactions"
    for unknown in ("nonsense", "gone:1000000000000000001"):
        assert "10014" in await refused(sandbox, ids, "PUT", f"{path}/{unknown}/@me")
    for number in range(20):
        quoted = "".join(f"%{byte:02X}" for byte in chr(0x1F600 + number).encode())
        await ask(sandbox, ids, "PUT", f"{path}/{quoted}/@me")
    assert "30010" in await refused(sandbox, ids, "PUT", f"{path}/%F0%9F%91%8D/@me")


async def test_an_archived_thread_takes_no_reaction(sandbox: SandboxProcess, ids: GuildIds) -> None:
    general = ids["channels"]["general"]
    thread = await ask(sandbox, ids, "POST", f"/channels/{general}/threads", {"name": "x", "type": 11})
    message = await ask(sandbox, ids, "POST", f"/channels/{thread['id']}/messages", {"content": "hello"})
    await ask(sandbox, ids, "PATCH", f"/channels/{thread['id']}", {"archived": True})
    path = f"/channels/{thread['id']}/messages/{message['id']}/reactions/%F0%9F%91%8D/@me"
    assert "50083" in await refused(sandbox, ids, "PUT", path)


# ------------------------------------------------------------------- the guild
@pytest.mark.parametrize(
    "body",
    [
        {"name": "x"},
        {"description": "x" * 301},
        {"afk_timeout": 61},
        {"preferred_locale": "klingon"},
        {"verification_level": 5},
        {"default_message_notifications": 2},
        {"explicit_content_filter": 3},
        {"afk_channel_id": "general"},
        {"system_channel_id": "voice"},
        {"rules_channel_id": "voice"},
    ],
    ids=lambda body: next(iter(body)),
)
async def test_a_guilds_settings_have_limits(sandbox: SandboxProcess, ids: GuildIds, body: dict[str, Any]) -> None:
    sent = {name: ids["channels"].get(value, value) if name.endswith("_id") else value for name, value in body.items()}
    assert "50035" in await refused(sandbox, ids, "PATCH", f"/guilds/{ids['id']}", sent)


async def test_the_bar_of_boosts_is_kept_and_logged(sandbox: SandboxProcess, ids: GuildIds) -> None:
    path = f"/guilds/{ids['id']}"
    assert (await ask(sandbox, ids, "GET", path))["premium_progress_bar_enabled"] is False
    changed = await ask(sandbox, ids, "PATCH", path, {"premium_progress_bar_enabled": True})
    assert changed["premium_progress_bar_enabled"] is True
    entry = (await sandbox.control("audit_log", guild=int(ids["id"])))["entries"][0]
    assert entry["action_type"] == 1
    assert [change["key"] for change in entry["changes"]] == ["premium_progress_bar_enabled"]
    done = sandbox.control(
        "as_user",
        user=int(ids["members"]["nina"]),
        method="PATCH",
        path=path,
        body={"premium_progress_bar_enabled": False},
    )
    with pytest.raises(ControlError):
        await done
    assert (await ask(sandbox, ids, "GET", path))["premium_progress_bar_enabled"] is True


async def test_a_guild_is_made_with_features(sandbox: SandboxProcess) -> None:
    made = await sandbox.make_guild("Commons", features=["COMMUNITY"], channels=[{"name": "r"}], rules_channel="r")
    seen = (await sandbox.control("world", guild=int(made["id"])))["guilds"][0]["settings"]
    assert (seen["features"], seen["rules_channel_id"]) == (["COMMUNITY"], made["channels"]["r"])
