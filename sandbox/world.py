"""The one simulated world: simcord's state, who listens to its events, and waiting for it to change."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import secrets
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, cast

from sandbox import additions
from sandbox.additions import Addition, Request
from sandbox.audit import AuditLog
from sandbox.bans import Bans
from sandbox.channels import Channels
from sandbox.clock import WallClock
from sandbox.direct_messages import DirectMessages
from sandbox.guild_settings import GuildSettings
from sandbox.internals import Backend, Guild, RemoteBotEnv, acting_as, dispatch, serializers, silently
from sandbox.invites import Invites, ReusedInvites
from sandbox.members import Members
from sandbox.messages import Messages
from sandbox.overwrites import Overwrites
from sandbox.reactions import Reactions
from sandbox.roles import Roles
from sandbox.threads import Threads
from sandbox.webhooks import Webhooks

Listener = Callable[[str, Mapping[str, Any]], None]


class World:
    """Guilds, members, messages, and the bot account with its token.

    The backend is synchronous: what happens between two awaits is one step, seen by nobody half-way.
    """

    def __init__(self, *, bot_name: str = "Guildhall") -> None:
        self.clock = WallClock()
        self.env = RemoteBotEnv(self.clock, bot_name=bot_name)
        self.backend: Backend = self.env.backend
        self.webhooks = Webhooks(self.backend)
        self.direct_messages = DirectMessages()
        # The first stands around all others. The audit log reads what is there before the others have changed it, and
        # stands around those whose effects it has to know; an invite that is given again is no entry.
        self._additions: tuple[Addition, ...] = (
            Bans(),
            Overwrites(),
            Channels(),
            Messages(),
            self.direct_messages,
            ReusedInvites(),
            AuditLog(),
            Threads(),
            Invites(),
            self.webhooks,
            GuildSettings(),
            Members(),
            Roles(),
            Reactions(),
        )
        # Nothing that scans for leaked Discord tokens, or a guard against real ones, may take this for one.
        self.bot_token = f"sandbox.{secrets.token_urlsafe(32)}"
        self.stats: collections.Counter[str] = collections.Counter()
        self.listeners: list[Listener] = []
        self._held: list[tuple[str, Mapping[str, Any]]] | None = None
        self._changed = asyncio.Event()
        self._nonce: str | None = None
        self._is_on_trial = False
        self._acting_as: int | None = None
        self._request: Request | None = None
        self.backend.subscribers.append(self._on_event)

    @property
    def bot_id(self) -> int:
        return self.backend.bot_user.id

    @property
    def application_id(self) -> int:
        return self.backend.application_id

    def bot_guilds(self) -> list[Guild]:
        return list(self.backend.guilds.values())

    def guild_payload(self, guild: Guild) -> Mapping[str, Any]:
        """The guild as GUILD_CREATE carries it."""
        return cast("Mapping[str, Any]", serializers.guild_create_payload(self.backend, guild))

    def _on_event(self, event: str, payload: Mapping[str, Any]) -> None:
        if self._is_on_trial:
            return
        if self._request is not None:
            for addition in self._additions:
                payload = addition.announced(self._request, event, payload)
        if self._held is not None:
            self._held.append((event, payload))
            return
        if self._nonce is not None and event == "MESSAGE_CREATE":
            payload = {**payload, "nonce": self._nonce}
        events = [(event, payload)]
        if event == "THREAD_MEMBERS_UPDATE" and (joined := self._joined(payload)) is not None:
            events.insert(0, ("THREAD_CREATE", joined))
        for each in events:
            for listener in self.listeners:
                listener(*each)
        self.notify()

    def _joined(self, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The thread that the bot was added to: it may hear of it for the first time.

        "Sent … when the current user is added to a thread. … When being added to an existing private thread, includes a
        thread member object." https://discord.com/developers/docs/events/gateway-events#thread-create
        """
        added = cast("list[Mapping[str, Any]]", payload.get("added_members") or [])
        member = next((each for each in added if each.get("user_id") == str(self.bot_id)), None)
        if member is None:
            return None
        thread = self.backend.get_channel(int(payload["id"]))
        return {**serializers.thread_payload(self.backend, thread), "member": member}

    @contextlib.contextmanager
    def sending(self, nonce: str | None) -> Generator[None]:
        """The message created inside is announced with its sender's nonce. Only for code that doesn't await."""
        self._nonce = nonce
        try:
            yield
        finally:
            self._nonce = None

    @contextlib.contextmanager
    def as_user(self, user_id: int) -> Generator[None]:
        """Let REST routes run as this user. Their events are held back until the bot is itself again: the filters of
        the gateway ask who the bot is. Only for code that doesn't await.
        """
        user = self.backend.get_user(user_id)
        self._held = held = list[tuple[str, Mapping[str, Any]]]()
        try:
            with acting_as(self.backend, user):
                yield
        finally:
            self._held = None
            for event, payload in held:
                self._on_event(event, payload)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        files: Sequence[Any] = (),
        reason: str | None = None,
    ) -> Any:
        """One REST request of the bot: simcord's route with everything that is added to it, in one step.

        Raises BackendError as Discord would answer.
        """
        request = Request(self.backend, method, path, body, query or {}, files, reason)
        self._request = request
        try:
            return additions.play(self._additions, request, _simcords)
        finally:
            self._request = None

    def arrived(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        files: Sequence[Any] = (),
        reason: str | None = None,
    ) -> Any:
        """A request with the bot's token: the bot's own, save in a trial that acts as somebody else."""
        with contextlib.nullcontext() if self._acting_as is None else self.as_user(self._acting_as):
            return self.request(method, path, body=body, query=query, files=files, reason=reason)

    @contextlib.contextmanager
    def on_trial(self, acting_as: int | None) -> Generator[None]:
        """For sandbox.trials: nobody hears of what happens inside, done by the bot or by this user. May span awaits."""
        if self._is_on_trial:
            raise RuntimeError("one trial at a time")
        self._is_on_trial, self._acting_as = True, acting_as
        try:
            yield
        finally:
            self._is_on_trial, self._acting_as = False, None

    def request_as(self, user_id: int, method: str, path: str, body: Any = None, *, reason: str | None = None) -> Any:
        """What this user does by hand in Discord: the request with the user's own permissions, logged as theirs."""
        with self.as_user(user_id):
            return self.request(method, path, body=body, reason=reason)

    @contextlib.contextmanager
    def silently(self) -> Generator[None]:
        """Change the world without events. Only for code that doesn't await."""
        with silently(self.backend):
            yield

    def notify(self) -> None:
        """Wake everyone in `wait_until`."""
        event, self._changed = self._changed, asyncio.Event()
        event.set()

    async def wait_until(self, predicate: Callable[[], bool], timeout_seconds: float) -> bool:
        """Wait until the predicate holds; False when it still doesn't after the time given."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while not predicate():
                    await self._changed.wait()
        except TimeoutError:
            return predicate()
        return True


def _simcords(request: Request) -> Any:
    return dispatch(
        request.backend,
        request.method,
        request.path,
        body=request.body,
        query=request.query,
        files=list(request.files),
        reason=request.reason,
    )
