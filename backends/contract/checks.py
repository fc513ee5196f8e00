"""What a driver finds out about a cluster before it is relied on, and why credentials cannot be taken at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    BAD = "bad"  # it cannot be used so
    WARN = "warn"  # it can be used, without what is named


class CheckCode(StrEnum):
    """Each has its sentence and its next step in `backends/check_words.py`."""

    AWAY = "cluster_away"  # params: said
    SLOW = "cluster_slow"
    UNTRUSTED = "cluster_untrusted"  # params: said
    WANTS_CERTIFICATE = "wants_certificate"  # params: said
    NOT_KNOWN = "credentials_unknown"
    REFUSED = "cluster_refused"  # params: said
    NOT_A_MANAGER = "not_a_manager"  # params: said
    OLD_VERSION = "old_version"  # params: version, needed
    NO_HOSTS = "no_hosts"  # params: hosts
    OTHER_CLUSTER = "other_cluster"
    RIGHT_MISSING = "right_missing"  # params: right
    NO_POLICY_RIGHT = "no_policy_right"  # params: right
    NO_USAGE = "no_usage"  # params: right
    NO_LOGS = "no_logs"  # params: right
    NO_CONSOLE = "no_console"  # params: right
    NO_EMPTYING = "no_emptying"  # params: right
    NO_EVENTS = "no_events"  # params: right
    RIGHT_UNSEEN = "right_unseen"  # params: right
    NO_GROWING = "no_growing"  # params: right
    NO_NEWEST = "no_newest"  # params: right
    NO_WATCH = "no_watch"  # params: right
    ALL_RIGHTS = "all_rights"
    NO_STORAGE = "no_storage"
    POLICIES_UNSURE = "policies_unsure"
    IN_THE_CLEAR = "in_the_clear"  # params: address
    ONE_MANAGER = "one_manager"
    ONE_HOST_REACHED = "one_host_reached"
    NO_MEMORY_LIMITS = "no_memory_limits"


@dataclass(frozen=True)
class Finding:
    """`params` are JSON-safe; `said` in them is the engine's own text, shortened."""

    code: CheckCode
    level: Level
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkup:
    version: str = ""
    hosts: int = 0
    hosts_ready: int = 0
    host_ids: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()

    @property
    def passed(self) -> bool:
        return not any(one.level is Level.BAD for one in self.findings)


class Unusable(StrEnum):
    """Why what was given cannot be taken; words in `backends/check_words.py`. `field`: where in it."""

    UNREADABLE = "unreadable"
    NOT_THE_FILE = "not_the_file"
    MISSING = "missing_part"  # params: field, name
    NO_CONTEXT = "no_context"  # params: names
    RUNS_A_PROGRAM = "runs_a_program"  # params: field
    ASKS_ELSEWHERE = "asks_elsewhere"  # params: field
    OTHER_FILE = "other_file"  # params: field
    PASSWORD = "password"  # noqa: S105  a code; params: field
    ACTS_AS_ANOTHER = "acts_as_another"  # params: field
    THROUGH_A_PROXY = "through_a_proxy"  # params: field
    UNCHECKED = "unchecked"  # params: field
    NOT_TAKEN = "not_taken"  # params: field
    BAD_ADDRESS = "bad_address"  # params: field
    NOWHERE = "nowhere"  # params: field, address
    LOOPBACK = "loopback"  # params: field, address
    BAD_TEXT = "bad_text"  # params: field
    NO_CREDENTIALS = "no_credentials"
    NOT_A_PAIR = "not_a_pair"
    EXPIRED = "expired"  # params: field, day
    TOO_LARGE = "too_large"


class UnusableError(Exception):
    """Nothing was asked of any engine: what was given says by itself that it will not do."""

    def __init__(self, code: Unusable, **params: Any) -> None:
        super().__init__(f"{code} {params}")
        self.code = code
        self.params = params
