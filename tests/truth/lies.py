"""``python -m tests.truth.lies``: previews that lie, each in its way, and what the judge makes of them, as JSON."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from operations.base import Context, Preview
from operations.discord.case_edit import EditCase
from operations.discord.channel_create import CreateChannel
from operations.discord.channel_delete import DeleteChannel
from operations.discord.channel_edit import EditChannel
from operations.discord.message_send import SendMessage
from operations.platform.chat_channels import AllowChatChannel
from operations.platform.pauses import PauseGuild, ResumeGuild
from policy.model import Need, Requirement
from tests.truth.stage import running_stage
from tests.truth.sweep import sweep

GUILDS = 8
LIARS = (SendMessage, EditChannel, CreateChannel, DeleteChannel, EditCase, AllowChatChannel, PauseGuild, ResumeGuild)
Change = Callable[[Preview[Any]], Preview[Any]]


def previewing(change: Change, of: type[Any]) -> Any:
    """The operation's own preview, changed."""
    honest = of.preview

    async def preview(self: Any, ctx: Context, arguments: Any) -> Preview[Any]:
        return change(await honest(self, ctx, arguments))

    return preview


def without_the_requester(of: type[Any]) -> Any:
    """The operation's own requirement, that asks the bot alone."""
    honest = of.requirement

    def requirement(self: Any, ctx: Context, arguments: Any) -> Requirement:
        asked: Requirement = honest(self, ctx, arguments)
        bare = tuple(Need(need.target, bot_bits=need.bot_bits) for need in asked.needs)
        return replace(asked, needs=bare)

    return requirement


def lie() -> None:
    # No problem is ever told; every call has one; nobody's rights are asked.
    SendMessage.preview = previewing(lambda preview: replace(preview, problems=()), SendMessage)
    EditChannel.preview = previewing(lambda preview: replace(preview, problems=("No.",)), EditChannel)
    CreateChannel.requirement = without_the_requester(CreateChannel)
    # The same of what is Guildhall's own.
    AllowChatChannel.preview = previewing(lambda preview: replace(preview, problems=()), AllowChatChannel)
    PauseGuild.preview = previewing(lambda preview: replace(preview, problems=("No.",)), PauseGuild)
    EditCase.requirement = without_the_requester(EditCase)


async def found() -> dict[str, Counter[str]]:
    kinds: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with running_stage(Path(folder)) as stage:
            async for _, finding in sweep(stage, 11, range(GUILDS), operations=LIARS):
                kinds.setdefault(finding.operation, Counter())[finding.kind] += 1
    return kinds


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    lie()
    sys.stdout.write(orjson.dumps(asyncio.run(found())).decode())
