"""The sandbox program and its simulated phones, for the tests of this package.

``whimbrel.testing`` has them for everybody; here they are as these tests, which have an event loop,
use them.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TypeVar

import whimbrel
from whimbrel import testing

# How long anything may take before a test fails.
DEADLINE = testing.DEADLINE

Phone = testing.AsyncPhone

# The program that ``cargo xtask test python`` builds.
os.environ.setdefault(
    "WHIMBREL_SANDBOX",
    str(Path(__file__).resolve().parents[3] / "target/debug/whimbrel-sandbox"),
)


def program() -> str:
    """The program."""
    return testing.program()


class RunningSandbox:
    """A sandbox that somebody has started."""

    def __init__(self, running: testing.RunningSandbox | str) -> None:
        self._running = testing.RunningSandbox(running) if isinstance(running, str) else running
        self.ready_line = self._running.ready_line
        self.request = self._running.request
        self.endpoint = self._running.endpoint

    async def phone(self) -> Phone:
        return (await asyncio.to_thread(self._running.phone)).aio


class Sandbox(RunningSandbox):
    """A sandbox that the tests start and stop."""

    def __init__(self) -> None:
        own = testing.Sandbox()
        super().__init__(own)
        self.stop = own.stop


E = TypeVar("E", bound=whimbrel.Event)


async def next_event(client: whimbrel.Client, kind: type[E]) -> E:
    """The next event of a kind; others before it are taken."""

    async def take() -> E:
        async for event in client.events():
            if isinstance(event, kind):
                return event
        raise AssertionError("the events ended")

    return await asyncio.wait_for(take(), DEADLINE)


async def link(client: whimbrel.Client, phone: Phone) -> None:
    """Links a client that is open to a phone, and waits until it is online."""
    code = await client.link_with_qr(timeout=DEADLINE)
    await phone.scan(code.text)
    await client.connect(timeout=DEADLINE)
