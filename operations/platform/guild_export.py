"""What is kept of a guild, as a file for its administrators."""

from __future__ import annotations

import base64
import gzip
import io
from typing import Any

import orjson
from pydantic import Field

from operations.base import Context, Model, ReadOperation
from operations.declaring import ADMINISTRATION
from operations.errors import Refused
from operations.outcomes import plain, timestamp
from operations.platform.audit import folded
from operations.refs import GuildRef
from policy.model import Need, PlatformRole, Refuse, Step
from storage import audit
from storage.audit import AuditQuery

# Discord takes files of 10 MiB from a bot. https://discord.com/developers/docs/reference#uploading-files
MOST_BYTES = 8 * 1024 * 1024
PAGE = 200


class GuildExportInput(Model):
    guild: GuildRef | None = None


class GuildExportResult(Model):
    """``content``: JSON lines, compressed with gzip, in base64. ``lines``: how many of each section. ``left_out``: how
    many older audited calls did not fit; ``guildhall audit export`` writes all.
    """

    file_name: str
    content: str = Field(repr=False)
    lines: dict[str, int]
    left_out: int = 0


class ExportGuild(ReadOperation[GuildExportInput, GuildExportResult]):
    """Export what Guildhall keeps of this guild: its policy, channel policies, cases, and audited calls, newest first,
    redacted as in audit_list.
    """

    name = "guild_export"
    title = "Export a guild's data"
    toolset = "administration"
    scope = "admin:export"
    faces = ADMINISTRATION
    min_role = PlatformRole.ADMIN
    actor_permissions = ("administrator",)

    def needs(self, ctx: Context, arguments: GuildExportInput) -> tuple[Need, ...]:
        return (self.need(ctx.guild_target),)

    async def read(self, ctx: Context, arguments: GuildExportInput) -> GuildExportResult:
        installation = ctx.services.facts.snapshot.installations.get(ctx.guild.id)
        if installation is None:
            raise Refused(Refuse(Step.INSTALLATION, "not_installed", "This guild is not installed.", hidden=True))
        lines = Lines(MOST_BYTES)
        lines.add(
            "export",
            {
                "made_at": timestamp(ctx.now),
                "guild_id": str(ctx.guild.id),
                "workspace_id": installation.workspace_id,
                "installation_id": installation.id,
            },
        )
        async with ctx.services.database.read() as session:
            async for section, thing in ctx.services.forgetting.data_of_guild(
                session, installation.id, ctx.caller.user_id
            ):
                lines.add(section, thing)
        before: int | None = None
        while True:
            query = AuditQuery(workspace_id=installation.workspace_id, guild_id=ctx.guild.id, before=before, limit=PAGE)
            async with ctx.services.database.read() as session:
                page = await audit.page(session, query)
            for entries in page.calls:
                if entries[0].installation_id == installation.id:
                    chained = [entry.seq for entry in entries]
                    lines.add("audit", {**plain(folded(entries)), "seq": chained})
            before = page.next_before
            if before is None:
                break
        return GuildExportResult(
            file_name=f"guildhall-{ctx.guild.id}.jsonl.gz",
            content=base64.b64encode(lines.close()).decode(),
            lines=lines.counts,
            left_out=lines.left_out,
        )


class Lines:
    """Compressed JSON lines, of at most so many bytes. What does not fit is counted."""

    def __init__(self, most_bytes: int) -> None:
        self.counts: dict[str, int] = {}
        self.left_out = 0
        self._most_bytes = most_bytes
        self._buffer = io.BytesIO()
        self._file = gzip.GzipFile(fileobj=self._buffer, mode="wb", mtime=0)
        self._held = 0

    def add(self, section: str, thing: dict[str, Any]) -> None:
        line = orjson.dumps({"section": section, **thing}) + b"\n"
        # What the compressor still holds back is counted as if it could not be compressed.
        if self.left_out or self._buffer.tell() + self._held + len(line) > self._most_bytes:
            self.left_out += 1
            return
        before = self._buffer.tell()
        self._file.write(line)
        self._held = 0 if self._buffer.tell() > before else self._held + len(line)
        self.counts[section] = self.counts.get(section, 0) + 1

    def close(self) -> bytes:
        self._file.close()
        return self._buffer.getvalue()
