"""What fits a rule: everything that is to be looked at in one run, as copies that wait."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from images.models import Tag
from images.registry import names
from images.registry.telling import TAG
from images.replication.address import repository_there
from images.replication.models import ImageCopy, ReplicationRule, ReplicationRun
from images.replication.problems import RemoteProblem
from images.replication.references import fits, is_name, is_plain

if TYPE_CHECKING:
    from images.replication.talking import Registry  # it asks by a library that whoever only plans need not load

MOST = 5000  # images of one run; a rule that fits more says so in its log
Direction = ReplicationRule.Direction


def planned(run: ReplicationRun, there: "Registry") -> tuple[list[ImageCopy], bool]:
    """The copies, and whether there is more than one run takes."""
    found = list(islice(_all(run.rule, there), MOST + 1))
    for copy in found:
        copy.run = run
    return found[:MOST], len(found) > MOST


def _all(rule: ReplicationRule, there: "Registry") -> Iterator[ImageCopy]:
    if rule.direction in (Direction.PULL, Direction.BOTH):
        yield from _inward(rule, there)
    if rule.direction in (Direction.PUSH, Direction.BOTH):
        yield from _outward(rule)


def _inward(rule: ReplicationRule, there: "Registry") -> Iterator[ImageCopy]:
    for name in _names_there(rule, there):
        remote, path = remote_of(rule, name), names.parse(f"{rule.project}/{name}")
        if path is None:
            continue
        for tag in there.tags(remote):
            if fits(tag, rule.tags):
                yield _copy(rule, remote=remote, path=str(path), tag=tag, outward=False)


def _names_there(rule: ReplicationRule, there: "Registry") -> Iterator[str]:
    """Without what the rule says stands before them. A list of all is only asked for where a pattern needs it."""
    if is_plain(rule.names):
        yield rule.names
        return
    before = f"{rule.remote_path}/" if rule.remote_path else ""
    for name in there.repositories():
        if name.startswith(before) and fits(name.removeprefix(before), rule.names):
            yield name.removeprefix(before)


def _outward(rule: ReplicationRule) -> Iterator[ImageCopy]:
    rows = Tag.objects.filter(repository__project_id=rule.project_id).order_by("repository__path", "name")
    for path, tag in rows.values_list("repository__path", "name").iterator():
        if wanted(rule, path, tag):
            yield copy_out(rule, path, tag)


def wanted(rule: ReplicationRule, path: str, tag: str) -> bool:
    """Whether the rule is about what lies here under this name."""
    known = names.parse(path)
    return known is not None and fits(known.name, rule.names) and fits(tag, rule.tags)


def copy_out(rule: ReplicationRule, path: str, tag: str) -> ImageCopy:
    return _copy(rule, remote=remote_of(rule, path.split("/", 2)[2]), path=path, tag=tag, outward=True)


def remote_of(rule: ReplicationRule, name: str) -> str:
    """A repository's name there."""
    whole = f"{rule.remote_path}/{name}" if rule.remote_path else name
    return repository_there(rule.registry.address, whole)


def _copy(rule: ReplicationRule, *, remote: str, path: str, tag: str, outward: bool) -> ImageCopy:
    if not is_name(remote) or not TAG.match(tag):
        raise RemoteProblem("copy_not_there", image=f"{remote}:{tag}"[:300])
    return ImageCopy(
        tenant_id=rule.tenant_id,
        project_id=rule.project_id,
        registry=rule.registry,
        host=rule.registry.address.partition("://")[2],
        rule=rule,
        outward=outward,
        remote=remote,
        path=path,
        reference=tag,
        tag=tag,
    )
