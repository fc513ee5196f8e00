"""The bell between processes, which Redis carries. Loaded only where Redis is used."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import cache

import redis.asyncio
import redis.asyncio.retry
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

AWAY = (redis.RedisError, OSError)
CHANNEL = "berth:bell"
SILENCE_SECONDS = 3.0  # then Redis is asked whether it is there


def publish(name: str) -> None:
    """Raises one of AWAY."""
    _client().publish(CHANNEL, name)


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=0.5,
        socket_timeout=1.0,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=15,
    )


async def rings(begun: Callable[[], None]) -> AsyncGenerator[str, None]:
    """Names of bells that ring anywhere. Raises RedisError also where Redis only keeps silent."""
    never = redis.asyncio.retry.Retry(NoBackoff(), 0)  # a connection made again by itself would hide what was missed
    # With a timeout of its own the library sends by asyncio.wait_for, which may swallow the end of the task.
    redis_now = redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=None, health_check_interval=0, retry=never
    )
    async with redis_now as client, client.pubsub() as ears:
        async with asyncio.timeout(SILENCE_SECONDS):
            await ears.subscribe(CHANNEL)
        begun()
        asked = False
        while True:
            heard = await ears.get_message(ignore_subscribe_messages=True, timeout=SILENCE_SECONDS)
            if heard is not None:
                asked = False
                if heard["type"] == "message":
                    yield heard["data"].decode()
            elif asked:
                raise redis.ConnectionError("it does not answer")
            else:
                asked = True
                async with asyncio.timeout(SILENCE_SECONDS):
                    await ears.ping()
