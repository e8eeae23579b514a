"""All that is kept of the person who asks."""

from __future__ import annotations

from typing import Any

import orjson

from operations.base import Context, Model, ReadOperation
from operations.outcomes import plain, timestamp
from operations.platform.audit import folded
from operations.platform.privacy import IN_PERSON, person_of
from operations.refs import GuildRef
from policy.model import Need
from policy.scopes import OWN_DATA
from storage import audit
from storage.audit import AuditQuery

# Discord takes files of 10 MiB from a bot; the JSON that people read is indented.
# https://discord.com/developers/docs/reference#uploading-files
MOST_BYTES = 5 * 1024 * 1024
PAGE = 200


class MyDataInput(Model):
    guild: GuildRef | None = None


class MyDataResult(Model):
    """``data``: by section, newest first. ``left_out``: how many more there are of a section, where not all fit; who
    runs the instance can hand them over. Times are seconds since the epoch, in the audit RFC 3339.
    """

    made_at: str
    workspace_id: str
    user_id: str
    data: dict[str, list[dict[str, Any]]]
    left_out: dict[str, int]


class Collected:
    """Things by section, as long as there is room."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.data: dict[str, list[dict[str, Any]]] = {}
        self.left_out: dict[str, int] = {}
        self._room = most_bytes

    def add(self, section: str, thing: dict[str, Any]) -> None:
        size = len(orjson.dumps(thing))
        if section in self.left_out or size > self._room:
            # Of one section nothing is missing in between.
            self.left_out[section] = self.left_out.get(section, 0) + 1
            return
        self._room -= size
        self.data.setdefault(section, []).append(thing)


class GetMyData(ReadOperation[MyDataInput, MyDataResult]):
    """Read everything that Guildhall keeps of you in this workspace. Secrets of your tokens are kept nowhere."""

    name = "my_data_get"
    title = "Read my data"
    toolset = "meta"
    scope = OWN_DATA
    faces = IN_PERSON

    def needs(self, ctx: Context, arguments: MyDataInput) -> tuple[Need, ...]:
        return (Need(ctx.guild_target),)

    async def read(self, ctx: Context, arguments: MyDataInput) -> MyDataResult:
        person, collected = person_of(ctx), Collected()
        async with ctx.services.database.read() as session:
            async for section, thing in ctx.services.forgetting.data_of(session, person):
                collected.add(section, thing)
        before: int | None = None
        while True:
            query = AuditQuery(workspace_id=person.workspace_id, user_id=person.user_id, before=before, limit=PAGE)
            async with ctx.services.database.read() as session:
                page = await audit.page(session, query)
            for entries in page.calls:
                collected.add("audit", plain(folded(entries)))
            before = page.next_before
            if before is None:
                break
        return MyDataResult(
            made_at=timestamp(ctx.now),
            workspace_id=person.workspace_id,
            user_id=str(person.user_id),
            data=collected.data,
            left_out=collected.left_out,
        )
