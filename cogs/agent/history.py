"""A conversation as a model reads it: structured blocks in which text of others can't pass for anything else."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cogs.agent.conversations import AuthorKind, Conversation, Utterance
from cogs.agent.messages import Block
from operations.sanitise import inline, sanitise

CHARACTERS_A_TOKEN = 3.0
"""Fewer than any tokenizer needs for ordinary text: an estimate that errs to the safe side."""
LONGEST_TEXT = 6_000
# From this share of the budget on, the older half is condensed.
FULL = 0.8


@dataclass(frozen=True, slots=True)
class Quoted:
    """A message that a request answers."""

    message_id: int
    author_id: int
    author_name: str
    kind: AuthorKind
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a member asks, with its context. ``blocks``: images and texts that came with it."""

    utterance: Utterance
    quoted: Quoted | None = None
    blocks: tuple[Block, ...] = ()


def tokens_of(text: str) -> int:
    return int(len(text.encode()) / CHARACTERS_A_TOKEN) + 1


def escaped(text: str, limit: int = LONGEST_TEXT) -> str:
    """Without unseen characters, and without a bracket that could open or close a block."""
    return html.escape(sanitise(text, limit=limit), quote=False)


def messages_for(conversation: Conversation, asked: Asked, *, budget_tokens: int) -> list[dict[str, Any]]:
    """The messages of a request: summary, as much of the conversation's end as the budget holds, then what is asked.

    They begin with the user's and alternate.
    """
    kept = _within(conversation.utterances, budget_tokens - tokens_of(conversation.summary))
    messages: list[dict[str, Any]] = []
    if conversation.summary:
        _add(messages, "user", f"<summary>\n{escaped(conversation.summary)}\n</summary>")
    for said in kept:
        if said.by_agent:
            if not messages:
                # An answer whose question did not fit: the first message has to be the user's.
                continue
            _add(messages, "assistant", sanitise(said.text, limit=LONGEST_TEXT))
        else:
            _add(messages, "user", _message(said))
    for block in request_blocks(asked):
        _append(messages, "user", block)
    return messages


def request_blocks(asked: Asked) -> list[Block]:
    """What is asked, as blocks of a user's message."""
    blocks: list[Block] = []
    if asked.quoted is not None:
        quoted = asked.quoted
        attributes = _attributes(quoted.message_id, quoted.author_id, quoted.author_name, quoted.kind)
        blocks.append(_text(f"<replied_to {attributes}>\n{escaped(quoted.text)}\n</replied_to>"))
    blocks.extend(asked.blocks)
    said = asked.utterance
    at = datetime.fromtimestamp(said.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    attributes = _attributes(said.message_id, said.author_id, said.author_name, said.kind)
    blocks.append(_text(f'<request {attributes} at="{at}">\n{escaped(said.text)}\n</request>'))
    return blocks


def condensable(conversation: Conversation, budget_tokens: int) -> tuple[Utterance, ...]:
    """The older half of a conversation that nearly fills its budget; () while there is room."""
    sizes = [tokens_of(said.text) for said in conversation.utterances]
    if len(sizes) < 4 or sum(sizes) < FULL * budget_tokens:
        return ()
    older, total = 0, 0
    while older < len(sizes) - 2 and total < sum(sizes) / 2:
        total += sizes[older]
        older += 1
    return conversation.utterances[:older]


def transcript(conversation: Conversation, utterances: Sequence[Utterance]) -> str:
    """What is to be condensed, the summary before it included."""
    parts = [f"<summary>\n{escaped(conversation.summary)}\n</summary>"] if conversation.summary else []
    return "\n".join([*parts, *(_message(said) for said in utterances)])


def _within(utterances: Sequence[Utterance], budget_tokens: int) -> Sequence[Utterance]:
    left, first = budget_tokens, len(utterances)
    while first > 0:
        left -= tokens_of(utterances[first - 1].text[:LONGEST_TEXT]) + 40
        if left < 0:
            break
        first -= 1
    return utterances[first:]


def _message(said: Utterance) -> str:
    attributes = _attributes(said.message_id, said.author_id, said.author_name, said.kind)
    own = ' by="you"' if said.by_agent else ""
    return f"<message {attributes}{own}>\n{escaped(said.text)}\n</message>"


def _attributes(message_id: int, author_id: int, name: str, kind: AuthorKind) -> str:
    shown = html.escape(inline(name), quote=True)
    return f'id="{message_id}" author_id="{author_id}" author="{shown}" kind="{kind}"'


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def _add(messages: list[dict[str, Any]], role: str, text: str) -> None:
    if text.strip():
        _append(messages, role, _text(text))


def _append(messages: list[dict[str, Any]], role: str, block: Block) -> None:
    if messages and messages[-1]["role"] == role:
        messages[-1]["content"].append(block)
    else:
        messages.append({"role": role, "content": [block]})
