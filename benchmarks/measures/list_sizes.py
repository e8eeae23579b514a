"""What a model has to read: the list of tools, and the list of 200 channels."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.bench import Bench
from benchmarks.calls import listed_tools, tool_call
from benchmarks.rows import Row, Target

READ = ("name", "description", "inputSchema")


async def list_sizes(bench: Bench) -> list[Row]:
    town = await bench.town()
    tools = await listed_tools(town.port, town.token)
    calls = await tool_call(town.port, town.token, "2025-11-25", "channel_list", {"guild": town.guild["id"]})
    answer: str = (await calls.answer())["result"]["content"][0]["text"]
    read = sum(_size({field: tool.get(field) for field in READ}) for tool in tools)
    return [
        Row(
            "tool_size",
            "tools/list, default set: what a model reads of a tool (name, description, input schema), average",
            Target(500, unit="bytes"),
            (read / len(tools),),
            f"{len(tools)} tools",
        ),
        Row("tools_size", "the same, all tools", Target(28.0, unit="KB"), (read / 1024,)),
        Row(
            "tools_size_whole",
            "tools/list with output schemas and annotations",
            Target(64.0, unit="KB"),
            (_size(tools) / 1024,),
        ),
        Row(
            "channel_list_size", "channel_list of 200 channels", Target(12.0, unit="KB"), (len(answer.encode()) / 1024,)
        ),
    ]


def _size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
