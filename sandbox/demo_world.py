"""Seeds the demo: two guilds with people, ranks and weeks of talk. The same at every start, but for the date."""

from __future__ import annotations

import datetime
import importlib.resources
import random
from collections.abc import Callable, Iterable

from sandbox.demo_script import Line, Measure, Post, Round, Scene, Story, ThreadScript
from sandbox.guild_builder import GuildBuilder
from sandbox.images import solid_png
from sandbox.internals import Channel, Guild, Message, Poll, PollAnswer
from sandbox.world import World

STORIES = ("harbor_commons.json", "pixel_foundry.json")

_Step = tuple[datetime.datetime, Callable[[], object]]


def load_story(name: str) -> Story:
    text = importlib.resources.files("sandbox").joinpath("demo", name).read_text(encoding="utf-8")
    return Story.model_validate_json(text)


def seed(world: World, *, now: datetime.datetime | None = None) -> None:
    """Fill the world. What happens is replayed in the order of time, so that ids and timestamps lie in the past."""
    now = now or world.clock.now()
    steps: list[_Step] = []
    for name in STORIES:
        story = load_story(name)
        steps += _Telling(world, story, now).steps()
    for moment, step in sorted(steps, key=lambda item: item[0]):
        with world.clock.at(moment):
            step()


class _Telling:
    """One guild's story, turned into dated steps."""

    def __init__(self, world: World, story: Story, now: datetime.datetime) -> None:
        self._world = world
        self._backend = world.backend
        self._story = story
        self._now = now
        self._random = random.Random(story.guild.name)  # noqa: S311 - the same story at every start
        self._guild = self._found()
        self._user_ids = {self._backend.users[user_id].name: user_id for user_id in self._guild.members}
        self._channels = {
            self._backend.channels[channel_id].name: self._backend.channels[channel_id]
            for channel_id in self._guild.channel_ids
        }
        for voice, names in story.voice.items():
            for name in names:
                self._backend.set_voice_state(self._guild.id, self._user_ids[name], self._channels[voice].id)

    def _found(self) -> Guild:
        founded_at = self._now - datetime.timedelta(days=self._story.founded_days_ago)
        accounts = {user.name: user.id for user in self._backend.users.values()}
        spec = self._story.guild.model_copy(deep=True)
        for index, member in enumerate(spec.members):
            if member.name not in accounts:
                with self._world.clock.at(founded_at - datetime.timedelta(days=500 - 31 * index)):
                    accounts[member.name] = self._backend.make_user(
                        member.name, bot=member.bot, global_name=member.global_name
                    ).id
            member.user = accounts[member.name]
        with self._world.clock.at(founded_at):
            guild = GuildBuilder(self._world, spec).build()
        for index, member in enumerate(spec.members):
            joined_at = founded_at + datetime.timedelta(days=self._story.founded_days_ago * index // 20, hours=index)
            guild.members[accounts[member.name]].joined_at = joined_at.isoformat()
        return guild

    def steps(self) -> list[_Step]:
        steps: list[_Step] = []
        for scene in [*self._story.scenes, *self._from_rounds(self._story.rounds)]:
            steps += self._scene(scene)
        for post in self._story.posts:
            steps += self._post(post)
        steps += [(measure.before(self._now), self._measure(measure)) for measure in self._story.measures]
        return steps

    def _from_rounds(self, rounds: Iterable[Round]) -> list[Scene]:
        scenes: list[Scene] = []
        for repeated in rounds:
            count = 0
            for days_ago in range(repeated.days, 0, -1):
                lines: list[Line] = []
                for _ in range(repeated.lines_a_day):
                    by = repeated.speakers[count % len(repeated.speakers)]
                    lines.append(Line(by=by, text=repeated.lines[count % len(repeated.lines)]))
                    count += 1
                scenes.append(Scene(channel=repeated.channel, days_ago=days_ago, at=repeated.at, lines=lines))
        return scenes

    def _scene(self, scene: Scene) -> list[_Step]:
        return self._talk(self._channels[scene.channel], scene.before(self._now), scene.lines)

    def _talk(self, channel: Channel, begins_at: datetime.datetime, lines: list[Line]) -> list[_Step]:
        steps: list[_Step] = []
        said: list[Message] = []
        moment = begins_at
        for line in lines:
            steps.append((moment, self._say(channel, line, said)))
            if line.thread is not None:
                steps.append(self._thread(channel, line.thread, said, moment))
            moment += datetime.timedelta(seconds=self._random.randint(25, 240))
        return steps

    def _say(self, channel: Channel, line: Line, said: list[Message]) -> Callable[[], None]:
        def say() -> None:
            backend = self._backend
            files: list[tuple[str, bytes]] = []
            if line.file is not None:
                files.append((line.file.name, line.file.text.encode()))
            if line.picture is not None:
                files.append((line.picture.name, solid_png(320, 200, line.picture.rgb)))
            reference = None
            if line.reply is not None:
                wanted = {"channel_id": str(channel.id), "message_id": str(said[line.reply - 1].id)}
                reference = backend.normalize_message_reference(channel.id, wanted)
            message = backend.create_message(
                channel.id,
                self._user_ids[line.by],
                line.text,
                embeds=[line.embed] if line.embed is not None else [],
                attachments=backend.store_attachments(channel.id, files),
                reference=reference,
                poll=self._poll(line),
            )
            said.append(message)
            for emoji, names in line.reactions.items():
                for name in names:
                    backend.set_reaction(channel.id, message.id, emoji, self._user_ids[name], True)
            if line.pinned:
                backend.set_pinned(channel.id, message.id, True, actor_id=message.author_id)

        return say

    def _poll(self, line: Line) -> Poll | None:
        if line.poll is None:
            return None
        return Poll(
            question=line.poll.question,
            answers=[PollAnswer(number, text) for number, text in enumerate(line.poll.answers, start=1)],
            expiry=self._backend.iso_after(line.poll.hours * 3600),
            votes={
                number: {self._user_ids[name] for name in names}
                for number, names in enumerate(line.poll.votes, start=1)
            },
        )

    def _thread(
        self, channel: Channel, script: ThreadScript, said: list[Message], begins_at: datetime.datetime
    ) -> _Step:
        """A thread on the message that was said last, told to its end; its ids are those of its own times."""
        moment = begins_at + datetime.timedelta(seconds=10)

        def make() -> None:
            starter = said[-1]
            thread = self._backend.create_thread(
                channel.id, script.name, starter.author_id, message_id=starter.id, broadcast=False
            )
            self._tell_now(thread, script.lines, moment)
            self._archive(thread, script.archived)

        return moment, make

    def _tell_now(self, channel: Channel, lines: list[Line], begins_at: datetime.datetime) -> None:
        for moment, step in self._talk(channel, begins_at, lines):
            with self._world.clock.at(moment):
                step()
        for line in lines:
            channel.thread_members.setdefault(self._user_ids[line.by], begins_at.isoformat())

    def _archive(self, thread: Channel, archived: bool) -> None:
        if thread.thread_metadata is not None and archived:
            thread.thread_metadata.archived = True

    def _post(self, post: Post) -> list[_Step]:
        forum = self._channels[post.forum]
        begins_at = post.before(self._now)
        tag_ids = {tag["name"]: int(tag["id"]) for tag in forum.available_tags}

        def make() -> None:
            first, *others = post.lines
            author_id = self._user_ids[first.by]
            starter = self._backend.prepare_message(forum.id, author_id, first.text)
            thread = self._backend.create_thread(
                forum.id,
                post.title,
                author_id,
                message_id=starter.id,
                applied_tags=[tag_ids[tag] for tag in post.tags],
                broadcast=False,
            )
            starter.channel_id = thread.id
            self._backend.commit_message(starter)
            forum.last_message_id = thread.id
            for emoji, names in first.reactions.items():
                for name in names:
                    self._backend.set_reaction(thread.id, starter.id, emoji, self._user_ids[name], True)
            self._tell_now(thread, others, begins_at + datetime.timedelta(minutes=7))
            self._archive(thread, post.archived)

        return [(begins_at, make)]

    def _measure(self, measure: Measure) -> Callable[[], None]:
        def take() -> None:
            user_id, by = self._user_ids[measure.user], self._user_ids[measure.by]
            member = f"/guilds/{self._guild.id}/members/{user_id}"
            method, path, body = "PATCH", member, None
            if measure.do == "timeout":
                body = {"communication_disabled_until": self._backend.iso_after(measure.seconds)}
            elif measure.do == "nick":
                body = {"nick": measure.nick}
            elif measure.do == "kick":
                method = "DELETE"
            else:
                method, path = "PUT", f"/guilds/{self._guild.id}/bans/{user_id}"
            self._world.request_as(by, method, path, body, reason=measure.reason)

        return take
