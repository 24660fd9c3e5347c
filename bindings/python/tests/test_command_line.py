"""``python -m whimbrel``, as a user types it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from files import png
from sandbox import DEADLINE, Sandbox, link

import whimbrel
from whimbrel.__main__ import plain

PACKAGE = Path(__file__).resolve().parents[1] / "python"


class Terminal:
    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "whimbrel.db"
        (folder / "ready.json").write_text(sandbox.ready_line)

    @asynccontextmanager
    async def start(self, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "whimbrel", "--sandbox", "ready.json", *words],
            cwd=self.folder,
            env=dict(os.environ, PYTHONPATH=str(PACKAGE), WHIMBREL_PASSPHRASE="eight wading birds"),
            stdout=pipe,
            stderr=pipe,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def run(self, *words: str, status: int = 0) -> str:
        """Runs it to its end; what it printed, or complained of when it was to fail."""
        async with self.start(*words) as process:
            output, errors = await asyncio.wait_for(process.communicate(), DEADLINE)
            assert process.returncode == status, errors.decode()
            return (errors if status else output).decode().rstrip()


async def lines_until(process: asyncio.subprocess.Process, part: str) -> str:
    assert process.stdout is not None
    while True:
        line = (await asyncio.wait_for(process.stdout.readline(), DEADLINE)).decode()
        assert line, "it ended"
        if part in line:
            return line.rstrip()


async def test_link_by_code_send_listen_and_export(sandbox: Sandbox, tmp_path: Path) -> None:
    terminal = Terminal(sandbox, tmp_path)
    phone, friend = await sandbox.phone(), await sandbox.phone()
    refused = await terminal.run("send", friend.jid, "too early", status=1)
    assert "not linked" in refused

    async with terminal.start("link", "--code", phone.number) as linking:
        line = await lines_until(linking, "type this code")
        await phone.enter_code(line.rsplit(" ", 1)[1])
        assert phone.number in await lines_until(linking, "linked as")
        assert await asyncio.wait_for(linking.wait(), DEADLINE) == 0
    assert "linked already" in await terminal.run("link")

    sent = await terminal.run("send", friend.jid, "from the terminal")
    assert (await friend.message("from the terminal"))["id"] == sent
    (tmp_path / "bird.png").write_bytes(png())
    sent = await terminal.run("send", friend.jid, "a bird", "--file", "bird.png")
    assert await friend.file(sent) == png()
    assert "is needed" in await terminal.run("send", friend.jid, status=2)

    for form in ([], ["--json"]):
        async with terminal.start("listen", *form) as listening:
            await friend.send(phone.jid, f"are you there? {form}")
            line = await lines_until(listening, "are you there?")
            if form:
                event = json.loads(line)
                assert (event["kind"], event["content"]["type"]) == ("message", "text")
                assert event["sender"]["phone"] == friend.jid
            else:
                assert line.endswith("are you there? []")
            listening.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(listening.wait(), DEADLINE) == 130

    await terminal.run("export", "link.whimbrel")
    assert (tmp_path / "link.whimbrel").stat().st_size > 0
    assert "whimbrel:" in await terminal.run("send", friend.jid, "moved", status=1)


async def test_link_by_qr(sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path) -> None:
    terminal = Terminal(sandbox, tmp_path)
    async with terminal.start("link") as linking:
        assert "█" in await lines_until(linking, "█")
        await lines_until(linking, "Linked devices")


async def test_events_become_json(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await sandbox.phone(), await sandbox.phone()
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        await link(client, phone)
        await friend.send(phone.jid, "hello")
        async for event in client.events():
            text = json.dumps(plain(event))
            if isinstance(event, whimbrel.Message):
                assert "raw" not in json.loads(text)
                break


def test_help_names_every_task(capsys: pytest.CaptureFixture[str]) -> None:
    from whimbrel.__main__ import arguments

    arguments().print_help()
    printed = capsys.readouterr().out
    for task in ("link", "send", "listen", "export"):
        assert task in printed
