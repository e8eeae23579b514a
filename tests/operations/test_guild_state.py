"""Where people stand who are in no cache, or in no guild."""

from __future__ import annotations

import pytest

from operations.guild_state import GuildView
from policy.model import OUTSIDE_RANK, Need, Target
from tests.app import Place, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def view_of(place: Place) -> GuildView:
    view = await place.town.core.state.view(place.guild_id, None)
    assert view is not None
    return view


def rank(view: GuildView, user_id: str, kind: str) -> int | None:
    return view.facts(Need(Target(kind, int(user_id), view.id))).rank


@pytest.mark.parametrize("kind", ["member", "user"])
async def test_whoever_was_not_asked_for_has_no_rank_and_one_known_to_be_outside_the_lowest(
    place: Place, elsewhere: Place, kind: str
) -> None:
    view, foreign = await view_of(place), elsewhere.member("nina")
    assert rank(view, foreign, kind) is None
    assert await view.state.member(view.discord, int(foreign), 0) is None
    assert rank(view, foreign, kind) == OUTSIDE_RANK
    await place.town.sandbox.control("add_member", guild=place.guild_id, user=int(foreign))

    def has_a_rank() -> bool:
        known = rank(view, foreign, kind)
        return known is not None and known > OUTSIDE_RANK

    await until(has_a_rank, "the new member is known")


async def test_a_member_that_the_bot_changed_is_asked_for_again(place: Place) -> None:
    view, nina = await view_of(place), int(place.member("nina"))
    await view.state.member(view.discord, nina, 0)
    assert view.state.known_member(view.discord, nina) is not None
    view.state.forget_member(view.id, nina)
    await place.town.requests()
    await view.state.member(view.discord, nina, 60)
    paths = {request["path"] for request in await place.town.requests()}
    assert paths == {f"/guilds/{place.id}/members/{nina}"}
