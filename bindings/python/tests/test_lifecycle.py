"""How processes end: whatever a program leaves open, the interpreter exits in order.

Each program runs in an interpreter of its own; what counts is its exit status. Those that are
marked as endings are repeated: see ``conftest.py``.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sandbox import DEADLINE, Sandbox, link

import whimbrel

TESTS = Path(__file__).resolve().parent
PACKAGE = TESTS.parent / "python"

PROLOGUE = """
import asyncio, gc, os, signal, sys, threading, time
import whimbrel
from sandbox import DEADLINE, Phone, link
endpoint = whimbrel.Endpoint.sandbox(os.environ["READY_LINE"]) if "READY_LINE" in os.environ else None
"""


def start(program: str, sandbox: Sandbox | None = None) -> subprocess.Popen[str]:
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(PACKAGE), str(TESTS)]))
    if sandbox is not None:
        environment["READY_LINE"] = sandbox.ready_line
    source = PROLOGUE + textwrap.dedent(program)
    return subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-c", source],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Waits for an orderly end and returns what the program printed."""
    try:
        output, errors = process.communicate(timeout=DEADLINE * 2)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert "Fatal Python error" not in errors and "panicked" not in errors, errors
    return output


def run(program: str, sandbox: Sandbox | None = None) -> str:
    return finish(start(program, sandbox))


LIVE = """
async def main():
    engine = whimbrel.Engine(endpoint=endpoint)
    client = whimbrel.Client(":memory:", engine=engine)
    await client.open()
    call = asyncio.create_task(client.link_with_qr(timeout=60))
    async for event in client.events():
        if isinstance(event, whimbrel.Qr):
            break
    {end}

asyncio.run(main())
"""

ENDS = {
    "return": "return",
    "sys.exit": "sys.exit(0)",
    "kept globally": "globals().update(engine=engine, client=client)",
    "waiting for events": "asyncio.create_task(anext(client.events())); await asyncio.sleep(0)",
    "calls under way": "calls = [asyncio.create_task(client.connect()) for _ in range(50)]; await asyncio.sleep(0)",
}


ending = pytest.mark.ending


@ending
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_exit_with_a_live_engine(sandbox: Sandbox, end: str) -> None:
    for process in [start(LIVE.format(end=end), sandbox) for _ in range(2)]:
        finish(process)


@ending
def test_exit_during_a_flood(sandbox: Sandbox, tmp_path: Path) -> None:
    flood = f"""
    from sandbox import RunningSandbox

    async def main():
        there = RunningSandbox(os.environ["READY_LINE"])
        phone, friend = await there.phone(), await there.phone()
        client = whimbrel.Client({str(tmp_path / "flood.db")!r}, endpoint=endpoint, auto_start=False)
        await client.open()
        await link(client, phone)
        senders = [asyncio.create_task(friend.send(phone.jid, str(n))) for n in range(200)]
        taken = 0
        async for event in client.events():
            taken += isinstance(event, whimbrel.Message)
            if taken == 20:
                print("leaving")
                sys.stdout.flush()
                sys.exit(0)

    asyncio.run(main())
    """
    assert run(flood, sandbox) == "leaving\n"


async def test_kills_in_a_flood_lose_nothing(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    path, count = tmp_path / "flood.db", 60
    phone, friend = await sandbox.phone(), await sandbox.phone()
    async with whimbrel.Client(path, engine=engine, auto_start=False) as client:
        await link(client, phone)
    receiving = f"""
    async def main():
        client = whimbrel.Client({str(path)!r}, endpoint=endpoint, manual_acknowledge=True)
        await client.open()
        async for event in client.events():
            if event.sequence is not None:
                text = getattr(event, "text", None)
                os.write(1, f"{{event.sequence}} {{event.id}} {{text}}\\n".encode())
                await client.acknowledge(sequence=event.sequence)

    asyncio.run(main())
    """

    async def flood() -> None:
        for number in range(count):
            await friend.send(phone.jid, f"flood-{number}")

    flooding = asyncio.create_task(flood())
    ids: dict[int, str] = {}
    texts: list[str] = []
    runs = 0
    while len(texts) < count:
        assert runs < 40, f"only {len(texts)} texts arrived"
        process = start(receiving, sandbox)
        assert process.stdout is not None
        seen = 0
        while line := await asyncio.to_thread(process.stdout.readline):
            if not line.endswith("\n"):
                break
            sequence, id, text = line.split()
            if int(sequence) not in ids:
                assert int(sequence) == len(ids) + 1, "no gaps, and in order"
                if text.startswith("flood-"):
                    texts.append(text)
            assert ids.setdefault(int(sequence), id) == id, "a repetition has the same id"
            seen += 1
            if seen == 3 + 4 * runs or len(texts) == count:
                process.kill()
        _, errors = process.communicate()
        assert process.returncode == -signal.SIGKILL, errors
        runs += 1
    await flooding
    assert runs > 2
    assert texts == [f"flood-{number}" for number in range(count)]


async def test_the_engine_never_waits_for_the_interpreter(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    # A call into C that keeps the interpreter's lock, as a bad extension does, must not hold up
    # the protocol: what arrives is received, stored and confirmed meanwhile.
    path = tmp_path / "held.db"
    phone, friend = await sandbox.phone(), await sandbox.phone()
    async with whimbrel.Client(path, engine=engine, auto_start=False) as client:
        await link(client, phone)
    program = f"""
    import ctypes

    async def main():
        async with whimbrel.Client({str(path)!r}, endpoint=endpoint) as client:
            await client.connect(timeout=DEADLINE)
            held = ctypes.PyDLL(None)
            print("held", flush=True)
            held.sleep(6)
            print("free", flush=True)
            async for event in client.events():
                if isinstance(event, whimbrel.Message):
                    print(event.text)
                    return

    asyncio.run(main())
    """
    process = start(program, sandbox)
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == "held\n"
    sent = await friend.send(phone.jid, "meanwhile")
    await friend.receipt_of_a_device(sent)
    assert not select.select([process.stdout], [], [], 0)[0], "it came while the lock was held"
    assert (await asyncio.to_thread(finish, process)).endswith("free\nmeanwhile\n")


@ending
def test_a_loop_that_closed_with_an_open_client(sandbox: Sandbox, tmp_path: Path) -> None:
    path = str(tmp_path / "left.db")
    program = f"""
    client = whimbrel.Client({path!r}, endpoint=endpoint)

    async def leave():
        await client.open()
        asyncio.create_task(anext(client.events()))

    async def use():
        try:
            await client.get_connection()
        except whimbrel.WrongStateError:
            print("refused")
        # What the closed loop had opened is closed by now or soon: the store is free again.
        end = time.monotonic() + DEADLINE
        while True:
            try:
                async with whimbrel.Client({path!r}, endpoint=endpoint, auto_start=False):
                    print("open again")
                return
            except whimbrel.StoreLockedError:
                assert time.monotonic() < end
                await asyncio.sleep(0.01)

    asyncio.run(leave())
    asyncio.run(use())
    """
    assert run(program, sandbox) == "refused\nopen again\n"


@ending
def test_a_client_that_nobody_holds_closes(sandbox: Sandbox, tmp_path: Path) -> None:
    path = str(tmp_path / "dropped.db")
    program = f"""
    import warnings
    warnings.simplefilter("always")

    async def main():
        client = whimbrel.Client({path!r}, endpoint=endpoint)
        await client.open()
        del client
        gc.collect()
        end = time.monotonic() + DEADLINE
        while True:
            try:
                async with whimbrel.Client({path!r}, endpoint=endpoint, auto_start=False):
                    print("open again")
                return
            except whimbrel.StoreLockedError:
                assert time.monotonic() < end
                await asyncio.sleep(0.01)

    asyncio.run(main())
    """
    process = start(program, sandbox)
    output, errors = process.communicate(timeout=DEADLINE * 2)
    assert (process.returncode, output) == (0, "open again\n")
    assert "ResourceWarning" in errors and "was not closed" in errors


def interrupt(process: subprocess.Popen[str]) -> str:
    """Presses Ctrl-C as soon as the program is ready for it."""
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    return finish(process)


@ending
def test_ctrl_c_while_waiting_for_events() -> None:
    program = """
    async def main():
        async with whimbrel.Client(":memory:", auto_start=False) as client:
            print("ready", flush=True)
            async for event in client.events():
                pass

    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print("interrupted")
    """
    assert interrupt(start(program)) == "interrupted\n"


@ending
def test_ctrl_c_while_an_engine_closes(sandbox: Sandbox, tmp_path: Path) -> None:
    # The close takes long: a call that was accepted waits for an answer that never comes.
    path = str(tmp_path / "slow.db")
    program = f"""
    from sandbox import RunningSandbox
    engine = whimbrel.Engine(endpoint=endpoint)
    client = whimbrel.Client({path!r}, engine=engine, auto_start=False)

    async def main():
        there = RunningSandbox(os.environ["READY_LINE"])
        phone, friend = await there.phone(), await there.phone()
        await client.open()
        await link(client, phone)
        fault = {{"device": phone.number + ":*", "stanza": {{"tag": "message"}}, "fault": "swallow_answer"}}
        there.request("POST", "/faults", fault)
        call = asyncio.create_task(client.send_text(chat=friend.jid, text="slow", timeout=3600))
        await friend.message("slow")
        return call

    loop = asyncio.new_event_loop()
    call = loop.run_until_complete(main())
    try:
        print("ready", flush=True)
        engine.close(3600)
    except KeyboardInterrupt:
        print("interrupted")
    """
    assert interrupt(start(program, sandbox)) == "interrupted\n"


@ending
def test_handles_from_before_a_fork() -> None:
    program = """
    engine = whimbrel.Engine()
    loop = asyncio.new_event_loop()
    client = whimbrel.Client(":memory:", engine=engine, auto_start=False)
    loop.run_until_complete(client.open())

    async def fresh():
        async with whimbrel.Client(":memory:", auto_start=False) as client:
            await client.get_connection()

    asyncio.run(fresh())
    child = os.fork()
    if child == 0:
        for use in (lambda: loop.run_until_complete(client.get_connection()), engine.close):
            try:
                use()
            except whimbrel.ForkedError as error:
                print(error.code.name, flush=True)
        # A new engine works, and the child exits in order, with all that it inherited.
        asyncio.run(fresh())
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
    # The parent goes on undisturbed.
    loop.run_until_complete(client.get_connection())
    loop.run_until_complete(client.close())
    asyncio.run(fresh())
    """
    assert run(program) == "FORKED\nFORKED\n"


def test_a_thousand_clients_leave_nothing_behind() -> None:
    program = """
    import resource

    def threads():
        return len(os.listdir("/proc/self/task"))

    def files():
        return len(os.listdir("/proc/self/fd"))

    engine = whimbrel.Engine()

    async def some(count):
        for _ in range(count):
            async with whimbrel.Client(":memory:", engine=engine, auto_start=False) as client:
                await client.get_connection()

    asyncio.run(some(100))
    gc.collect()
    before = threads(), files(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(10):
        asyncio.run(some(100))
    gc.collect()
    after = threads(), files(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # The blocking threads of the engine come and go.
    assert after[0] <= before[0] + 2 and after[1] <= before[1] + 2, (before, after)
    assert after[2] - before[2] < 8 * 1024, (before, after)
    """
    run(program)
