"""A sandbox for tests: the service's side of the protocol with simulated phones, on loopback.

::

    with whimbrel.testing.Sandbox() as sandbox:
        phone, friend = sandbox.phone(), sandbox.phone()
        with whimbrel.sync.Client(":memory:", endpoint=sandbox.endpoint(), auto_start=False) as client:
            phone.scan(client.link_with_qr().text)
            client.connect()
            client.send_text(chat=friend.jid, text="hello")
            assert friend.message("hello")["from_me"] is False

It runs the program ``whimbrel-sandbox``: the one that the environment variable
``WHIMBREL_SANDBOX`` names, or the one on the ``PATH``. With pytest the fixtures
``whimbrel_sandbox`` and ``whimbrel_engine`` are there as soon as the package is installed.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from types import TracebackType
from typing import Any

from .client import Client
from .engine import Endpoint
from .sync import Client as SyncClient

__all__ = ["AsyncPhone", "Phone", "RunningSandbox", "Sandbox", "SandboxError", "program"]

DEADLINE = 20.0
"""Seconds that anything may take before a wait fails."""


class SandboxError(AssertionError):
    """The sandbox refused, or what was waited for did not happen; a failed assertion of a test."""


def program() -> str:
    """The path of the program ``whimbrel-sandbox``."""
    found = os.environ.get("WHIMBREL_SANDBOX") or shutil.which("whimbrel-sandbox")
    if not found:
        raise SandboxError(
            "there is no whimbrel-sandbox: put it on the PATH, or name it in WHIMBREL_SANDBOX"
        )
    return found


class RunningSandbox:
    """A sandbox that somebody has started.

    Args:
        ready_line: The line of JSON that it printed when it was ready.
    """

    def __init__(self, ready_line: str) -> None:
        self.ready_line = ready_line
        """The line of JSON that it printed when it was ready."""
        self._control: str = json.loads(ready_line)["control"]

    def request(self, method: str, path: str, body: object = None) -> Any:
        """Asks the control API, which ``whimbrel-sandbox --help`` lists.

        Args:
            method: ``GET``, ``POST`` and so on.
            path: What is asked, with its query.
            body: What becomes the JSON of the request.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._control + path, data=data, method=method)
        request.add_header("content-type", "application/json")
        # Whatever proxy the machine has: the sandbox is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=DEADLINE * 2) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise SandboxError(f"{method} {path}: {error.read().decode()}") from None
        return json.loads(text) if text else None

    def endpoint(self, *, tls: bool = True) -> Endpoint:
        """Where clients and engines find it."""
        return Endpoint.sandbox(self.ready_line, tls=tls)

    def phone(self, **settings: object) -> Phone:
        """A new simulated phone, with an account.

        Args:
            settings: ``phone``, its number; ``name``; what is absent is made up.
        """
        return Phone(self, self.request("POST", "/phones", settings))

    def violations(self) -> list[Any]:
        """What clients did so far that breaks the protocol's rules about keys."""
        items: list[Any] = self.request("GET", "/violations")["items"]
        return items


class Sandbox(RunningSandbox):
    """A sandbox of one's own; it ends with the ``with`` block, or with the process.

    Args:
        options: Further options of the program, such as ``--strict``.
    """

    def __init__(self, *options: str) -> None:
        self._process = subprocess.Popen(
            [program(), "--exit-with-parent", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.communicate()
            raise SandboxError(f"whimbrel-sandbox ended with status {self._process.returncode}")
        super().__init__(line)

    def stop(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.communicate(timeout=DEADLINE)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class Phone:
    """A simulated phone with an account of its own. Its methods hold up their thread."""

    def __init__(self, sandbox: RunningSandbox, view: dict[str, Any]) -> None:
        self._sandbox = sandbox
        self.number: str = view["phone"]
        """Its number, digits only."""
        self.jid: str = view["jid"]
        """The address of its account by number."""
        self.lid: str = view["lid"]
        """The hidden address of its account."""

    @property
    def aio(self) -> AsyncPhone:
        """The same phone for programs with an event loop."""
        return AsyncPhone(self)

    def ask(self, method: str, what: str, body: object = None) -> Any:
        """Asks the control API for something of this phone."""
        return self._sandbox.request(method, f"/phones/{self.number}{what}", body)

    def link(self, client: SyncClient) -> None:
        """Links a client that is open, and waits until it is online."""
        self.scan(client.link_with_qr(timeout=DEADLINE).text)
        client.connect(timeout=DEADLINE)

    def scan(self, qr: str) -> None:
        """Scans the QR code of a client, which links it."""
        self.ask("POST", "/scan", {"qr": qr})

    def enter_code(self, code: str) -> None:
        """Types the pairing code of a client, which links it."""
        self.ask("POST", "/code", {"code": code})

    def send(self, to: str, text: str) -> str:
        """Sends a text to an address, and returns the id of the message."""
        sent: str = self.ask("POST", "/send", {"to": to, "text": text})["id"]
        return sent

    def send_raw(self, to: str, raw: str) -> str:
        """Sends a message of any kind as protobuf, hexadecimal."""
        sent: str = self.ask("POST", "/send", {"to": to, "raw": raw})["id"]
        return sent

    def send_file(self, to: str, kind: str, mimetype: str, data: bytes) -> str:
        """Sends a file, and returns the id of the message."""
        encoded = base64.b64encode(data).decode()
        body = {"to": to, "kind": kind, "mimetype": mimetype, "base64": encoded}
        sent: str = self.ask("POST", "/send-media", body)["id"]
        return sent

    def message(self, text: str) -> dict[str, Any]:
        """Waits for a message with this text."""
        return self.wait("messages", lambda item: item.get("text") == text)

    def shown(self, message_id: str) -> dict[str, Any]:
        """Waits for the message with this id."""
        return self.wait("messages", lambda item: item["id"] == message_id)

    def file(self, message_id: str) -> bytes:
        """Waits for the message with this id, and downloads and opens its file."""
        got = self.ask("GET", f"/media/{message_id}?wait_ms=20000")
        return base64.b64decode(got["base64"])

    def receipt(self, message_id: str, kind: str) -> dict[str, Any]:
        """Waits for a receipt for a message: ``delivered``, ``read`` and so on."""
        return self.wait(
            "receipts", lambda item: item["id"] == message_id and item["kind"] == kind
        )

    def receipt_of_a_device(self, message_id: str) -> dict[str, Any]:
        """Waits until a companion device, not only the phone, has a message."""
        return self.wait(
            "receipts", lambda item: item["id"] == message_id and ":" in item["from"]
        )

    def sign(self, kind: str) -> dict[str, Any]:
        """Waits for what the phone sees of somebody: ``available``, ``composing`` and the like."""
        return self.wait("signs", lambda item: item["kind"] == kind)

    def wait(self, what: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Waits for an entry of one of the phone's lists.

        Args:
            what: ``messages``, ``receipts`` or ``signs``.
            wanted: Whether an entry is the one.
        """
        after, end = 0, time.monotonic() + DEADLINE
        while time.monotonic() < end:
            answer = self.ask("GET", f"/{what}?after={after}&wait_ms=5000")
            for item in answer["items"]:
                after = item["seq"]
                if wanted(item):
                    found: dict[str, Any] = item
                    return found
        raise SandboxError(f"the phone has no such entry in its {what}")


class AsyncPhone:
    """A simulated phone for programs with an event loop; the methods are those of ``Phone``."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self.number = phone.number
        """Its number, digits only."""
        self.jid = phone.jid
        """The address of its account by number."""
        self.lid = phone.lid
        """The hidden address of its account."""

    async def ask(self, method: str, what: str, body: object = None) -> Any:
        return await asyncio.to_thread(self._phone.ask, method, what, body)

    async def link(self, client: Client) -> None:
        code = await client.link_with_qr(timeout=DEADLINE)
        await self.scan(code.text)
        await client.connect(timeout=DEADLINE)

    async def scan(self, qr: str) -> None:
        await asyncio.to_thread(self._phone.scan, qr)

    async def enter_code(self, code: str) -> None:
        await asyncio.to_thread(self._phone.enter_code, code)

    async def send(self, to: str, text: str) -> str:
        return await asyncio.to_thread(self._phone.send, to, text)

    async def send_raw(self, to: str, raw: str) -> str:
        return await asyncio.to_thread(self._phone.send_raw, to, raw)

    async def send_file(self, to: str, kind: str, mimetype: str, data: bytes) -> str:
        return await asyncio.to_thread(self._phone.send_file, to, kind, mimetype, data)

    async def message(self, text: str) -> dict[str, Any]:
        return await asyncio.to_thread(self._phone.message, text)

    async def shown(self, message_id: str) -> dict[str, Any]:
        return await asyncio.to_thread(self._phone.shown, message_id)

    async def file(self, message_id: str) -> bytes:
        return await asyncio.to_thread(self._phone.file, message_id)

    async def receipt(self, message_id: str, kind: str) -> dict[str, Any]:
        return await asyncio.to_thread(self._phone.receipt, message_id, kind)

    async def receipt_of_a_device(self, message_id: str) -> dict[str, Any]:
        return await asyncio.to_thread(self._phone.receipt_of_a_device, message_id)

    async def sign(self, kind: str) -> dict[str, Any]:
        return await asyncio.to_thread(self._phone.sign, kind)

    async def wait(self, what: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        return await asyncio.to_thread(self._phone.wait, what, wanted)
