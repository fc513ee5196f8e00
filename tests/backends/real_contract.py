"""What every real engine must do beside the contract: what only one that runs real programs can show."""

import asyncio
from dataclasses import replace

from backends.contract import FileMount, LogQuery, Phase, ReasonCode, Resources, ServiceSpec, ServiceStatus, TmpfsMount
from launcher.processes import until
from tests.backends.contract import DriverContract
from tests.backends.world import PATIENCE_SECONDS, World, past_lines


class RealContract(DriverContract):
    async def test_twenty_consoles_leave_nothing_behind(self, shared: World) -> None:
        instance = self.instance(shared)
        before = await self.processes(shared, instance)

        async def one() -> None:
            session = await shared.driver.exec(instance, ["sh"])
            await session.write(b"sleep 4000 & setsid sleep 5000 & (sleep 6000; true) & echo DO''NE\n")
            await self.hear(session, b"DONE")
            await session.close()

        for _ in range(4):
            await asyncio.gather(*(one() for _ in range(5)))
        assert await self.processes(shared, instance) == before

    async def processes(self, world: World, instance: str) -> list[bytes]:
        session = await world.driver.exec(instance, ["ps", "-o", "args"], tty=False)
        told = await self.hear(session, None)
        await session.close()
        return sorted(line for line in told.splitlines() if not line.startswith(b"ps "))

    def test_too_much_memory_is_named(self, world: World) -> None:
        greedy = world.saying("x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done", instances=1)
        greedy = replace(greedy, resources=Resources(memory_limit=16 << 20))
        self.fails(world, greedy, ReasonCode.OUT_OF_MEMORY)

    def test_a_missing_command_is_named(self, world: World) -> None:
        reason = self.fails(world, world.spec(entrypoint=("/app/start",), instances=1), ReasonCode.COMMAND_NOT_FOUND)
        assert reason["command"] == "/app/start"

    def test_no_room_is_named(self, world: World) -> None:
        huge = world.spec(resources=Resources(memory_reserved=1 << 50), instances=1)
        self.fails(world, huge, ReasonCode.NO_CAPACITY)

    def test_no_fitting_host_is_named(self, world: World) -> None:
        picky = world.spec(host_labels=(("zone", "moon"),), instances=1)
        self.fails(world, picky, ReasonCode.NO_SUITABLE_HOST)

    def test_ending_in_good_order_again_and_again_is_crashing(self, world: World) -> None:
        self.fails(world, world.saying("exit 0", instances=1), ReasonCode.CRASHING)

    def fails(self, world: World, spec: ServiceSpec, code: ReasonCode) -> dict[str, object]:
        world.driver.apply(spec)
        seen: list[ServiceStatus] = []

        def known() -> bool:
            seen[:] = [world.driver.status(spec)]
            return seen[0].phase == Phase.FAILING and seen[0].reason is not None and seen[0].reason.code == code

        assert until(known, seconds=PATIENCE_SECONDS, every=0.1), seen
        reason = seen[0].reason
        return dict(reason.params) if reason else {}

    async def test_files_and_odd_bytes_arrive_as_they_are(self, world: World) -> None:
        odd = b"caf\xc3\xa9 \xff\xfe \x00 end"
        files = (
            FileMount(f"{world.environment.name}-c", "/etc/odd.bin", odd),
            FileMount(f"{world.environment.name}-s", "/run/secrets/word", b"hush", mode=0o400, uid=65534, secret=True),
        )
        spec = replace(
            world.saying("cat /etc/odd.bin; echo; cat /run/secrets/word; echo; sleep 100000", instances=1), files=files
        )
        await asyncio.to_thread(world.run, spec)
        lines = [line.text for line in await past_lines(world.driver, LogQuery((spec.ref,)), 2)]
        # an engine that keeps its logs as JSON cannot keep bytes that are no UTF-8
        assert lines in ([odd, b"hush"], [odd.decode(errors="replace").encode(), b"hush"])

    async def test_values_with_braces_and_quotes_arrive_as_they_are(self, world: World) -> None:
        odd = "{{.Node.Hostname}} {{{ }} {{ 'x' \"y\" $HOME `id` {{"
        spec = world.saying('echo "$ODD"; sleep 100000', instances=1)
        spec = replace(spec, environment=(("ODD", odd),), tmpfs=(TmpfsMount("/{{.Task.ID}}"),))
        await asyncio.to_thread(world.run, spec)
        assert [line.text for line in await past_lines(world.driver, LogQuery((spec.ref,)), 1)] == [odd.encode()]

    async def test_dollars_in_commands_arrive_as_they_are(self, world: World) -> None:
        odd = "$$ $(HOME) $$(HOME) $HOME $ $$$"
        spec = replace(world.saying("", instances=1), entrypoint=("/bin/sh", "-c", f"echo '{odd}'; sleep 100000"))
        await asyncio.to_thread(world.run, spec)
        assert [line.text for line in await past_lines(world.driver, LogQuery((spec.ref,)), 1)] == [odd.encode()]

    async def test_long_lines_are_whole_again(self, world: World) -> None:
        script = "head -c 100000 /dev/zero | tr '\\0' x; echo; echo short; sleep 100000"
        spec = world.saying(script, instances=1)
        status = await asyncio.to_thread(world.run, spec)
        lines = [line.text for line in await past_lines(world.driver, LogQuery((spec.ref,)), 2)]
        assert [len(line) for line in lines] == [100_000, 5]
        stamped = b"".join([piece async for piece in world.driver.log_bytes(status.instances[0].id)])
        assert [len(line) - 31 for line in stamped.splitlines()] == [100_000, 5]

    async def test_logs_of_an_instance_that_ended_are_still_there(self, world: World) -> None:
        spec = world.saying("echo last words; exit 3", instances=1)
        self.fails(world, spec, ReasonCode.CRASHING)
        kept = 2 if world.driver.capabilities().keeps_logs else 1
        lines = [line.text for line in await past_lines(world.driver, LogQuery((spec.ref,)), kept)]
        assert lines.count(b"last words") == len(lines) >= kept
