"""How every driver tells that an engine, or an instance of it, does not answer."""

from backends.contract import DriverError, Reason, ReasonCode

NO_ENGINE = "what answers there is no engine"
SAID_LIMIT = 500  # letters of an engine's own text


def shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SAID_LIMIT else text[: SAID_LIMIT - 1] + "…"


def away(said: str = "") -> DriverError:
    return DriverError(Reason(ReasonCode.ENGINE_AWAY, {"said": shortened(said)}))


def slow() -> DriverError:
    return DriverError(Reason(ReasonCode.ENGINE_SLOW))


def host_gone(host: str) -> DriverError:
    return DriverError(Reason(ReasonCode.HOST_GONE, {"host": host}), permanent=True)


def gone() -> DriverError:
    return DriverError(Reason(ReasonCode.INSTANCE_GONE), permanent=True)
