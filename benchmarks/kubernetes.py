"""Berth on Kubernetes beside `kubectl` on the same cluster: deployments, consoles, logs, and what watching costs."""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page

from backends.kubernetes import names
from benchmarks import consoles, logs, sockets
from benchmarks.client import Wrong
from benchmarks.deploys import INSTANCES, Run, at, finished, ratio, sent_of, wait_for
from benchmarks.lab import LABEL, Lab, Told, lab, listed, plain
from benchmarks.lists import inside
from benchmarks.machine import forget_peak, memory_of, processor_seconds
from benchmarks.portal import BASE, Portal, portal
from benchmarks.result import Line, Section, milliseconds, percentile
from launcher.problems import Problem
from launcher.processes import until

ENVIRONMENT = f"{BASE}/environments/dev"
THEIRS = "bench-kubectl"  # a namespace
BEYOND_SECONDS = 0.030
SHOWN_SECONDS = 0.5
# The API reads only the newest file of a log, and a node that finds one of 10 MiB begins a new one, some time within
# ten seconds. All that is written has to stay in the first, where each line comes after its time and its stream.
NODE_MIB = 10
NODE_STAMP = "2026-01-01T00:00:00.000000000Z stdout F "
LOG_MIB = NODE_MIB * len(logs.LINE) // (len(logs.LINE) + len(NODE_STAMP))
WATCHED = 2000
WATCH_SECONDS = 20.0
SETTLED_SECONDS = 240.0  # the cluster's own controllers write twenty times a second
WATCH_MIB = 64
WATCH_SHARE = 0.05
PASSED = 10_000
PASS_MICROSECONDS = 60
DEPLOYMENTS = f"/apis/apps/v1/deployments?{LABEL}"
RECORDED = ("/api/v1/pods", "/api/v1/services", "/apis/apps/v1/deployments", "/apis/apps/v1/statefulsets")


def measure(*, runs: int, shown: int) -> Section:
    """With a cluster and a portal of their own."""
    with lab() as there, portal(engine="none", twice=False, kubeconfig=there.kubeconfig) as here:
        here.client().ask(
            "PATCH", ENVIRONMENT, body=b'{"cluster": "kubernetes"}', Content_Type="application/json", If_Match="*"
        )
        section = Section(
            "Kubernetes",
            f"A private cluster of one node. {runs} deployments of {INSTANCES} instances, each followed by `kubectl "
            "apply --server-side` of the very objects that Berth made, in a namespace beside; both clocks end with "
            "what a watch of the API tells. The image is in Berth's list, since `kubectl` asks nobody if it may be "
            "fetched; the first one is not. Echo and opening of a console beside `kubectl exec -it`, the download of a "
            f"log beside `kubectl logs`. Shown: {shown} times a pod is taken away, from the event until Chromium shows "
            f"it. Watching: {WATCHED} objects of Berth's kind without instances. A full pass: {PASSED:,} recorded "
            "objects, answered from memory, read and understood.",
        )
        parts = (
            deployments(there, here, runs),
            console_lines(there, here),
            log_lines(there, here),
            shown_lines(there, here, shown),
            full_pass(there, here),
            watching(there, here),
        )
        section.lines = [line for part in parts for line in told(part)]
        return section


def told(part: Iterator[Line]) -> Iterator[Line]:
    """Each line as soon as it is known; where a part ends early it says why, and the others go on."""
    try:
        for line in part:
            print(f"{line.what}: {line.measured} | {line.beside}", file=sys.stderr, flush=True)
            yield line
    except (Wrong, Problem) as error:
        yield Line("the rest of this part", "not measured", kept=False, cause=str(error).splitlines()[0])


# deployments


@dataclass(frozen=True)
class Applied:
    """The same, once by us and once by `kubectl`."""

    ours: Run
    theirs: Run


def deployments(there: Lab, here: Portal, runs: int) -> Iterator[Line]:
    there.kubectl("create", "namespace", THEIRS)
    there.kubectl("create", "serviceaccount", names.ACCOUNT, "--namespace", THEIRS)
    known, here.image = here.image, there.image
    first = one_turn(there, here, "bench-first")
    yield Line(
        "the same of the first in its environment, by a tag that only a registry knows",
        f"{(first.ours.engine - first.ours.answered) * 1000:.0f} ms",
        f"{first.theirs.engine * 1000:.0f} ms from command to cluster",
    )
    here.image = known
    found = [one_turn(there, here, f"bench-{number}") for number in range(runs)]
    ours, theirs = [one.ours for one in found], [one.theirs for one in found]
    answered, mine = [one.answered for one in ours], [one.engine - one.answered for one in ours]
    beyond = percentile(mine, 0.5) - percentile([one.engine for one in theirs], 0.5)
    yield Line(
        "POST until 202",
        milliseconds(answered),
        milliseconds([one.answered for one in theirs]) + " until `kubectl apply` returns",
        "p95 ≤ 60 ms",
        percentile(answered, 0.95) <= 0.060,
        "one transaction writes release, deployment, operation and audit entry, and waits for other writers",
    )
    yield Line(
        f"202 until the cluster has the workload (p50 {beyond * 1000:+.0f} ms)",
        milliseconds(mine),
        milliseconds([one.engine for one in theirs]) + " from command to cluster",
        f"p50 ≤ {BEYOND_SECONDS * 1000:.0f} ms more than kubectl's",
        beyond <= BEYOND_SECONDS,
        "a worker is woken, reads what is declared and what is there, and sends the objects one after the other",
    )
    yield Line("of these until a worker begins", milliseconds([one.begun - one.answered for one in ours]))
    running = [one.running for one in ours], [one.running for one in theirs]
    yield ratio("POST until three instances run", *running, whose="kubectl")


def one_turn(there: Lab, here: Portal, name: str) -> Applied:
    client = here.client()
    client.post(f"{BASE}/apps", {"name": name}, wanted=201)
    began = time.time()
    answer = client.post(f"{BASE}/apps/{name}/deployments", sent_of(here), wanted=202)
    answered = time.time()
    operation = finished(client, answer.headers["Location"])
    workload = there.await_told("our workload", lambda one: is_new(one, "deployments", began))
    running = there.await_told("our pods", lambda one: is_ready(one, began), number=INSTANCES)
    ours = Run(answered - began, workload.at - began, running.at - began, at(operation["started_at"]) - began)
    objects = made_of(there, workload)
    finished(client, client.post(f"{BASE}/apps/{name}/environments/dev/stop", {}, wanted=202).headers["Location"])
    return Applied(ours, by_kubectl(there, objects))


def is_new(one: Told, kind: str, since: float) -> bool:
    return one.kind == kind and one.type == "ADDED" and one.at > since


def is_ready(one: Told, since: float) -> bool:
    return one.kind == "pods" and one.at > since and one.ready and not one.leaving


def made_of(there: Lab, workload: Told) -> str:
    """What Berth applied for a service, as a list to apply elsewhere."""
    about = workload.thing["metadata"]
    wanted = f"{names.APP}={about['labels'][names.APP]}"
    kinds = "deployments,services,poddisruptionbudgets"
    told = there.kubectl("get", kinds, "--namespace", about["namespace"], "--selector", wanted, "--output", "json")
    return listed([plain(one, namespace=THEIRS) for one in json.loads(told)["items"]])


def by_kubectl(there: Lab, objects: str) -> Run:
    began = time.time()
    there.kubectl("apply", "--server-side", "--filename", "-", text=objects)
    answered = time.time()
    workload = there.await_told("kubectl's workload", lambda one: is_new(one, "deployments", began))
    running = there.await_told("kubectl's pods", lambda one: is_ready(one, began), number=INSTANCES)
    there.kubectl("delete", "--filename", "-", text=objects)
    gone = f"/api/v1/namespaces/{THEIRS}/pods"
    wait_for(lambda: not there.items(gone), "kubectl's pods to go")
    return Run(answered - began, workload.at - began, running.at - began)


# consoles and logs


def console_lines(there: Lab, here: Portal) -> Iterator[Line]:
    consoles.deploy(here)
    token, theirs = here.token, kubectl_exec(there)
    their_echoes = consoles.by_command(theirs, 1, keys=consoles.KEYS, pause=consoles.PAUSE_SECONDS)
    our_echoes = asyncio.run(consoles.by_berth(here, [token], 1, keys=consoles.KEYS, pause=consoles.PAUSE_SECONDS))
    yield from consoles.added("1 console", our_echoes, their_echoes)
    yield consoles.opening(here, theirs, token)


def kubectl_exec(there: Lab) -> list[str]:
    pod = newest_pod(there)["metadata"]
    return [*there.words, "exec", "--stdin", "--tty", "--namespace", pod["namespace"], pod["name"], "--", "sh"]


def newest_pod(there: Lab) -> dict[str, Any]:
    pods = there.items(f"/api/v1/pods?{LABEL}")
    return max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def log_lines(there: Lab, here: Portal) -> Iterator[Line]:
    logs.deploy(here, logs.APP, logs.script_of(LOG_MIB))
    pod = newest_pod(there)["metadata"]
    where = ["--namespace", pod["namespace"], pod["name"]]
    wait_for(lambda: logs.END.decode() in there.kubectl("logs", "--tail", "2", *where), "the log to be written")
    theirs = logs.timed(logs.read_of([*there.words, "logs", "--timestamps", *where]))
    here.client().get("/api/v1/me")
    forget_peak(here.pid)
    ours = logs.timed(logs.our_logs(here, f"{logs.APP}/environments/dev/logs/download"))
    share = ours.rate / theirs.rate
    yield Line(
        f"log download ({share:.0%} of kubectl's)",
        f"{ours.rate:.0f} MiB/s, first byte {ours.first * 1000:.0f} ms",
        f"{theirs.rate:.0f} MiB/s, first byte {theirs.first * 1000:.0f} ms",
        f"≥ {logs.SHARE:.0%}, first byte ≤ {logs.FIRST_BYTE_SECONDS * 1000:.0f} ms",
        share >= logs.SHARE and ours.first <= logs.FIRST_BYTE_SECONDS,
        "cluster, portal and reader share the cores, and every byte passes Python once",
    )


# what is shown


def shown_lines(there: Lab, here: Portal, runs: int) -> Iterator[Line]:
    down, up = list[float](), list[float]()
    try:
        sockets.deploy(here)
        with sockets.page(here) as open_page:
            for _run in range(runs):
                fell, rose = one_fall(there, open_page)
                down.append(fell)
                up.append(rose)
    except (Wrong, BrowserError) as error:  # what else was measured stays
        yield Line("from the event until it is shown", "not measured", kept=False, cause=str(error).splitlines()[0])
        return
    for what, values in (("an instance that leaves", down), ("an instance that is well again", up)):
        yield Line(
            f"event of the cluster to shown: {what}",
            milliseconds(values),
            budget=f"p95 ≤ {SHOWN_SECONDS * 1000:.0f} ms",
            kept=percentile(values, 0.95) <= SHOWN_SECONDS,
            cause="the event wakes a look at the whole cluster; then come a message and a fragment",
        )


def one_fall(there: Lab, open_page: Page) -> tuple[float, float]:
    """Seconds until the page shows that an instance is going, and until it shows that all are well again."""
    pod, began = newest_pod(there)["metadata"], time.time()
    there.kubectl("delete", "pod", pod["name"], "--namespace", pod["namespace"], "--now", "--wait=false")
    left = there.await_told("the pod to leave", lambda one: one.uid == pod["uid"] and one.leaving)
    fell = sockets.shown_at(open_page, left.at, well=False)
    ready = there.await_told("another pod", lambda one: is_ready(one, began) and one.uid != pod["uid"])
    rose = sockets.shown_at(open_page, fell, well=True)
    return fell - left.at, max(0.0, rose - ready.at)


# what watching costs


def full_pass(there: Lab, here: Portal) -> Iterator[Line]:
    folder = Path(tempfile.mkdtemp(prefix="berth-bench-", dir="/var/tmp"))  # noqa: S108  it is ours
    try:
        (folder / "kubeconfig").write_text(Path(there.kubeconfig).read_text())
        for path in (*RECORDED, "/api/v1/nodes"):
            asked = path if path.endswith("/nodes") else f"{path}?{LABEL}"
            answer = json.loads(there.kubectl("get", "--raw", asked))
            told = {"path": path, "answer": answer}
            (folder / f"{path.rpartition('/')[2]}.json").write_text(json.dumps(told))
        found = json.loads(inside(here, "benchmarks.recorded", str(folder), "--objects", str(PASSED)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    each = found["seconds"] / found["objects"] * 1e6
    yield Line(
        f"a full pass of {found['objects']:,} recorded objects",
        f"{each:.0f} µs of processor for each, {found['seconds']:.2f} s in all",
        f"{found['mebibytes']:.0f} MiB of JSON",
        f"≤ {PASS_MICROSECONDS} µs for each",
        each <= PASS_MICROSECONDS,
        "every object is read, understood and grouped in Python",
    )
    yield Line(
        "a look at what the watch has kept of them",
        f"{found['look'] / found['objects'] * 1e6:.0f} µs of processor for each, {found['look']:.2f} s in all",
    )


def watching(there: Lab, here: Portal) -> Iterator[Line]:
    """The portal's memory and processor with so many more objects, less without them."""
    forget_peak(here.pid)
    before, calm = memory_of(here.pid), share_of_a_core(here)
    (workload, *_others) = there.items(DEPLOYMENTS)
    there.kubectl("create", "namespace", "bench-many")
    for first in range(0, WATCHED, 500):
        several = [copied(workload, first + number) for number in range(500)]
        there.kubectl("create", "--filename", "-", text=listed(several))
    wait_for(lambda: len(there.items(DEPLOYMENTS)) > WATCHED, "the objects to be there")
    calmed = until(lambda: settled(there), seconds=SETTLED_SECONDS, every=2.0)
    mood = "" if calmed else ", while the cluster still wrote to them"
    time.sleep(WATCH_SECONDS)  # what their coming costs is not what they cost
    forget_peak(here.pid)
    busy = share_of_a_core(here)
    grown = (memory_of(here.pid, "VmHWM") - before) / 2**20
    yield Line(
        f"memory of watching {WATCHED:,} objects",
        f"{grown:.0f} MiB at its highest",
        budget=f"≤ {WATCH_MIB} MiB",
        kept=grown <= WATCH_MIB,
        cause="a look holds all of them at once while it reads them",
    )
    yield Line(
        f"processor of watching {WATCHED:,} objects",
        f"{busy - calm:.1%} of a core",
        f"{calm:.1%} without them{mood}",
        f"≤ {WATCH_SHARE:.0%} of a core",
        busy - calm <= WATCH_SHARE,
        "a look at all of them every few seconds",
    )


def settled(there: Lab) -> bool:
    """No workload waits to be looked at by the cluster's own controllers."""
    return all(
        (one.get("status") or {}).get("observedGeneration") == one["metadata"]["generation"]
        for one in there.items(DEPLOYMENTS)
    )


def copied(workload: dict[str, Any], number: int) -> dict[str, Any]:
    """The same of another app, without instances."""
    whole = workload | {"apiVersion": "apps/v1", "kind": "Deployment"}  # a list does not say it of each
    text = json.dumps(plain(whole, namespace="bench-many"))
    app = workload["metadata"]["labels"][names.APP]
    made: dict[str, Any] = json.loads(text.replace(app, f"bench-{number}"))
    made["metadata"]["name"] = f"bench-{number}"
    made["spec"]["replicas"] = 0
    return made


def share_of_a_core(here: Portal) -> float:
    used, began = processor_seconds(here.pid), time.monotonic()
    time.sleep(WATCH_SECONDS)
    return (processor_seconds(here.pid) - used) / (time.monotonic() - began)
