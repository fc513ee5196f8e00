"""What every driver must do, whatever is behind it. A driver's own test module adds the fixture `driver`."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backends.contract import (
    Driver,
    DriverError,
    EngineNotice,
    EnvironmentRef,
    HealthCheck,
    InstanceState,
    LogLine,
    LogQuery,
    Phase,
    ReasonCode,
    ServiceRef,
    ServiceSpec,
    ServiceStatus,
)
from launcher.processes import until
from tests.backends.closing import Closing
from tests.backends.given_contract import GivenContract
from tests.backends.listening import Listening
from tests.backends.world import MISSING_IMAGE, PATIENCE_SECONDS, World, new_world, past_lines, take

ENDED = {ReasonCode.EXITED, ReasonCode.CRASHING}


class DriverContract(Listening, Closing, GivenContract):
    @pytest.fixture(scope="class")
    @classmethod
    def left(cls) -> Iterator[list[World]]:
        """Worlds that tests are done with. Instances take seconds to end, so they end while other tests run."""
        left: list[World] = []
        yield left
        for world in left:
            world.driver.remove_environment(world.environment)  # where that takes a while, all end at once
        for world in left:
            world.clear()

    @pytest.fixture
    def world(self, driver: Driver, left: list[World]) -> Iterator[World]:
        world = new_world(driver)
        yield world
        world.leave()
        left.append(world)

    @pytest.fixture(scope="class")
    @classmethod
    def shared(cls, driver: Driver) -> Iterator[World]:
        """A world with two instances of `talk` running, for tests that only look."""
        world = new_world(driver)
        world.run(cls.talk(world))
        yield world
        world.clear()

    @staticmethod
    def talk(world: World) -> ServiceSpec:
        return world.saying("echo one; echo two; echo three; sleep 100000")

    def instance(self, world: World) -> str:
        running = [one for one in world.driver.instances(self.talk(world).ref) if one.state == InstanceState.RUNNING]
        return running[0].id

    def test_a_live_engine_is_healthy_and_tells_its_hosts(self, driver: Driver) -> None:
        health = driver.health()
        assert (health.ready, health.reason) == (True, None)
        assert health.hosts_ready == health.hosts == len(driver.hosts())
        host = driver.hosts()[0]
        assert host.ready
        assert host.schedulable
        assert host.cpu_millicores >= 1000
        assert host.memory_bytes > 1 << 28
        assert host.platform.startswith("linux/")

    def test_an_environment_is_made_once_and_removed_once(self, driver: Driver) -> None:
        environment = new_world(driver).environment
        driver.ensure_environment(environment)
        assert until(lambda: driver.remove_environment(environment), seconds=PATIENCE_SECONDS, every=0.1)
        assert driver.remove_environment(environment)

    def test_an_environment_in_use_stays(self, world: World) -> None:
        world.run(world.spec(instances=1))
        assert not world.driver.remove_environment(world.environment)

    def test_a_service_comes_to_run_with_all_its_instances(self, world: World) -> None:
        spec = world.spec(instances=3)
        assert world.driver.status(spec).phase == Phase.ABSENT
        status = world.run(spec)
        assert (status.wanted, status.ready, status.running) == (3, 3, 3)
        assert status.revision == spec.revision
        assert status.reason is None
        assert [one.number for one in status.instances] == [1, 2, 3]
        for one in status.instances:
            assert (one.state, one.wanted, one.revision, one.ref) == (
                InstanceState.RUNNING,
                True,
                spec.revision,
                spec.ref,
            )
            assert one.started_at is not None
            assert one.started_at.tzinfo is not None
            assert [target for target, _ in one.addresses] == [8080]
            assert one.addresses[0][1].rpartition(":")[2].isdigit()
        assert world.driver.services(spec.ref.app) == [spec.ref]

    def test_the_same_spec_twice_is_one_service(self, world: World) -> None:
        spec = world.spec()
        before = {one.id for one in world.run(spec).instances}
        world.driver.apply(spec)
        assert {one.id for one in world.reach(spec, Phase.CONVERGED).instances} == before
        assert len(world.driver.services(spec.ref.app)) == 1

    def test_another_number_keeps_the_instances_that_stay(self, world: World) -> None:
        spec = world.spec(instances=1)
        before = {one.id for one in world.run(spec).instances}
        more = replace(spec, instances=3)
        assert world.driver.status(more).phase == Phase.OUTDATED
        status = world.run(more)
        assert status.ready == 3
        assert before <= {one.id for one in status.instances}

    def test_none_wanted_is_converged_when_none_runs(self, world: World) -> None:
        spec = world.spec(instances=1)
        world.run(spec)
        status = world.run(replace(spec, instances=0))
        assert (status.ready, status.running, status.wanted) == (0, 0, 0)

    def test_an_update_counts_only_its_own_instances(self, world: World) -> None:
        old, new = world.spec(), world.spec(image="berth/hello:2")
        world.run(old)
        assert world.driver.status(new).phase == Phase.OUTDATED
        status = world.run(new)
        assert (status.ready, status.running) == (2, 2)
        assert {one.revision for one in status.instances if one.wanted} == {new.revision}
        assert world.driver.status(old).phase == Phase.OUTDATED
        assert world.driver.status(old).ready == 0

    def test_a_restart_replaces_every_instance(self, world: World) -> None:
        spec = world.spec()
        before = {one.id for one in world.run(spec).instances}
        status = world.run(replace(spec, restarts=1))
        assert not before & {one.id for one in status.instances if one.wanted}

    def test_a_missing_image_fails_by_its_name(self, world: World) -> None:
        spec = replace(world.spec(image=MISSING_IMAGE, instances=1), image_name="shop/web:1.4")
        world.driver.apply(spec)
        reason = world.reach(spec, Phase.FAILING).reason
        assert reason is not None
        assert reason.code == ReasonCode.IMAGE_NOT_FOUND
        assert (reason.params["image"], reason.params["service"]) == ("shop/web:1.4", "web")

    def test_a_first_release_that_never_gets_healthy_fails(self, world: World) -> None:
        spec = world.spec(image="berth/hello:unhealthy", instances=1)
        world.driver.apply(spec)
        status = world.reach(spec, Phase.FAILING)
        assert status.reason is not None
        assert status.reason.code == ReasonCode.UNHEALTHY
        assert status.ready == 0
        assert any(one.state == InstanceState.FAILED for one in status.instances)

    def test_a_first_release_that_crashes_fails_with_its_exit_code(self, world: World) -> None:
        spec = world.spec(image="berth/hello:crash", instances=1)
        world.driver.apply(spec)
        status = world.reach(spec, Phase.FAILING)
        assert status.reason is not None
        assert status.reason.code in ENDED
        assert status.reason.params["exit_code"] == 1
        failed = [one for one in status.instances if one.state == InstanceState.FAILED]
        assert failed[0].exit_code == 1

    def test_a_failed_update_goes_back_and_says_why(self, world: World) -> None:
        old = world.spec()
        before = {one.id for one in world.run(old).instances}
        bad = world.spec(image="berth/hello:crash")
        status = self.fails_after(old, bad, world)
        assert status.reason is not None
        assert status.reason.code in ENDED
        assert status.ready == 0
        serving = world.reach(old, Phase.CONVERGED)
        assert before == {one.id for one in serving.instances if one.wanted}

    def fails_after(self, old: ServiceSpec, bad: ServiceSpec, world: World) -> ServiceStatus:
        """An update that fails. Not every engine goes back by itself; one that does not is told to."""
        world.driver.apply(bad)
        if world.driver.capabilities().goes_back:
            return world.reach(bad, Phase.ROLLED_BACK)
        status = world.reach(bad, Phase.FAILING)
        world.driver.apply(old)
        assert world.driver.status(bad).phase == Phase.OUTDATED
        return status

    def test_a_retry_is_not_judged_by_the_failure_before_it(self, world: World) -> None:
        old, bad = world.spec(), world.spec(image="berth/hello:crash")
        world.run(old)
        self.fails_after(old, bad, world)
        self.fails_after(old, bad, world)
        good = world.spec(image="berth/hello:2")
        assert world.run(good).reason is None

    def test_what_the_engine_refuses_is_a_driver_error(self, world: World) -> None:
        elsewhere = replace(world.spec(), ref=ServiceRef("no-such-environment", "app-none", "web"))
        with pytest.raises(DriverError) as refused:
            world.driver.apply(elsewhere)
        assert refused.value.reason.code == ReasonCode.ENGINE_REFUSED
        assert refused.value.reason.params["said"]

    def test_removal_leaves_nothing_and_can_be_repeated(self, world: World) -> None:
        spec = world.spec(instances=1)
        world.run(spec)
        assert world.removed(spec.ref)
        assert world.driver.status(spec).phase == Phase.ABSENT
        assert world.driver.services(spec.ref.app) == []
        assert world.driver.remove(spec.ref)

    def test_a_snapshot_shows_services_and_hosts(self, world: World) -> None:
        spec = world.spec()
        world.run(spec)
        shot = world.driver.snapshot()
        mine = [status for status in shot.services if status.ref == spec.ref]
        assert [(one.phase, one.wanted, one.ready, one.revision) for one in mine] == [
            (Phase.CONVERGED, 2, 2, spec.revision)
        ]
        assert sum(host.cpu_reserved for host in shot.hosts) >= 20
        assert sum(host.memory_reserved for host in shot.hosts) >= 8 << 20

    def test_images_are_pinned_and_read(self, driver: Driver) -> None:
        info = driver.resolve_image("berth/hello:1", local=True)
        assert "sha256:" in info.pinned
        assert info.digest.startswith("sha256:")
        if driver.capabilities().reads_images:
            assert info.ports == ("8080/tcp",)
            assert info.health is not None
        assert info.pinned != driver.resolve_image("berth/hello:2", local=True).pinned
        assert driver.held_image("berth/hello:1") == info
        assert driver.held_image("berth/hello:missing") is None

    def test_what_is_no_image_name_is_said_so(self, driver: Driver) -> None:
        with pytest.raises(DriverError) as refused:
            driver.resolve_image("No Such Name")
        assert refused.value.reason.code == ReasonCode.BAD_IMAGE
        assert refused.value.permanent

    async def test_past_lines_come_merged_in_time_order(self, shared: World) -> None:
        query = LogQuery((self.talk(shared).ref,))
        lines = await past_lines(shared.driver, query, 6)
        assert sorted(line.text for line in lines) == sorted([b"one", b"two", b"three"] * 2)
        assert [line.at_ns for line in lines] == sorted(line.at_ns for line in lines)
        assert {(line.service, line.number, line.stream) for line in lines} == {
            ("talk", 1, "stdout"),
            ("talk", 2, "stdout"),
        }

    async def test_a_tail_is_of_each_instance(self, shared: World) -> None:
        lines = await past_lines(shared.driver, LogQuery((self.talk(shared).ref,), tail=1), 2)
        assert [(line.text, line.number) for line in sorted(lines, key=lambda line: line.number)] == [
            (b"three", 1),
            (b"three", 2),
        ]

    async def test_one_instance_and_a_time_can_be_asked_for(self, shared: World) -> None:
        ref, instance = self.talk(shared).ref, self.instance(shared)
        lines = await past_lines(shared.driver, LogQuery((ref,), instance=instance), 3)
        assert [line.text for line in lines] == [b"one", b"two", b"three"]
        assert {line.instance for line in lines} == {instance}
        after = LogQuery((ref,), since=datetime.now(UTC))
        assert [line async for line in shared.driver.logs(after)] == []
        before = LogQuery((ref,), until=datetime(2020, 1, 1, tzinfo=UTC))
        assert [line async for line in shared.driver.logs(before)] == []

    async def test_following_shows_past_lines_then_those_of_new_instances(self, world: World) -> None:
        spec = world.saying("echo one; echo two; sleep 100000", instances=1)
        await asyncio.to_thread(world.run, spec)
        lines: list[LogLine] = []

        async def read() -> None:
            async with aclosing(world.driver.logs(LogQuery((spec.ref,), follow=True))) as stream:
                async for line in stream:
                    lines.append(line)

        reading = asyncio.create_task(read())
        try:
            await asyncio.to_thread(until, lambda: len(lines) == 2, seconds=PATIENCE_SECONDS)
            await asyncio.to_thread(world.run, replace(spec, instances=2))
            assert await asyncio.to_thread(until, lambda: len(lines) >= 4, seconds=PATIENCE_SECONDS)
        finally:
            reading.cancel()
        assert [(line.number, line.text) for line in lines] == [(1, b"one"), (1, b"two"), (2, b"one"), (2, b"two")]

    async def test_a_download_is_the_plain_text(self, shared: World) -> None:
        instance = self.instance(shared)
        plain = [piece async for piece in shared.driver.log_bytes(instance, timestamps=False)]
        assert b"".join(plain) == b"one\ntwo\nthree\n"
        stamped = b"".join([piece async for piece in shared.driver.log_bytes(instance)]).splitlines()
        assert [line.split(b" ", 1)[1] for line in stamped] == [b"one", b"two", b"three"]
        assert all(datetime.fromisoformat(line.split(b" ")[0][:19].decode()) for line in stamped)

    async def test_an_unknown_instance_is_gone(self, driver: Driver) -> None:
        query = LogQuery((), instance="nothing")
        for ask in (take(driver.logs(query), 1), take(driver.stats("nothing"), 1), driver.exec("nothing", ["sh"])):
            with pytest.raises(DriverError) as refused:
                await ask
            assert refused.value.reason.code == ReasonCode.INSTANCE_GONE

    async def test_a_console_has_a_size_and_an_exit_code(self, shared: World) -> None:
        session = await shared.driver.exec(self.instance(shared), ["sh"], columns=111, rows=33)
        try:
            await session.write(b"stty size\n")
            await self.hear(session, b"33 111")
            assert await session.exit_code() is None
            await session.resize(columns=50, rows=20)
            await self.hear_in_the_end(session, b"stty size\n", b"20 50")
            await session.write(b"exit 7\n")
            await self.hear(session, None)
            assert await session.exit_code() == 7
        finally:
            await session.close()

    async def test_a_command_takes_input_until_its_end(self, shared: World) -> None:
        session = await shared.driver.exec(self.instance(shared), ["cat"], tty=False)
        try:
            await session.write(b"ping")
            assert await self.hear(session, b"ping") == b"ping"
            await session.end_input()
            await self.hear(session, None)
            assert await session.exit_code() == 0
        finally:
            await session.close()

    async def test_a_command_that_the_image_lacks_is_named(self, shared: World) -> None:
        with pytest.raises(DriverError) as refused:
            await shared.driver.exec(self.instance(shared), ["/bin/no-such-shell"])
        assert refused.value.reason.code == ReasonCode.NO_SHELL
        assert refused.value.reason.params == {"command": "/bin/no-such-shell"}

    async def test_usage_is_measured(self, shared: World) -> None:
        instance = self.instance(shared)
        (one,) = await take(shared.driver.stats(instance), 1)
        assert one.instance == instance
        assert one.cpu_millicores >= 0
        assert 0 < one.memory_bytes <= one.memory_limit_bytes
        first, second = await take(shared.driver.stats(instance, follow=True), 2)
        assert second.at_ns > first.at_ns

    async def test_what_was_used_is_counted(self, shared: World) -> None:
        instances = [one.id for one in shared.driver.instances(self.talk(shared).ref) if one.wanted]
        before = {one.instance: one for one in await shared.driver.usage([*instances, "nothing"])}
        assert set(before) == set(instances)
        after = before
        async with asyncio.timeout(PATIENCE_SECONDS):
            while any(before[name].at_ns == after[name].at_ns for name in instances):  # hosts measure now and then
                after = {one.instance: one for one in await shared.driver.usage(instances)}
        for name in instances:
            assert 0 < before[name].cpu_ns <= after[name].cpu_ns
            assert before[name].at_ns < after[name].at_ns
            assert 0 < after[name].memory_bytes < 1 << 30
            assert after[name].network_in_bytes >= before[name].network_in_bytes >= 0

    async def test_changes_are_announced(self, world: World) -> None:
        spec = world.spec(instances=1)
        heard: list[EngineNotice] = []

        async def listen() -> None:
            async with aclosing(world.driver.watch()) as stream:
                async for notice in stream:
                    heard.append(notice)

        listening = asyncio.create_task(listen())
        try:
            await asyncio.sleep(0.3)  # the connection has to stand; what happened before is not told
            await asyncio.to_thread(world.run, spec)
            assert await asyncio.to_thread(
                until, lambda: any(one.ref == spec.ref for one in heard), seconds=PATIENCE_SECONDS
            )
        finally:
            listening.cancel()

    def test_internal_environments_and_switched_off_checks_are_taken(self, driver: Driver) -> None:
        world = new_world(driver)
        world.clear()
        inner = World(driver, EnvironmentRef(world.environment.name, internal=True))
        driver.ensure_environment(inner.environment)
        inner.run(inner.spec(instances=1, health=HealthCheck(())))
        inner.clear()
