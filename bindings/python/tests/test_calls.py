"""Deadlines and cancelling."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from sandbox import DEADLINE

import whimbrel


@pytest.fixture
def silent() -> Iterator[whimbrel.Endpoint]:
    """A server that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield whimbrel.Endpoint(url=f"ws://127.0.0.1:{listener.getsockname()[1]}/ws/chat")


async def test_a_call_ends_at_its_deadline(silent: whimbrel.Endpoint) -> None:
    async with whimbrel.Client(":memory:", endpoint=silent, auto_start=False) as client:
        started = time.monotonic()
        with pytest.raises(whimbrel.NetworkError) as caught:
            await client.link_with_qr(timeout=0.3)
        assert 0.2 < time.monotonic() - started < DEADLINE
        assert caught.value.operation == "link_with_qr"


async def test_the_client_has_a_deadline_for_all_calls(silent: whimbrel.Endpoint) -> None:
    async with whimbrel.Client(
        ":memory:", endpoint=silent, auto_start=False, request_timeout=0.3
    ) as client:
        with pytest.raises(whimbrel.NetworkError):
            await asyncio.wait_for(client.link_with_qr(), DEADLINE)


async def started_calls() -> None:
    """Lets the tasks that were just made run until they wait."""
    await asyncio.sleep(0)


async def test_cancelling_a_task_cancels_its_call(silent: whimbrel.Endpoint) -> None:
    client = whimbrel.Client(":memory:", endpoint=silent, auto_start=False)
    await client.open()
    call = asyncio.create_task(client.link_with_qr(timeout=3600))
    await started_calls()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    # Nothing is under way any more: closing has nobody to wait for.
    started = time.monotonic()
    await client.close(timeout=3600)
    assert time.monotonic() - started < DEADLINE


async def test_waiting_with_a_time_limit(silent: whimbrel.Endpoint) -> None:
    async with whimbrel.Client(":memory:", endpoint=silent, auto_start=False) as client:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.link_with_qr(timeout=3600), 0.2)


async def test_closing_ends_calls_that_wait_for_a_connection(silent: whimbrel.Endpoint) -> None:
    client = whimbrel.Client(":memory:", endpoint=silent, auto_start=False)
    await client.open()
    call = asyncio.create_task(client.link_with_qr(timeout=3600))
    await started_calls()
    await asyncio.wait_for(client.close(timeout=3600), DEADLINE)
    with pytest.raises(whimbrel.CallCancelledError):
        await call


async def test_many_calls_at_once() -> None:
    async with whimbrel.Client(":memory:", auto_start=False) as client:

        async def echo(number: int) -> int:
            echo = await client.debug_echo(
                text="", number=number, large="", flag=False, nested=[], choice=whimbrel.DebugChoice.FIRST
            )
            return echo.number

        assert await asyncio.gather(*map(echo, range(2000))) == list(range(2000))
