"""Logs over HTTP: streamed from the engine as they come, or as a complete file."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from django.utils.http import content_disposition_header
from rest_framework.request import Request

from apps.api.archive import zipped
from apps.api.inputs import LogDownloadInput, LogQueryInput
from apps.api.log_lines import JsonLines, PlainText, Writer, written
from apps.kept_logs import reading
from apps.kept_logs.reading import source_of
from apps.models import AppEnvironment
from apps.selectors import listing, log_sources
from apps.selectors.log_sources import Asked, Written
from backends.contract import DriverError, LogQuery, ReasonCode
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
        source = source_of(place, driver_for(place.environment.cluster))
        return self.stream(
            place, lambda: written(source.logs(question.query), writer, filters=question.filters), writer.content_type
        )

    def _writer(self, place: AppEnvironment) -> Writer:
        accepted = "ndjson" if NDJSON in self.request.headers.get("Accept", "") else "text"
        wanted = self.query.get("format", accepted)
        return JsonLines(log_sources.instance_ids(place)) if wanted == "ndjson" else PlainText()


class Download(LogView):
    kind = "download"

    @endpoint(
        "download_logs",
        query=LogDownloadInput,
        answers={(200, "text/plain"): FILE, (200, "application/zip"): FILE},
        problems=(409, 429),
    )
    def get(self, request: Request, **names: str) -> Stream:
        """All lines: one file for one instance, a zip with a file for each of several."""
        place = self.place(names)
        question = log_sources.asked(place, self.query, complete=True)
        rows = log_sources.instances_of(place, question)
        source = source_of(place, driver_for(place.environment.cluster))
        files = Files(source, question, timestamps=self.query["timestamps"])
        name = "-".join((place.app.name, place.environment.name, *([label(rows[0], "-")] if len(rows) == 1 else ())))
        form = self.query.get("format") or ("text" if len(rows) == 1 else "zip")
        response = self._zip(place, files, rows) if form == "zip" else self._text(place, files, rows)
        ending = "-logs.zip" if form == "zip" else ".log"
        response["Content-Disposition"] = content_disposition_header(True, name + ending)
        return response

    def _text(self, place: AppEnvironment, files: "Files", rows: list[Written]) -> Stream:
        make = (lambda: files.of(rows[0])) if len(rows) == 1 else files.merged
        return self.stream(place, make, PlainText.content_type)

    def _zip(self, place: AppEnvironment, files: "Files", rows: list[Written]) -> Stream:
        members = [(f"{label(row, '/')}-{str(row.pk)[-8:]}.log", row) for row in rows]
        return self.stream(place, lambda: zipped((path, files.of(row)) for path, row in members), "application/zip")


def label(row: Written, joint: str) -> str:
    return f"{row.service}{joint}{row.number}"


class Files:
    """The whole log of one instance at a time, or of all of them, as fast as the question allows."""

    def __init__(self, source: reading.Source, question: Asked, *, timestamps: bool) -> None:
        self._source, self._question, self._timestamps = source, question, timestamps

    def of(self, row: Written) -> Source:
        query, filters = self._question.query, self._question.filters
        if query.tail is None and not (filters.search or filters.level):
            return self._source.log_bytes(
                row.engine_id, timestamps=self._timestamps, since=query.since, until=query.until
            )
        return self._written(_only(query, row))

    def merged(self) -> Source:
        return self._written(self._question.query)

    def _written(self, query: LogQuery) -> Source:
        writer = PlainText(timestamps=self._timestamps)
        return written(self._source.logs(query), writer, filters=self._question.filters)


def _only(query: LogQuery, row: Written) -> LogQuery:
    services = tuple(ref for ref in query.services if ref.service == row.service)
    return replace(query, services=services, instance=row.engine_id)
