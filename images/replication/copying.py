"""One image from one registry to another: what is there stays, the rest travels in parts and never touches a disk."""

import hashlib
import time
from collections.abc import Iterator
from typing import Any

from django.db.models.functions import Now

from images.models import Artifact
from images.registry import taking
from images.replication import deciding
from images.replication.contents import Contents, Layer, contents
from images.replication.ends import Answer
from images.replication.models import ImageCopy
from images.replication.problems import RemoteAway, RemoteProblem
from images.replication.slices import PATIENCE_SECONDS, Slice
from images.replication.talking import Registry, Upload, UploadGone
from operations.models import Operation
from operations.services import fenced

State = ImageCopy.State


class Stopped(Exception):
    """Somebody asked to cancel."""


class Copying:
    """A turn at one copy. Every write is the lease holder's alone; what is written is where the next turn begins."""

    def __init__(
        self, operation: Operation, copy: ImageCopy, *, source: Registry, target: Registry, turn: Slice
    ) -> None:
        self._operation, self._copy, self._source, self._target, self._turn = operation, copy, source, target, turn
        outward = copy.outward
        self._from, self._to = (copy.path, copy.remote) if outward else (copy.remote, copy.path)

    def go_on(self) -> bool:
        """True once the copy has ended. Errors: RemoteAway, RemoteProblem, Stopped, Fenced."""
        first = self._source.manifest(self._from, self._copy.digest or self._copy.reference)
        if first is None:
            raise RemoteProblem("copy_not_there", image=str(self._copy))
        if not self._copy.digest:
            verdict = deciding.verdict(self._copy, first, source=self._source, target=self._target)
            if verdict is not None:
                self._end(*verdict)
                return True
            self._keep(digest=first.digest, state=State.COPYING)
        whole = contents(self._source, self._from, first)
        self._keep(size_bytes=whole.size, layers=len(whole.layers))
        if not self._layers(whole):
            return False
        self._manifests(whole)
        self._end(State.COPIED)
        return True

    def give_up(self) -> None:
        """Leave nothing half sent behind."""
        if self._copy.upload:
            self._target.drop(self._to, self._copy.upload["address"])

    def _layers(self, whole: Contents) -> bool:
        """False where the turn was over before all were there."""
        for layer in whole.layers.values():
            if layer.digest in self._copy.held:
                continue
            if self._turn.over or not self._layer(whole, layer):
                if self._turn.too_slow:
                    raise RemoteAway(self._source.host)
                return False
            self._held(whole, layer)
        return True

    def _layer(self, whole: Contents, layer: Layer) -> bool:
        upload = self._begun(layer)
        if upload is None:
            return True
        try:
            return self._send(whole, layer, upload)
        except UploadGone:
            self._keep(upload=None)
            raise RemoteAway(self._target.host) from None

    def _begun(self, layer: Layer) -> Upload | None:
        """None where it is there already, or lies in another repository of the same registry."""
        if self._target.has(self._to, layer.digest):
            return None
        kept = self._copy.upload
        if kept and kept["digest"] == layer.digest:
            return Upload(kept["address"], kept["offset"])
        return self._target.begin_upload(self._to, layer.digest, mount_from=self._beside(layer))

    def _beside(self, layer: Layer) -> str:
        """Another repository of this project that has it, where ours is what it is copied to."""
        if self._copy.outward:
            return ""
        rows = Artifact.objects.filter(repository__project_id=self._copy.project_id).exclude(repository__path=self._to)
        found = rows.filter(layers__icontains=layer.digest).values_list("repository__path", flat=True)
        return found.first() or ""

    def _send(self, whole: Contents, layer: Layer, upload: Upload) -> bool:
        if upload.offset < layer.size:  # else a worker was killed before it could say that this was all
            seen = hashlib.sha256() if upload.offset == 0 else None  # of what began earlier the registry knows all
            upload = self._travel(whole, layer, upload, seen)
            if upload.offset < layer.size:
                return False
            if seen is not None and f"sha256:{seen.hexdigest()}" != layer.digest:
                raise self._wrong(layer, upload)
        self._target.finish(self._to, upload, layer.digest)
        return True

    def _travel(self, whole: Contents, layer: Layer, upload: Upload, seen: "hashlib._Hash | None") -> Upload:
        """Part after part, until the layer or the turn is over."""
        with self._source.layer(self._from, layer.digest, offset=upload.offset) as answer:
            if answer is None:
                raise RemoteProblem("copy_not_there", image=f"{self._source.host}/{self._from}@{layer.digest}")
            for part in self._parts(answer, upload.offset, layer.size):
                if seen is not None:
                    seen.update(part)
                if upload.offset + len(part) > layer.size:
                    raise self._wrong(layer, upload)
                upload = self._target.send(self._to, upload, part)
                self._turn.sent, self._turn.steps = self._turn.sent + len(part), self._turn.steps + 1
                self._note(whole, layer, upload, len(part))
                if self._turn.over:
                    return upload
        if upload.offset < layer.size:
            raise RemoteAway(self._source.host)
        return upload

    def _parts(self, answer: Answer, offset: int, size: int) -> Iterator[bytes]:
        """The layer from `offset` on, in parts as large as the turn allows, or as came while one can be waited for."""
        skip = offset if answer.status == 200 else 0  # it was asked for the rest and gives the whole
        held, since = bytearray(), time.monotonic()
        for piece in answer.chunks(min(self._turn.part, 256 * 1024)):
            part = piece[skip:]
            skip -= len(piece) - len(part)
            held += part
            if held and (len(held) >= self._turn.part or time.monotonic() - since > PATIENCE_SECONDS):
                yield bytes(held)
                held, since = bytearray(), time.monotonic()
            if len(held) > size:
                break
        if held:
            yield bytes(held)

    def _wrong(self, layer: Layer, upload: Upload) -> RemoteProblem:
        self._target.drop(self._to, upload.address)
        self._keep(upload=None)
        return RemoteProblem("copy_digest_wrong", host=self._source.host, digest=layer.digest)

    def _manifests(self, whole: Contents) -> None:
        with fenced(self._operation):  # a worker that was stopped for a while must not move a tag that moved since
            pass
        for manifest in whole.manifests[:-1]:
            self._target.put(self._to, manifest.digest, manifest)
        self._target.put(self._to, self._copy.tag or whole.top.digest, whole.top)
        if not self._copy.outward:
            who = taking.actor_of(f"person:{self._operation.requested_by}" if self._operation.requested_by else "")
            tag, digest = self._copy.tag, whole.top.digest
            taking.note(self._copy.project, self._copy.path, tag=tag, digest=digest, who=who)

    def _held(self, whole: Contents, layer: Layer) -> None:
        self._turn.steps += 1
        held = [*self._copy.held, layer.digest]
        self._keep(held=held, upload=None, layers_done=len(held), done_bytes=_size(whole, held), tries=0)

    def _note(self, whole: Contents, layer: Layer, upload: Upload, more: int) -> None:
        kept = {"digest": layer.digest, "address": upload.address, "offset": upload.offset}
        done = _size(whole, self._copy.held) + upload.offset
        self._keep(upload=kept, done_bytes=done, sent_bytes=self._copy.sent_bytes + more)

    def _end(self, state: str, reason: dict[str, Any] | None = None) -> None:
        self._turn.steps += 1
        self._keep(state=state, reason=reason, ended_at=Now())

    def _keep(self, **columns: Any) -> None:
        keep(self._operation, self._copy, **columns)
        if Operation.objects.filter(pk=self._operation.pk, cancel_requested=True).exists():
            raise Stopped()


def keep(operation: Operation, copy: ImageCopy, **columns: Any) -> None:
    """Write columns of a copy, as whoever holds the operation's lease. Raises Fenced."""
    with fenced(operation):
        ImageCopy.objects.filter(pk=copy.pk).update(**columns)
    for name, value in columns.items():
        setattr(copy, name, value)


def _size(whole: Contents, held: list[str]) -> int:
    return sum(whole.layers[digest].size for digest in held if digest in whole.layers)
