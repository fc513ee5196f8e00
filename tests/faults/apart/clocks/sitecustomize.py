"""On PYTHONPATH of a process it puts its clock BERTH_TEST_CLOCK_SECONDS ahead; the one that only goes forward stays."""

import datetime
import os
import time

AHEAD = float(os.environ["BERTH_TEST_CLOCK_SECONDS"])
_time, _time_ns, _real, _date = time.time, time.time_ns, datetime.datetime, datetime.date


class _Both(type):
    """Made by somebody who knows nothing of this, a moment is one all the same."""

    def __instancecheck__(cls, one: object) -> bool:
        return isinstance(one, _real)

    def __subclasscheck__(cls, one: type) -> bool:
        return issubclass(one, _real)


class _Shifted(_real, metaclass=_Both):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> "_Shifted":
        return super().now(tz) + datetime.timedelta(seconds=AHEAD)

    @classmethod
    def utcnow(cls) -> "_Shifted":
        return cls.now(datetime.UTC).replace(tzinfo=None)


_Shifted.__name__ = _Shifted.__qualname__ = "datetime"
_Shifted.__module__ = "datetime"
time.time = lambda: _time() + AHEAD
time.time_ns = lambda: _time_ns() + int(AHEAD * 1e9)
datetime.datetime = _Shifted  # type: ignore[misc]  # that is what this file is for
