"""The provider: any endpoint that speaks the Messages API, over the official SDK's HTTP client and nothing above it.

Requests are tried once here; whether to ask again is for the loop to say, which knows what was shown. The SDK's own
waiting (a `retry-after` without a cap) and its event types (which refuse what another server words differently) are
not used.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import httpx2
from anthropic import APIConnectionError, APIStatusError, APITimeoutError, AsyncAnthropic, AsyncStream, Omit
from anthropic import DefaultAsyncHttpxClient as HttpClient

from cogs.agent.assembly import Assembly, error_of, kind_named, speaks_of_length
from cogs.agent.messages import Event, ProviderError, Request, Trouble

OFFICIAL_HOST = "api.anthropic.com"
OFFICIAL_URL = f"https://{OFFICIAL_HOST}"
COMPATIBLE_VERSION = "2023-06-01"
LARGEST_BODY_BYTES = 8 * 1024 * 1024
_STATUS = {
    401: Trouble.UNAUTHORISED,
    402: Trouble.UNPAID,
    403: Trouble.UNAUTHORISED,
    408: Trouble.TIMED_OUT,
    409: Trouble.OVERLOADED,
    413: Trouble.TOO_LONG,
    429: Trouble.RATE_LIMITED,
    504: Trouble.TIMED_OUT,
}
_DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may take, in seconds: to answer at all, between two events, for the whole answer.

    A ping is an event: an answer that only pings ends with the total.
    """

    first_seconds: float = 60.0
    between_seconds: float = 60.0
    total_seconds: float = 300.0


class MessagesProvider:
    """See cogs.agent.messages.Provider. ``open`` it; its connections close with the block."""

    def __init__(
        self, client: AsyncAnthropic, key: str, profile: Literal["official", "compatible"], patience: Patience
    ):
        self._client = client
        self._key = key
        self._profile = profile
        self._patience = patience

    @classmethod
    @asynccontextmanager
    async def open(
        cls, key: str, base_url: str | None = None, patience: Patience | None = None
    ) -> AsyncGenerator[MessagesProvider]:
        """``base_url`` None: the official endpoint. A path that ends in /v1 or /v1/messages is understood, too."""
        url = normal_url(base_url)
        profile = "official" if urlsplit(url).hostname == OFFICIAL_HOST else "compatible"
        # A redirect would carry the key to another host.
        http = HttpClient(follow_redirects=False, timeout=httpx2.Timeout(None, connect=10.0))
        async with AsyncAnthropic(api_key=key, base_url=url, max_retries=0, http_client=http) as client:
            yield cls(client, key, profile, patience or Patience())

    @property
    def searches_tools(self) -> bool:
        return self._profile == "official"

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        ends_at = time.monotonic() + self._patience.total_seconds
        assembly = Assembly()
        sending = cast("Any", self._client.messages).with_streaming_response.create(**self._body(request))
        try:
            async with asyncio.timeout(self._patience.first_seconds):
                answer = await sending.__aenter__()
            try:
                response: httpx2.Response = answer.http_response
                if "json" in response.headers.get("content-type", ""):
                    for event in assembly.whole(await self._document(response, ends_at)):
                        yield event
                else:
                    async for data in self._events(response, ends_at):
                        for event in assembly.feed(data):
                            yield event
                        if assembly.ended:
                            break
            finally:
                await answer.close()
        except (TimeoutError, APITimeoutError, httpx2.TimeoutException) as error:
            raise ProviderError(Trouble.TIMED_OUT, "the server took too long") from error
        except APIStatusError as error:
            raise _of_status(error) from error
        except (APIConnectionError, httpx2.TransportError, OSError) as error:
            broke_off = isinstance(error, httpx2.RemoteProtocolError | httpx2.ReadError)
            trouble = Trouble.TRUNCATED if broke_off else Trouble.UNREACHABLE
            raise ProviderError(trouble, type(error).__name__) from error
        except (UnicodeError, httpx2.DecodingError) as error:
            raise ProviderError(Trouble.MALFORMED, "the stream is no UTF-8 text") from error
        yield assembly.answer()

    async def _events(self, response: httpx2.Response, ends_at: float) -> AsyncIterator[Mapping[str, Any]]:
        """The data of each server-sent event, whether or not the server names them."""
        events = AsyncStream.raw_events(response)
        while True:
            left = min(self._patience.between_seconds, ends_at - time.monotonic())
            async with asyncio.timeout(max(0.0, left)):
                event = await anext(events, None)
            if event is None or event.data.strip() == _DONE:
                return
            if not event.data.strip():
                continue
            try:
                data = json.loads(event.data)
            except ValueError:
                raise ProviderError(Trouble.MALFORMED, "an event holds no JSON") from None
            if not isinstance(data, dict):
                raise ProviderError(Trouble.MALFORMED, "an event holds no object")
            found = cast("dict[str, Any]", data)
            yield found if "type" in found else {**found, "type": event.event or ("error" if "error" in found else "")}

    async def _document(self, response: httpx2.Response, ends_at: float) -> Mapping[str, Any]:
        body = bytearray()
        async with asyncio.timeout(max(0.0, ends_at - time.monotonic())):
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > LARGEST_BODY_BYTES:
                    raise ProviderError(Trouble.MALFORMED, "the answer is too large")
        try:
            data = json.loads(bytes(body))
        except ValueError:
            raise ProviderError(Trouble.MALFORMED, "the answer is no JSON") from None
        if not isinstance(data, dict):
            raise ProviderError(Trouble.MALFORMED, "the answer is no object")
        found = cast("dict[str, Any]", data)
        if found.get("type") == "error" or "content" not in found:
            raise error_of(found)
        return found

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": request.model,
            "max_tokens": request.max_tokens,
            "messages": list(request.messages),
            "system": request.system,
            "stream": True,
            "extra_headers": {},
        }
        if request.tools:
            body["tools"] = list(request.tools)
            if not request.tools_allowed:
                # They stay in the request: it holds calls of theirs, and its prefix stays the same.
                body["tool_choice"] = {"type": "none"}
        if self._profile == "official":
            body["cache_control"] = {"type": "ephemeral"}
        else:
            body["extra_headers"] = {
                "anthropic-version": COMPATIBLE_VERSION,
                "X-Api-Key": self._key,
                "Authorization": Omit(),
            }
        return body


def normal_url(base_url: str | None) -> str:
    url = (base_url or OFFICIAL_URL).rstrip("/")
    return url.removesuffix("/messages").removesuffix("/v1")


def _of_status(error: APIStatusError) -> ProviderError:
    status = error.status_code
    told = str(error.api_message or error.message)
    if status in _STATUS:
        trouble = _STATUS[status]
    elif status >= 500:
        trouble = Trouble.OVERLOADED
    elif speaks_of_length(told):
        trouble = Trouble.TOO_LONG
    else:
        trouble = Trouble.REJECTED
    return ProviderError(trouble, f"{status}, {kind_named(error.type)}", retry_after(error.response.headers))


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds, by `retry-after-ms`, or `retry-after` in seconds or as a date; None where none is told."""
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            seconds = float(milliseconds) / 1000
        elif (told := headers.get("retry-after")) is None:
            return None
        else:
            seconds = _seconds(told, time.time() if now is None else now)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds(told: str, now: float) -> float:
    try:
        return float(told)
    except ValueError:
        return parsedate_to_datetime(told).timestamp() - now
