from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from tests.sandbox_process import ControlError, GuildIds, SandboxProcess


async def _post(sandbox: SandboxProcess, path: str, headers: dict[str, str | None], method: str = "POST") -> Any:
    good = {"Authorization": f"Bearer {sandbox.control_token}", "Content-Type": "application/json"}
    merged = {name: value for name, value in {**good, **headers}.items() if value is not None}
    async with (
        aiohttp.ClientSession(skip_auto_headers=["Content-Type"]) as session,
        session.request(method, f"{sandbox.control_url}/{path}", headers=merged, data=b"{}") as response,
    ):
        return response.status, await response.json(content_type=None)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Authorization": None}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer schlüssel"}, 401),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": None}, 415),
    ],
)
async def test_the_door_opens_only_with_token_own_origin_and_json(
    sandbox: SandboxProcess, headers: dict[str, str | None], status: int
) -> None:
    assert (await _post(sandbox, "world", headers))[0] == status


async def test_the_sandboxs_own_origin_is_let_in(sandbox: SandboxProcess) -> None:
    assert (await _post(sandbox, "world", {"Origin": sandbox.base_url}))[0] == 200


async def test_a_get_request_is_refused(sandbox: SandboxProcess) -> None:
    assert (await _post(sandbox, "world", {}, method="GET"))[0] == 405


@pytest.mark.parametrize(
    "path", ["/control/world", "/api/v10/gateway", "/oauth2/authorize", "/cdn/embed/avatars/0.png"]
)
async def test_a_rebound_host_name_reaches_nothing(sandbox: SandboxProcess, path: str) -> None:
    async with aiohttp.ClientSession() as session:
        headers = {"Host": "rebound.example", "Authorization": f"Bearer {sandbox.control_token}"}
        async with session.post(sandbox.base_url + path, headers=headers, json={}) as response:
            assert response.status == 403


async def test_an_unknown_action_is_answered_with_the_known_ones(sandbox: SandboxProcess) -> None:
    with pytest.raises(ControlError) as refusal:
        await sandbox.control("nonesuch")
    assert refusal.value.status == 404
    assert {"send", "slash", "fault", "world", "make_guild", "kick"} <= set(refusal.value.answer["actions"])


async def test_wrong_bodies_are_answered_with_what_is_wrong(sandbox: SandboxProcess, ids: GuildIds) -> None:
    with pytest.raises(ControlError, match=r"send: user: Field required"):
        await sandbox.control("send", content="x")
    with pytest.raises(ControlError, match=r"channels: Extra inputs are not permitted"):
        await sandbox.control("send", user=ids["members"]["nina"], channels="1")
    with pytest.raises(ControlError, match=r"'fly' is no permission"):
        await sandbox.control("make_guild", name="Odd", roles=[{"name": "Bird", "permissions": ["fly"]}])
    with pytest.raises(ControlError, match=r"Unknown Guild"):
        await sandbox.control("audit_log", guild="1")
    with pytest.raises(ControlError, match=r"one of status, reset and hang"):
        await sandbox.control("fault", faults=[{"status": 500, "reset": True}])


async def test_the_ready_line_holds_no_token_that_looks_like_discords(sandbox: SandboxProcess) -> None:
    assert sandbox.bot_token.startswith("sandbox.")
    assert sandbox.bot_token.count(".") == 1
    assert json.dumps(sandbox.guilds) is not None
    assert sandbox.base_url.startswith("http://127.0.0.1:")
    assert sandbox.api_base_url == f"{sandbox.base_url}/api/v10"
