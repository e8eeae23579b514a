"""The client of Redis with the timeouts that limits need, and the counts that processes share in it."""

from __future__ import annotations

from limits.aio.storage import RedisStorage
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from storage.read_limit import WINDOW_SECONDS, ReadLimit

ANSWER_SECONDS = 0.5
MOST_CONNECTIONS = 16
SCHEMES = ("redis://", "rediss://", "unix://")


class SharedCounts:
    """What processes count together. Methods raise redis.exceptions.RedisError or OSError when Redis is down."""

    def __init__(self, redis: Redis, storage: RedisStorage, prefix: str) -> None:
        self.storage = storage
        self._redis = redis
        self._prefix = prefix

    async def ping(self) -> None:
        await self._redis.set(f"{self._prefix}:ping", "1", ex=60)

    async def add_up(self, kind: str, limit: ReadLimit, now: float) -> None:
        """Adds this process's hits to those of all, and tells the limit the sums."""
        window, hits = limit.take_unshared(now)
        if not hits:
            return
        keys = list(hits)
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for key in keys:
                    name = f"{self._prefix}:reads:{kind}:{window}:{key}"
                    pipe.incrby(name, hits[key])
                    pipe.expire(name, int(3 * WINDOW_SECONDS))
                answers = await pipe.execute()
        except BaseException:
            limit.give_back(window, hits)
            raise
        for key, total in zip(keys, answers[::2], strict=True):
            limit.learn_total(window, key, int(total))

    async def close(self) -> None:
        await self._redis.aclose(close_connection_pool=True)


def connect(url: str, prefix: str) -> SharedCounts:
    """Connects on first use. Raises ValueError, without the password, for a URL that can't be used."""
    if not url.startswith(SCHEMES):
        raise ValueError("REDIS_URL must begin with redis:// or rediss://, such as redis://127.0.0.1:6379/0.")
    try:
        pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
            url,
            max_connections=MOST_CONNECTIONS,
            timeout=ANSWER_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            # A lost connection is made anew by the next call; waiting in between would hold up the one that noticed.
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise ValueError("REDIS_URL can't be read. Write redis://user:password@host:6379/0.") from None
    storage = RedisStorage(
        f"async+{url}",
        implementation="redispy",
        key_prefix=prefix,
        connection_pool=pool,  # pyright: ignore[reportArgumentType] - documented, and typed too narrowly
    )
    return SharedCounts(Redis(connection_pool=pool), storage, prefix)
