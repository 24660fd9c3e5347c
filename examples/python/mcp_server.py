"""An MCP server: agents read and send with exactly the operations and chats that they are allowed.

Every tool is an operation of the engine; its name, words and schema come from ``bindings/api.json``.
Nothing is offered that is not allowed: ``--allow`` names operations, by default those that look things
up, and ``--chat`` the chats, without which there is no limit of chats. With chats given, an operation
is offered only if it says which chat it is about, and refused for every other one. One tool is not of
the table: ``new_messages`` waits for what arrives in those chats. It speaks over standard input and
output; link the store first, with ``python -m whimbrel link``. ``--sandbox FILE`` talks to a sandbox.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import whimbrel

READING = ["find_chats", "find_messages", "find_contacts", "get_message", "get_connection"]
VERSIONS = ["2025-06-18", "2025-03-26", "2024-11-05"]
NEW_MESSAGES: dict[str, Any] = {
    "name": "new_messages",
    "description": "Waits for messages that arrive and returns those that nobody has taken yet.",
    "inputSchema": {
        "type": "object",
        "properties": {"seconds": {"type": "number", "description": "How long to wait, at most 60."}},
    },
}


class Refused(Exception):
    """What the agent may not do; the words are for the agent."""


class Table:
    """Operations as tools."""

    def __init__(self, api: Path) -> None:
        described = json.loads(api.read_text())
        self.types: dict[str, Any] = described["types"]
        self.requests = {
            one["name"]: one["request"]["$ref"].rsplit("/", 1)[1] for one in described["operations"]
        }

    def addresses(self, operation: str) -> list[str]:
        """The members of its request that are addresses."""
        members: dict[str, Any] = self.types[self.requests[operation]].get("properties", {})
        return [name for name, schema in members.items() if '"address"' in json.dumps(schema)]

    def tool(self, operation: str) -> dict[str, Any]:
        schema = self.types[self.requests[operation]]
        needed: dict[str, Any] = {}
        missing = [schema]
        while missing:
            text = json.dumps(missing.pop())
            for name in self.types.keys() - needed.keys():
                if f'"#/$defs/{name}"' in text:
                    needed[name] = self.types[name]
                    missing.append(self.types[name])
        body = {name: part for name, part in schema.items() if name != "description"}
        return {
            "name": operation,
            "description": schema.get("description", operation),
            "inputSchema": {"type": "object", **body, **({"$defs": needed} if needed else {})},
        }


class Server:
    def __init__(self, client: whimbrel.Client, table: Table, operations: list[str]) -> None:
        self._client, self._table = client, table
        self._operations = operations
        self._chats: set[str] | None = None
        self._arrived: deque[dict[str, Any]] = deque(maxlen=1000)
        self._news = asyncio.Event()

    async def limit(self, chats: list[str]) -> None:
        """Allows these chats and no others, under every address that each has."""
        self._chats = set(chats)
        for chat in chats:
            who = await self._client.get_identity(address=chat)
            forms = {form for form in (who.id, who.phone, who.lid) if form}
            self._chats |= forms | {form.removesuffix("@s.whatsapp.net") for form in forms}
        self._operations = [
            name for name in self._operations if "chat" in self._table.addresses(name)
        ]

    def _check(self, operation: str, request: dict[str, Any]) -> None:
        if operation not in self._operations:
            raise Refused(f"the operation {operation} is not allowed")
        if self._chats is None:
            return
        if request.get("chat") is None:
            raise Refused("say which chat; only some are allowed")
        for member in self._table.addresses(operation):
            given = request.get(member)
            for address in given if isinstance(given, list) else [given]:
                if address is not None and str(address).removeprefix("+") not in self._chats:
                    raise Refused(f"{member}: that chat is not allowed")

    async def listen(self) -> None:
        async for event in self._client.events():
            if not isinstance(event, whimbrel.Message) or event.is_status:
                continue
            who = event.chat
            if self._chats is None or self._chats & {who.id, who.phone, who.lid}:
                sender = event.sender.phone or event.sender.id
                told = {"chat": who.id, "sender": sender, "messageId": event.message_id}
                self._arrived.append({**told, "fromMe": event.from_me, "text": event.text})
                self._news.set()

    async def _new_messages(self, seconds: float) -> list[dict[str, Any]]:
        try:
            await asyncio.wait_for(self._news.wait(), max(0.0, min(seconds, 60.0)))
        except asyncio.TimeoutError:
            pass
        self._news.clear()
        messages = list(self._arrived)
        self._arrived.clear()
        return messages

    async def _call(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            if name == NEW_MESSAGES["name"]:
                answer: Any = await self._new_messages(float(request.get("seconds", 0)))
            else:
                self._check(name, request)
                answer = await self._client.request(name, request)
        except (Refused, whimbrel.WhimbrelError) as error:
            return {"content": [{"type": "text", "text": str(error)}], "isError": True}
        return {"content": [{"type": "text", "text": json.dumps(answer, ensure_ascii=False)}]}

    async def answer(self, method: str, given: dict[str, Any]) -> dict[str, Any] | None:
        """The result of a request; ``None`` for a method that is not known."""
        match method:
            case "initialize":
                wanted = given.get("protocolVersion")
                return {
                    "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[0],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "whimbrel", "version": "0.1.0"},
                }
            case "ping":
                return {}
            case "tools/list":
                return {"tools": [*map(self._table.tool, self._operations), NEW_MESSAGES]}
            case "tools/call":
                return await self._call(str(given.get("name")), given.get("arguments") or {})
        return None


async def lines() -> AsyncIterator[str]:
    """The lines of standard input, read on a thread that does not hold up the end."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(queue.put_nowait, line)
        loop.call_soon_threadsafe(queue.put_nowait, "")

    threading.Thread(target=read, daemon=True).start()
    while line := await queue.get():
        yield line


async def serve(server: Server) -> None:
    running: set[asyncio.Task[None]] = set()

    def write(message: dict[str, Any]) -> None:
        print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)

    async def handle(request: dict[str, Any]) -> None:
        result = await server.answer(str(request.get("method")), request.get("params") or {})
        if "id" not in request:
            return  # A notification: nobody waits for an answer.
        if result is None:
            error = {"code": -32601, "message": "there is no such method"}
            return write({"id": request["id"], "error": error})
        write({"id": request["id"], "result": result})

    async for line in lines():
        try:
            request = json.loads(line)
        except json.JSONDecodeError:
            write({"id": None, "error": {"code": -32700, "message": "that is no JSON"}})
            continue
        # A call that waits holds up no other.
        task = asyncio.create_task(handle(request))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)


async def run(options: argparse.Namespace) -> None:
    table = Table(options.api)
    if unknown := set(options.allow) - table.requests.keys():
        raise SystemExit(f"there is no operation {', '.join(sorted(unknown))}")
    endpoint = options.sandbox and whimbrel.Endpoint.sandbox(options.sandbox.read_text())
    async with whimbrel.Client(options.store, endpoint=endpoint) as client:
        server = Server(client, table, options.allow)
        if options.chat:
            await server.limit(options.chat)
        listening = asyncio.create_task(server.listen())
        await serve(server)
        listening.cancel()


def main() -> None:
    api = Path(__file__).resolve().parents[2] / "bindings/api.json"
    parser = argparse.ArgumentParser(description="An MCP server over standard input and output.")
    parser.add_argument("--store", type=Path, default=Path("whimbrel.db"), help="file of the link")
    parser.add_argument("--sandbox", type=Path, help="file with a sandbox's ready line")
    parser.add_argument("--api", type=Path, default=api, help="the description of the operations")
    parser.add_argument("--allow", action="append", help="an operation; may be given more than once")
    parser.add_argument("--chat", action="append", help="a chat; may be given more than once")
    options = parser.parse_args()
    options.allow = options.allow or READING
    try:
        asyncio.run(run(options))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
