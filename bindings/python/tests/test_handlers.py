"""Handlers of events, by decorator."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sandbox import DEADLINE, Sandbox, link

import whimbrel


async def test_handlers_get_their_kinds_in_order_and_failures_stop_nothing(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await sandbox.phone(), await sandbox.phone()
    client = whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False)
    seen: list[str] = []
    failures: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: failures.append(f"{context['message']}: {context['exception']}")
    )
    try:

        @client.on(whimbrel.Message)
        async def answer(message: whimbrel.Message) -> None:
            if message.text == "fail":
                raise RuntimeError("a bug")
            seen.append(f"first {message.text}")
            await client.send_text(chat=message.chat, text=f"echo {message.text}")

        @client.on(whimbrel.Message, whimbrel.Receipt)
        def note(event: whimbrel.Message | whimbrel.Receipt) -> None:
            if isinstance(event, whimbrel.Message):
                seen.append(f"second {event.text}")

        @client.on()
        async def end(event: whimbrel.Event) -> None:
            if isinstance(event, whimbrel.Message) and event.text == "end":
                # Not `close`: it would wait for what this handler holds up, were it manual.
                closing.append(asyncio.create_task(client.close()))

        closing: list[asyncio.Task[None]] = []
        await client.open()
        await link(client, phone)
        running = asyncio.create_task(client.run())
        for text in ("one", "fail", "end"):
            await friend.send(phone.jid, text)
        await friend.message("echo one")
        await asyncio.wait_for(running, DEADLINE)
        await asyncio.gather(*closing)
    finally:
        asyncio.get_running_loop().set_exception_handler(None)
    assert seen == ["first one", "second one", "second fail", "first end", "second end"]
    assert failures == ["a handler of message events failed: a bug"]


async def test_run_opens_and_closes_the_client(engine: whimbrel.Engine) -> None:
    client = whimbrel.Client(":memory:", engine=engine, auto_start=True)
    shown = asyncio.Event()
    client.on(whimbrel.Qr)(lambda event: shown.set())
    running = asyncio.create_task(client.run())
    await asyncio.wait_for(shown.wait(), DEADLINE)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(whimbrel.ClosedError):
        await client.get_connection()
