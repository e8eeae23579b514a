"""Embeds and polls as text."""

from __future__ import annotations

import discord

from operations.render_text import Lines, emoji_text, minutes

_INDENT = "  "


def embed(lines: Lines, shown: discord.Embed) -> None:
    """A head line, then whatever the embed has, indented. Addresses are written out."""
    title = lines.one_line(shown.title) if shown.title else ""
    head = f"[embed] {title}".rstrip()
    lines.add(f"{head} {lines.one_line(shown.url)}" if shown.url else head)
    author = shown.author
    if author.name:
        link = f" {lines.one_line(author.url)}" if author.url else ""
        lines.add(f"{_INDENT}by {lines.one_line(author.name)}{link}")
    provider = shown.provider
    if provider.name:
        lines.labelled("from", provider.name, _INDENT)
    if shown.description:
        lines.block(shown.description, _INDENT)
    for field in shown.fields:
        name = lines.one_line(field.name or "")
        lines.labelled(name or "field", field.value or "–", _INDENT)
    lines.labelled("image", shown.image.url, _INDENT)
    lines.labelled("thumbnail", shown.thumbnail.url, _INDENT)
    lines.labelled("video", shown.video.url, _INDENT)
    lines.labelled("footer", shown.footer.text, _INDENT)
    if shown.timestamp is not None:
        lines.add(f"{_INDENT}dated {minutes(shown.timestamp)} UTC")


def poll(lines: Lines, shown: discord.Poll) -> None:
    """The question, each answer with its votes, and until when it runs or ran."""
    state = "closed" if shown.is_finalised() else "open"
    until = shown.expires_at
    ends = "" if until is None else f", {'ended' if shown.is_finalised() else 'until'} {minutes(until)} UTC"
    choice = ", several answers allowed" if shown.multiple else ""
    lines.add(f"[poll, {state}{ends}{choice}] {lines.one_line(shown.question)}")
    for answer in shown.answers:
        emoji = f"{emoji_text(answer.emoji)} " if answer.emoji is not None else ""
        votes = answer.vote_count
        lines.add(
            f"{_INDENT}{answer.id}. {emoji}{lines.one_line(answer.text)} – {votes} vote{'' if votes == 1 else 's'}"
        )
