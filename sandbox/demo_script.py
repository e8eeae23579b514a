"""The shape of a demo guild's story: who says what, where and when. The stories themselves are data in `demo/`."""

from __future__ import annotations

import datetime
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from sandbox.guild_spec import GuildSpec, Spec


class Moment(Spec):
    """`days_ago` at a time of day (UTC), or `minutes_ago`."""

    days_ago: int | None = Field(default=None, ge=1)
    at: datetime.time = datetime.time(12, 0)
    minutes_ago: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.days_ago is None) == (self.minutes_ago is None):
            raise ValueError("a moment is days_ago or minutes_ago")
        return self

    def before(self, now: datetime.datetime) -> datetime.datetime:
        if self.minutes_ago is not None:
            return now - datetime.timedelta(minutes=self.minutes_ago)
        day = now.date() - datetime.timedelta(days=self.days_ago or 0)
        return datetime.datetime.combine(day, self.at, tzinfo=datetime.UTC)


class PollScript(Spec):
    question: str
    answers: list[str]
    votes: list[list[str]] = []
    hours: int = Field(default=72, ge=1, le=768)


class TextFile(Spec):
    name: str
    text: str


class Picture(Spec):
    name: str
    rgb: tuple[int, int, int]


class Line(Spec):
    """One message: `"name: text"`, or an object with more. `reply` counts the lines of the scene from 1."""

    by: str
    text: str = ""
    reply: int | None = None
    reactions: dict[str, list[str]] = {}
    embed: dict[str, Any] | None = None
    file: TextFile | None = None
    picture: Picture | None = None
    poll: PollScript | None = None
    pinned: bool = False
    thread: ThreadScript | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        by, _, text = value.partition(": ")
        return {"by": by, "text": text}


class ThreadScript(Spec):
    name: str
    lines: list[Line]
    archived: bool = False


class Scene(Moment):
    channel: str
    lines: list[Line]


class Post(Moment):
    """A forum post; its first line is the starter message."""

    forum: str
    title: str
    tags: list[str] = []
    lines: list[Line]
    archived: bool = False


class Round(Spec):
    """The same ritual every day for a while: `speakers` take turns at `lines`."""

    channel: str
    days: int = Field(ge=1)
    at: datetime.time
    lines_a_day: int = Field(ge=1)
    speakers: list[str]
    lines: list[str]


class Measure(Moment):
    """Moderation by hand, as it stands in the audit log."""

    do: Literal["timeout", "kick", "ban", "nick"]
    by: str
    user: str
    reason: str
    seconds: float = 600
    nick: str | None = None


class Story(Spec):
    """A guild and what happened in it."""

    guild: GuildSpec
    founded_days_ago: int = Field(ge=1)
    voice: dict[str, list[str]] = {}
    scenes: list[Scene]
    posts: list[Post] = []
    rounds: list[Round] = []
    measures: list[Measure] = []


Line.model_rebuild()
