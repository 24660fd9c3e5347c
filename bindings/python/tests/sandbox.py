"""The sandbox program and its simulated phones, for tests."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, TypeVar

import whimbrel

# How long anything may take before a test fails.
DEADLINE = 20.0


def program() -> str:
    """The program, which ``cargo xtask test python`` builds."""
    beside = Path(__file__).resolve().parents[3] / "target/debug/whimbrel-sandbox"
    return os.environ.get("WHIMBREL_SANDBOX", str(beside))


class RunningSandbox:
    """A sandbox that somebody has started."""

    def __init__(self, ready_line: str) -> None:
        self.ready_line = ready_line
        self._control: str = json.loads(ready_line)["control"]

    def request(self, method: str, path: str, body: object = None) -> Any:
        """Asks the control API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._control + path, data=data, method=method)
        request.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE * 2) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.read().decode()}") from None
        return json.loads(text) if text else None

    def endpoint(self, *, tls: bool = True) -> whimbrel.Endpoint:
        return whimbrel.Endpoint.sandbox(self.ready_line, tls=tls)

    async def phone(self) -> Phone:
        return Phone(self, await asyncio.to_thread(self.request, "POST", "/phones", {}))


class Sandbox(RunningSandbox):
    """A sandbox that the tests start and stop."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [program(), "--exit-with-parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        super().__init__(self._process.stdout.readline())

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=DEADLINE)


class Phone:
    """A simulated phone."""

    def __init__(self, sandbox: RunningSandbox, view: dict[str, Any]) -> None:
        self._sandbox = sandbox
        self.number: str = view["phone"]
        self.jid: str = view["jid"]
        self.lid: str = view["lid"]

    async def ask(self, method: str, what: str, body: object = None) -> Any:
        path = f"/phones/{self.number}{what}"
        return await asyncio.to_thread(self._sandbox.request, method, path, body)

    async def scan(self, qr: str) -> None:
        await self.ask("POST", "/scan", {"qr": qr})

    async def enter_code(self, code: str) -> None:
        await self.ask("POST", "/code", {"code": code})

    async def send(self, to: str, text: str) -> str:
        sent: str = (await self.ask("POST", "/send", {"to": to, "text": text}))["id"]
        return sent

    async def send_raw(self, to: str, raw: str) -> str:
        """Sends a message of any kind as protobuf, hexadecimal."""
        sent: str = (await self.ask("POST", "/send", {"to": to, "raw": raw}))["id"]
        return sent

    async def message(self, text: str) -> dict[str, Any]:
        """Waits for a message with this text."""
        return await self._wait("messages", lambda item: item.get("text") == text)

    async def shown(self, message_id: str) -> dict[str, Any]:
        """Waits for the message with this id."""
        return await self._wait("messages", lambda item: item["id"] == message_id)

    async def file(self, message_id: str) -> bytes:
        """Waits for the message with this id, and downloads and opens its file."""
        got = await self.ask("GET", f"/media/{message_id}?wait_ms=20000")
        return base64.b64decode(got["base64"])

    async def receipt(self, message_id: str, kind: str) -> dict[str, Any]:
        """Waits for a receipt for a message."""
        return await self._wait(
            "receipts", lambda item: item["id"] == message_id and item["kind"] == kind
        )

    async def sign(self, kind: str) -> dict[str, Any]:
        """Waits for what the phone sees of somebody: ``available``, ``composing`` and the like."""
        return await self._wait("signs", lambda item: item["kind"] == kind)

    async def _wait(self, what: str, wanted: Any) -> dict[str, Any]:
        after, end = 0, time.monotonic() + DEADLINE
        while time.monotonic() < end:
            answer = await self.ask("GET", f"/{what}?after={after}&wait_ms=5000")
            for item in answer["items"]:
                after = item["seq"]
                if wanted(item):
                    found: dict[str, Any] = item
                    return found
        raise AssertionError(f"the phone has no such entry in its {what}")


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
