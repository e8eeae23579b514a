"""Message components as text: buttons and menus, and the layout of Components V2.

Source: https://discord.com/developers/docs/components/reference
"""

from __future__ import annotations

from collections.abc import Iterable

import discord
from discord.components import Component, MediaGalleryComponent, SectionComponent, SelectOption, TextDisplay

from operations.render_text import Lines, emoji_text, size

_PICKS = {
    discord.ComponentType.user_select: "members",
    discord.ComponentType.role_select: "roles",
    discord.ComponentType.mentionable_select: "members and roles",
    discord.ComponentType.channel_select: "channels",
}


def components(lines: Lines, shown: Iterable[Component]) -> None:
    """Every component in its order; what only spaces is left out."""
    for component in shown:
        _component(lines, component)


def _component(lines: Lines, component: Component) -> None:
    match component:
        case TextDisplay():
            lines.block(component.content)
        case discord.ActionRow():
            components(lines, component.children)
        case SectionComponent():
            components(lines, component.children)
            _component(lines, component.accessory)
        case discord.Container():
            if component.spoiler:
                lines.add("[spoiler]")
            components(lines, component.children)
        case discord.Button():
            _button(lines, component)
        case discord.SelectMenu():
            _select(lines, component)
        case discord.ThumbnailComponent():
            _media(lines, "thumbnail", component.media.url, component.description, spoiler=component.spoiler)
        case MediaGalleryComponent():
            for item in component.items:
                _media(lines, "media", item.media.url, item.description, spoiler=item.spoiler)
        case discord.FileComponent():
            known = [lines.one_line(component.name)] if component.name else []
            if component.size is not None:
                known.append(size(component.size))
            _media(lines, "file", component.media.url, ", ".join(known), spoiler=component.spoiler)
        case discord.SeparatorComponent():
            pass
        case _:
            lines.add(f"[{component.type.name}]")


def _button(lines: Lines, button: discord.Button) -> None:
    label = lines.one_line(button.label or "")
    if button.emoji is not None:
        label = f"{emoji_text(button.emoji)} {label}".rstrip()
    if button.sku_id is not None:
        label = f"{label} purchase of {button.sku_id}".lstrip()
    kind = "button, disabled" if button.disabled else "button"
    target = f" {lines.one_line(button.url)}" if button.url else ""
    lines.add(f"[{kind}] {label or '(no label)'}{target}")


def _select(lines: Lines, menu: discord.SelectMenu) -> None:
    kind = "menu, disabled" if menu.disabled else "menu"
    picks = _PICKS.get(menu.type)
    offered = f"pick {picks}" if picks else " / ".join(_option(lines, option) for option in menu.options)
    placeholder = lines.one_line(menu.placeholder or "")
    lines.add(f"[{kind}] {placeholder}: {offered}" if placeholder else f"[{kind}] {offered}")


def _option(lines: Lines, option: SelectOption) -> str:
    emoji = f"{emoji_text(option.emoji)} " if option.emoji is not None else ""
    description = f" ({lines.one_line(option.description)})" if option.description else ""
    chosen = ", chosen" if option.default else ""
    return f"{emoji}{lines.one_line(option.label)}{description}{chosen}"


def _media(lines: Lines, kind: str, url: str, description: str | None, *, spoiler: bool) -> None:
    told = f" {lines.one_line(description)}" if description else ""
    hidden = ", spoiler" if spoiler else ""
    lines.add(f"[{kind}{hidden}]{told} {lines.one_line(url)}")
