"""The example program, as a user runs it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from sandbox import DEADLINE, Sandbox, link

import whimbrel

ROOT = Path(__file__).resolve().parents[3]


async def test_the_echo_bot_echoes(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:

    phone, friend = await sandbox.phone(), await sandbox.phone()
    ready, store = tmp_path / "ready.json", tmp_path / "echo.db"
    ready.write_text(sandbox.ready_line)
    environment = dict(os.environ, PYTHONPATH=str(ROOT / "bindings/python/python"))
    bot = [sys.executable, str(ROOT / "examples/python/echo_bot.py")]
    bot += ["--sandbox", str(ready), "--store", str(tmp_path / "fresh.db")]
    pipe = asyncio.subprocess.PIPE

    # Without a link it draws a code.
    fresh = await asyncio.create_subprocess_exec(*bot, env=environment, stdout=pipe)
    assert fresh.stdout is not None
    line = (await asyncio.wait_for(fresh.stdout.readline(), DEADLINE)).decode().rstrip()
    assert set(line) == {"\u2588"}
    fresh.send_signal(signal.SIGINT)
    await asyncio.wait_for(fresh.communicate(), DEADLINE)
    assert fresh.returncode == 0

    async with whimbrel.Client(store, engine=engine, auto_start=False) as client:
        await link(client, phone)
    await friend.send(phone.jid, "is anybody there?")
    running = await asyncio.create_subprocess_exec(
        *bot[:-1], str(store), env=environment, stdout=pipe
    )
    try:
        assert (await friend.message("is anybody there?"))["from_me"] is False
    finally:
        running.send_signal(signal.SIGINT)
        await asyncio.wait_for(running.communicate(), DEADLINE)
    assert running.returncode == 0
