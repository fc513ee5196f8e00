"""Logs over HTTP: streamed from the engine as they come, or as a complete file."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from django.utils.http import content_disposition_header
from rest_framework.request import Request

from apps.api.archive import zipped
from apps.api.inputs import LogFilters, LogQueryInput
from apps.api.log_lines import JsonLines, PlainText, Writer, written
from apps.models import AppEnvironment, ObservedInstance
from apps.selectors import listing, log_sources
from apps.selectors.log_sources import Asked
from backends.contract import Driver, DriverError, LogQuery, ReasonCode
from backends.registry import driver_for
from backends.words import hint, sentence
from core.access import check
from core.api.endpoint import FILE, TEXT, FileView, endpoint
from core.api.streaming import Source, Stream
from core.errors import Conflict, Unavailable
from core.seats import Kind
from tenants.models import Token
from tenants.presence import still_may

NDJSON = "application/x-ndjson"
AWAY = (ReasonCode.ENGINE_AWAY, ReasonCode.ENGINE_SLOW)


async def told(source: Source) -> AsyncGenerator[bytes, None]:
    """The source, with what its engine refuses as an error of ours."""
    try:
        async with aclosing(source):
            async for piece in source:
                yield piece
    except DriverError as error:
        message, advice = sentence(error.reason), hint(error.reason)
        if error.reason.code == ReasonCode.INSTANCE_GONE:
            raise Conflict(message, code="instance_gone", hint=advice) from error
        code = "cluster_away" if error.reason.code in AWAY else "unavailable"
        raise Unavailable(message, code=code, hint=advice, retry_after_seconds=10) from error


class LogView(FileView):
    """Base of both: who may read, and the one way into a stream."""

    kind: Kind = "log"

    def place(self, names: dict[str, str]) -> AppEnvironment:
        place = listing.place(self.actor, names)
        check(self.actor, "log.view", place)
        return place

    def stream(self, place: AppEnvironment, make: Callable[[], Source], content_type: str) -> Stream:
        token = self.request.auth if isinstance(self.request.auth, Token) else None
        allowed = still_may(self.actor, "log.view", place, token)
        return Stream(
            lambda: told(make()),
            actor=self.actor,
            target=place,
            kind=self.kind,
            content_type=content_type,
            allowed=allowed,
        )


class Logs(LogView):
    @endpoint(
        "read_logs", query=LogQueryInput, answers={(200, "text/plain"): TEXT, (200, NDJSON): TEXT}, problems=(409, 429)
    )
    def get(self, request: Request, **names: str) -> Stream:
        """Lines of all instances in the order of time: the newest 1000 of each unless you say how many or from when."""
        place = self.place(names)
        question, writer = log_sources.asked(place, self.query), self._writer(place)
        driver = driver_for(place.environment.cluster)
        return self.stream(
            place, lambda: written(driver.logs(question.query), writer, search=question.search), writer.content_type
        )

    def _writer(self, place: AppEnvironment) -> Writer:
        accepted = "ndjson" if NDJSON in self.request.headers.get("Accept", "") else "text"
        wanted = self.query.get("format", accepted)
        return JsonLines(log_sources.instance_ids(place)) if wanted == "ndjson" else PlainText()


class Download(LogView):
    kind: Kind = "download"

    @endpoint(
        "download_logs",
        query=LogFilters,
        answers={(200, "text/plain"): FILE, (200, "application/zip"): FILE},
        problems=(409, 429),
    )
    def get(self, request: Request, **names: str) -> Stream:
        """All lines: one file for one instance, a zip with a file for each of several."""
        place = self.place(names)
        question = log_sources.asked(place, self.query, complete=True)
        rows = log_sources.instances_of(place, question)
        source = Files(driver_for(place.environment.cluster), question)
        name = "-".join((place.app.name, place.environment.name, *([label(rows[0], "-")] if len(rows) == 1 else ())))
        return self._file(place, source, rows, name)

    def _file(self, place: AppEnvironment, source: "Files", rows: list[ObservedInstance], name: str) -> Stream:
        if len(rows) == 1:
            response = self.stream(place, lambda: source.of(rows[0]), PlainText.content_type)
            name = f"{name}.log"
        else:
            members = [(f"{label(row, '/')}-{str(row.pk)[-8:]}.log", row) for row in rows]
            response = self.stream(
                place, lambda: zipped((path, source.of(row)) for path, row in members), "application/zip"
            )
            name = f"{name}-logs.zip"
        response["Content-Disposition"] = content_disposition_header(True, name)
        return response


def label(row: ObservedInstance, joint: str) -> str:
    return f"{row.service}{joint}{row.number}"


class Files:
    """The whole log of one instance at a time, as fast as the question allows."""

    def __init__(self, driver: Driver, question: Asked) -> None:
        self._driver, self._question = driver, question

    def of(self, row: ObservedInstance) -> Source:
        query, search = self._question.query, self._question.search
        if query.tail is None and not search:
            return self._driver.log_bytes(row.engine_id, since=query.since, until=query.until)
        return written(self._driver.logs(_only(query, row)), PlainText(), search=search)


def _only(query: LogQuery, row: ObservedInstance) -> LogQuery:
    services = tuple(ref for ref in query.services if ref.service == row.service)
    return LogQuery(services, instance=row.engine_id, since=query.since, until=query.until, tail=query.tail)
