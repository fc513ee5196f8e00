"""PostgreSQL and Redis of one's own: reachable with their password only, and gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import redis

from launcher.services import PrivatePostgres, PrivateRedis, listens

pytestmark = pytest.mark.live


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder user postgres may pass through, unlike pytest's own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def test_redis_stops_and_comes_back_at_the_same_address(folder: Path) -> None:
    service = PrivateRedis(folder / "redis")
    url = service.start()
    try:
        with closing(redis.Redis.from_url(url)) as client:
            assert client.ping()
            client.set("k", "v")
        with closing(redis.Redis(port=service.port)) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        service.stop()
        assert not listens(service.port)
        assert service.start() == url
        with closing(redis.Redis.from_url(url)) as client:
            assert client.get("k") is None, "it keeps nothing"
        service.kill()
        assert not listens(service.port)
    finally:
        service.kill()


def test_postgres_keeps_its_data_over_a_stop(folder: Path) -> None:
    service = PrivatePostgres(folder / "postgres")
    try:
        with psycopg.connect(service.start()) as connection:
            connection.execute("CREATE TABLE t (n int)")
        service.stop()
        assert not listens(service.port)
        with psycopg.connect(service.start()) as connection:
            assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(service.url.replace(service.password, "wrong"))
    finally:
        service.destroy()
    assert not listens(service.port)
    assert not (folder / "postgres").exists()
