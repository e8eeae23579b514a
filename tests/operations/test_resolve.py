"""Names, mentions, ids and links; look-alikes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.resolve import MAX_ID, Ambiguous, Link, LookAlike, link, pick, skeleton, snowflake
from policy.model import Target

GUILD, CHANNEL, MESSAGE = 123456789012345678, 223456789012345678, 323456789012345678
BASE = "https://discord.com/channels"


def target(number: int, name: str) -> Target:
    return Target("role", number, GUILD, name)


def named(*names: str) -> list[tuple[str, Target]]:
    return [(name, target(number, name)) for number, name in enumerate(names, start=1)]


# ----------------------------------------------------------------------- links
@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{BASE}/{GUILD}", Link(GUILD, None, None)),
        (f"{BASE}/{GUILD}/", Link(GUILD, None, None)),
        (f"{BASE}/{GUILD}/{CHANNEL}", Link(GUILD, CHANNEL, None)),
        (f"{BASE}/{GUILD}/{CHANNEL}/{MESSAGE}", Link(GUILD, CHANNEL, MESSAGE)),
        (f"https://ptb.discord.com/channels/{GUILD}/{CHANNEL}", Link(GUILD, CHANNEL, None)),
        (f"https://canary.discord.com/channels/{GUILD}/{CHANNEL}", Link(GUILD, CHANNEL, None)),
        (f"https://discordapp.com/channels/{GUILD}/{CHANNEL}", Link(GUILD, CHANNEL, None)),
    ],
)
def test_a_jump_link_names_guild_channel_and_message(text: str, found: Link) -> None:
    assert link(text) == found


@pytest.mark.parametrize(
    "text",
    [
        f"http://discord.com/channels/{GUILD}/{CHANNEL}",
        f"https://discord.com.evil.example/channels/{GUILD}/{CHANNEL}",
        f"https://evil.example/https://discord.com/channels/{GUILD}",
        f"https://evildiscord.com/channels/{GUILD}/{CHANNEL}",
        f"https://discord.com/channels/@me/{CHANNEL}",
        f"{BASE}/{GUILD}/{CHANNEL}/{MESSAGE}/1",
        f"{BASE}/{GUILD}/{CHANNEL}?x=1",
        f"{BASE}/{GUILD}\n",
        f"{BASE}/{'9' * 20}/{CHANNEL}",
        f"{BASE}/{GUILD}/{MAX_ID + 1}",
        f"{BASE}/{GUILD}/{CHANNEL}/{'9' * 20}",
        f"{BASE}/{'١' * 18}",
        "general",
        "",
    ],
)
def test_anything_else_is_no_jump_link(text: str) -> None:
    assert link(text) is None


# ------------------------------------------------------------------------- ids
@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("channel", str(CHANNEL), CHANNEL),
        ("channel", f"<#{CHANNEL}>", CHANNEL),
        ("channel", f"{BASE}/{GUILD}/{CHANNEL}", CHANNEL),
        ("category", f"<#{CHANNEL}>", CHANNEL),
        ("guild", f"{BASE}/{GUILD}/{CHANNEL}", GUILD),
        ("message", f"{BASE}/{GUILD}/{CHANNEL}/{MESSAGE}", MESSAGE),
        ("message", str(MESSAGE), MESSAGE),
        ("member", f"<@{CHANNEL}>", CHANNEL),
        ("member", f"<@!{CHANNEL}>", CHANNEL),
        ("role", f"<@&{CHANNEL}>", CHANNEL),
        ("role", str(MAX_ID), MAX_ID),
        ("channel", f"{BASE}/{GUILD}", None),
        ("member", f"{BASE}/{GUILD}/{CHANNEL}", None),
        ("role", f"<@{CHANNEL}>", None),
        ("member", f"<@&{CHANNEL}>", None),
        ("channel", f"<@{CHANNEL}>", None),
        ("message", f"<#{CHANNEL}>", None),
        ("guild", "Harbor", None),
        ("channel", "1234", None),
        ("channel", str(MAX_ID + 1), None),
        ("member", f"<@{MAX_ID + 1}>", None),
        ("channel", f"<#{'9' * 20}>", None),
        ("channel", "１２３４５６７８９０１２３４５６７８", None),
        ("channel", f"{CHANNEL} ", None),
    ],
)
def test_an_id_is_given_by_digits_by_a_mention_of_its_kind_or_by_a_link(
    kind: str, text: str, found: int | None
) -> None:
    assert snowflake(kind, text) == found


@given(st.sampled_from(["guild", "channel", "category", "message", "member", "role"]), st.text(max_size=60))
def test_an_id_always_fits_into_what_stores_ids(kind: str, text: str) -> None:
    found = snowflake(kind, text)
    assert found is None or 0 <= found <= MAX_ID


# ------------------------------------------------------------------ look-alikes
@pytest.mark.parametrize(
    ("real", "imitation"),
    [
        ("admin", "аdmin"),  # Cyrillic а
        ("ADMIN", "АDMIN"),
        ("BOT", "ВОТ"),  # Cyrillic capitals, whose small letters look like nothing Latin
        ("support", "suррort"),
        ("gold", "g0ld"),
        ("GOLD", "G0LD"),
        ("gOld", "g0ld"),
        ("alice", "aIice"),
        ("alice", "a1ice"),
        ("alice", "al1ce"),
        ("alice", "a|ice"),
        ("Illl", "llll"),
        ("admin", "ａｄｍｉｎ"),  # full width
        ("admin", "𝐚𝐝𝐦𝐢𝐧"),
        ("admin", "ad\u200bmin"),  # zero width space
        ("admin", "ad\u200dmin"),
        ("admin", "\ufeffadmin"),
        ("admin", "ad\u00admin"),
        ("admin", "admin\u3164"),  # Hangul filler
        ("admin", "ad\u034fmin"),
        ("admin", "admin\ufe0f"),
        ("admin", "\u202eadmin"),
        ("alpha", "αlpha"),
        ("cat", "ϲat"),
        ("modern", "modem"),
        ("wave", "vvave"),
        ("Mod Team", "Mod  Team"),
        ("Mod Team", "Mod\u00a0Team"),
        ("Mod Team", " Mod Team"),
        ("Admin", "admin"),
        ("straße", "strasse"),
        ("ﬁnance", "finance"),
    ],
    ids=lambda value: value.encode("unicode_escape").decode(),
)
def test_a_look_alike_never_passes_for_the_real_thing(real: str, imitation: str) -> None:
    assert skeleton(real) == skeleton(imitation)
    both = named(real, imitation)
    for text in (real, imitation):
        picked = pick(text, both, strict=True)
        assert isinstance(picked, LookAlike)
        assert {candidate.id for candidate in picked.candidates} == {1, 2}
    # Alone it is what it is called, and by the other's name it is not found.
    assert pick(imitation, named(imitation), strict=True) == target(1, imitation)
    assert pick(real, named(imitation), strict=True) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("admin", "admins"), ("mods", "nods"), ("日本", "日木"), ("cafe", "café"), ("a-b", "a_b"), ("🎉", "🎊")],
)
def test_names_that_differ_to_the_eye_are_told_apart(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)
    assert pick(one, named(one, other), strict=True) == target(1, one)


@given(st.text(max_size=40))
def test_what_a_name_looks_like_is_settled_at_once(name: str) -> None:
    assert skeleton(skeleton(name)) == skeleton(name)


@given(
    st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=20),
    st.sampled_from("\u200b\u2060\ufeff\u3164\u00ad"),
)
def test_what_shows_as_nothing_makes_no_other_name(name: str, unseen: str) -> None:
    assert skeleton(name + unseen) == skeleton(name)


# ------------------------------------------------------------------------ names
def test_an_exact_name_wins_over_one_of_another_case() -> None:
    candidates = named("Support", "support")
    assert pick("support", candidates, strict=False) == target(2, "support")
    assert pick("SUPPORT", candidates, strict=False) == Ambiguous((target(1, "Support"), target(2, "support")))
    assert pick("Supp", candidates, strict=False) is None


def test_the_case_does_not_matter_where_only_one_fits() -> None:
    assert pick("GENERAL", named("general", "random"), strict=False) == target(1, "general")
    assert pick("ＧＥＮＥＲＡＬ", named("general"), strict=False) == target(1, "general")
    assert pick("GENERAL", named("general"), strict=True) is None


@pytest.mark.parametrize("strict", [False, True])
def test_two_of_one_name_are_ambiguous_and_one_that_is_known_twice_is_not(strict: bool) -> None:
    assert pick("a", named("a", "a"), strict=strict) == Ambiguous((target(1, "a"), target(2, "a")))
    same = target(1, "a")
    assert pick("a", [("a", same), ("a", same)], strict=strict) == same
    assert pick("a", [], strict=strict) is None


@given(
    st.lists(st.text(alphabet="aAbB01lI", min_size=1, max_size=3), max_size=8), st.text(alphabet="aAbB01lI", max_size=3)
)
def test_a_strict_pick_is_the_only_one_of_its_look(names: list[str], text: str) -> None:
    picked = pick(text, named(*names), strict=True)
    if isinstance(picked, Target):
        assert picked.name == text
        assert [name for name in names if skeleton(name) == skeleton(text)] == [text]
    elif picked is None:
        assert text not in names
