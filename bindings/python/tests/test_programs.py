"""The larger example programs, as a user runs them."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sandbox import DEADLINE, Phone, Sandbox, link

import whimbrel

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = dict(
    os.environ, PYTHONPATH=str(ROOT / "bindings/python/python"), TERM="xterm", PYTHONUNBUFFERED="1"
)
PIPE = asyncio.subprocess.PIPE


async def linked(sandbox: Sandbox, engine: whimbrel.Engine, folder: Path) -> Phone:
    phone = await sandbox.phone()
    (folder / "ready.json").write_text(sandbox.ready_line)
    async with whimbrel.Client(folder / "a.db", engine=engine, auto_start=False) as client:
        await link(client, phone)
    return phone


@asynccontextmanager
async def running(
    folder: Path, program: str, *words: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs an example until Ctrl-C, which must end it in order."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, str(ROOT / "examples/python" / program)],
        *["--sandbox", "ready.json", "--store", "a.db", *words],
        cwd=folder,
        env=ENVIRONMENT,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        _, errors = await asyncio.wait_for(process.communicate(), DEADLINE)
        assert (process.returncode, errors) == (0, b""), errors.decode()
    finally:
        if process.returncode is None:
            process.kill()
            _, errors = await process.communicate()
            print(errors.decode())


async def line_with(process: asyncio.subprocess.Process, part: str) -> str:
    assert process.stdout is not None
    while True:
        line = (await asyncio.wait_for(process.stdout.readline(), DEADLINE)).decode()
        assert line, "it ended"
        if part in line:
            return line.rstrip()


async def test_the_answer_bot_sees_the_conversation(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await linked(sandbox, engine, tmp_path), await sandbox.phone()
    (tmp_path / "model.py").write_text(
        "import json, sys\n"
        "turns = json.load(sys.stdin)\n"
        "print(' / '.join(f\"{turn['role'][0]}: {turn['content']}\" for turn in turns))\n"
    )
    command = f"{sys.executable} model.py"
    async with running(tmp_path, "answer_bot.py", "--command", command):
        first = await friend.send(phone.jid, "is it raining?")
        await friend.message("u: is it raining?")
        await friend.receipt(first, "read")
        await friend.send(phone.jid, "and now?")
        await friend.message("u: is it raining? / a: u: is it raining? / u: and now?")


async def test_the_answer_bot_asks_a_server(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await linked(sandbox, engine, tmp_path), await sandbox.phone()
    asked: list[dict[str, Any]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(re.findall(r"(?i)content-length: (\d+)", head)[0])
        asked.append(json.loads(await reader.readexactly(length)))
        body = json.dumps({"choices": [{"message": {"content": "yes\n"}}]}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n")
        writer.write(b"content-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/chat/completions"
    async with running(tmp_path, "answer_bot.py", "--url", url, "--model", "small"):
        await friend.send(phone.jid, "is it raining?")
        await friend.message("yes")
    server.close()
    turns = [{"role": "user", "content": "is it raining?"}]
    assert asked == [{"model": "small", "messages": turns}]


async def test_the_moderator_warns_and_removes(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone = await linked(sandbox, engine, tmp_path)
    member, other, late = [await sandbox.phone() for _ in range(3)]
    made = {"creator": phone.number, "subject": "birds", "members": [member.number, other.number]}
    group = (await asyncio.to_thread(sandbox.request, "POST", "/groups", made))["jid"]
    words = ["--warnings", "2", "--greeting", "Hello and welcome!", "--forbid", "spam"]
    async with running(tmp_path, "moderator.py", *words) as moderating:
        await member.send(group, "a harmless word")
        await member.send(group, "SPAM for you")
        await line_with(moderating, "warning 1 ")
        await other.message("That is not wanted here. After 1 more you will be removed.")
        await phone.send(group, "this account may say spam")
        add = {"by": phone.number, "members": [late.number]}
        await asyncio.to_thread(sandbox.request, "POST", f"/groups/{group}/add", add)
        await late.message("Hello and welcome!")
        await member.send(group, "more spam")
        await line_with(moderating, "warning 2 ")
        await line_with(moderating, "removed ")
    view = await asyncio.to_thread(sandbox.request, "GET", f"/groups/{group}")
    assert member.number not in json.dumps(view) and other.number in json.dumps(view)
    (counted,) = json.loads((tmp_path / "warnings.json").read_text()).values()
    assert len(counted) == 2


async def test_the_terminal_scrolls_and_sends(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await linked(sandbox, engine, tmp_path), await sandbox.phone()
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, str(ROOT / "examples/python/terminal.py")],
        *["--sandbox", "ready.json", "--store", "a.db"],
        cwd=tmp_path,
        env={**ENVIRONMENT, "LINES": "12", "COLUMNS": "60"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    seen = ""

    async def shows(part: str) -> None:
        nonlocal seen
        end = asyncio.get_running_loop().time() + DEADLINE
        while part not in seen:
            assert asyncio.get_running_loop().time() < end, seen
            try:
                seen += os.read(ours, 65_536).decode(errors="replace")
            except BlockingIOError:
                await asyncio.sleep(0.02)

    try:
        await shows("\x1b[1;11r")  # all but the last row scroll
        await shows("(online)")
        await friend.send(phone.jid, "hello \x1b[2J there")
        await shows(f"{friend.number}: hello [2J there")
        os.write(ours, "grüße".encode())
        await shows(f"{friend.number}> grüße")
        os.write(ours, b"\x7fe!\n")
        await friend.message("grüße!")
        await shows("me: grüße!")
        os.write(ours, b"/chats\n/back\n/to nobody\nx\n")
        await shows("nobody> x")
        await shows("(")
        os.write(ours, b"/quit\n")
        await asyncio.wait_for(process.wait(), DEADLINE)
        await shows("\x1b[r")
        assert process.returncode == 0, seen
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)
        os.close(theirs)


class Agent:
    """The other side of MCP."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process, self._last = process, 0

    async def ask(self, method: str, **given: object) -> Any:
        self._last += 1
        request = {"jsonrpc": "2.0", "id": self._last, "method": method, "params": given}
        answer = await self.say(json.dumps(request))
        assert answer["jsonrpc"] == "2.0" and answer["id"] == self._last
        return answer.get("result", answer.get("error"))

    async def say(self, line: str, *, answered: bool = True) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line.encode() + b"\n")
        if answered:
            return json.loads(await asyncio.wait_for(self._process.stdout.readline(), DEADLINE))
        return None

    async def call(self, name: str, **arguments: object) -> tuple[bool, Any]:
        result = await self.ask("tools/call", name=name, arguments=arguments)
        (content,) = result["content"]
        failed = result.get("isError", False)
        return failed, content["text"] if failed else json.loads(content["text"])


async def test_agents_do_what_they_are_allowed_to(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await linked(sandbox, engine, tmp_path), await sandbox.phone()
    stranger = await sandbox.phone()
    words = ["--chat", friend.number]
    for operation in ("send_text", "find_messages", "find_chats", "get_account"):
        words += ["--allow", operation]
    async with running(tmp_path, "mcp_server.py", *words) as serving:
        agent = Agent(serving)
        hello = await agent.ask("initialize", protocolVersion="2025-03-26", capabilities={})
        assert hello["protocolVersion"] == "2025-03-26" and "tools" in hello["capabilities"]
        await agent.say(
            '{"jsonrpc":"2.0","method":"notifications/initialized"}', answered=False
        )
        tools = {tool["name"]: tool for tool in (await agent.ask("tools/list"))["tools"]}
        # Those that do not say which chat they are about are not offered.
        assert tools.keys() == {"send_text", "find_messages", "find_chats", "new_messages"}
        schema = tools["send_text"]["inputSchema"]
        assert schema["type"] == "object" and {"chat", "text"} <= set(schema["required"])
        assert tools["send_text"]["description"].startswith("Sends a text")

        failed, sent = await agent.call("send_text", chat=friend.number, text="from an agent")
        assert not failed
        assert (await friend.message("from an agent"))["id"] == sent["messageId"]
        await stranger.send(phone.jid, "not for agents")
        await friend.send(phone.jid, "an answer")
        failed, news = await agent.call("new_messages", seconds=20)
        assert [item["text"] for item in news] == ["an answer"]
        failed, found = await agent.call("find_messages", chat=friend.jid, text="agent")
        assert not failed and len(found["items"]) == 1

        for name, arguments in (
            ("send_text", {"chat": stranger.number, "text": "no"}),
            ("find_messages", {}),
            ("find_messages", {"chat": friend.jid, "sender": stranger.jid}),
            ("find_chats", {}),
            ("get_account", {}),
            ("log_out", {}),
            ("send_text", {"chat": friend.number, "txt": "unknown member"}),
        ):
            failed, why = await agent.call(name, **arguments)
            assert failed and isinstance(why, str) and why, name
        assert (await agent.ask("resources/list"))["code"] == -32601
        assert (await agent.say("nonsense"))["error"]["code"] == -32700
        assert await agent.ask("ping") == {}
        assert serving.stdin is not None
        serving.stdin.close()
        assert await asyncio.wait_for(serving.wait(), DEADLINE) == 0
    items = (await stranger.ask("GET", "/messages?after=0&wait_ms=1"))["items"]
    assert items == []
