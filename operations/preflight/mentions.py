"""Mentions: what a text must hold to notify somebody."""

from __future__ import annotations


def mentions_of(kind: str, target_id: int) -> tuple[str, ...]:
    """The forms of a mention, the usual one first. ``kind``: member, role or everyone.

    https://discord.com/developers/docs/reference#message-formatting-formats
    """
    if kind == "everyone":
        return ("@everyone", "@here")
    return (f"<@&{target_id}>",) if kind == "role" else (f"<@{target_id}>", f"<@!{target_id}>")


def mention_is_there(kind: str, target_id: int, called: str, content: str) -> str | None:
    """``allowed_mentions`` only filters: it "will always validate against message content to avoid phantom pings".

    https://discord.com/developers/docs/resources/message#allowed-mentions-object
    """
    forms = mentions_of(kind, target_id)
    if any(form in content for form in forms):
        return None
    return f"The text does not mention {called}, so nobody is notified; write {forms[0]} in it."
