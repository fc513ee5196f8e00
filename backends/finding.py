"""What a driver makes of an engine that does not answer a check as it should."""

from backends.contract import CheckCode, DriverError, Finding, Level, ReasonCode

_HANDSHAKE = ("certificate verify failed", "hostname mismatch", "wrong version number", "doesn't match")
_WANTED = ("certificate required", "bad certificate", "unknown ca", "handshake failure", "http request to an https")


def finding_of(error: DriverError, *, status: int = 0) -> Finding:
    """`status`: of the answer, where there was one."""
    said = str(error.reason.params.get("said", ""))
    return Finding(_code(error.reason.code, said.lower().replace("_", " "), status), Level.BAD, {"said": said})


def _code(code: ReasonCode, said: str, status: int) -> CheckCode:
    if status == 401:
        return CheckCode.NOT_KNOWN
    if any(text in said for text in _HANDSHAKE):
        return CheckCode.UNTRUSTED
    if any(text in said for text in _WANTED):
        return CheckCode.WANTS_CERTIFICATE
    known = {
        ReasonCode.ENGINE_SLOW: CheckCode.SLOW,
        ReasonCode.ENGINE_AWAY: CheckCode.AWAY,
        ReasonCode.NOT_A_MANAGER: CheckCode.NOT_A_MANAGER,
    }
    return known.get(code, CheckCode.REFUSED)
