"""The example programs, as a user runs them."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
import sys
from pathlib import Path

from files import png
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


async def test_pictures_are_sent_and_saved(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await sandbox.phone(), await sandbox.phone()
    ready, store = tmp_path / "ready.json", tmp_path / "media.db"
    ready.write_text(sandbox.ready_line)
    environment = dict(os.environ, PYTHONPATH=str(ROOT / "bindings/python/python"))
    program = [sys.executable, str(ROOT / "examples/python/media.py")]
    program += ["--sandbox", str(ready), "--store", str(store)]
    pipe = asyncio.subprocess.PIPE
    async with whimbrel.Client(store, engine=engine, auto_start=False) as client:
        await link(client, phone)

    picture, folder = tmp_path / "picture.png", tmp_path / "saved"
    picture.write_bytes(png())
    folder.mkdir()
    sending = await asyncio.create_subprocess_exec(
        *program, "send", friend.jid, str(picture), env=environment, stdout=pipe
    )
    printed, _ = await asyncio.wait_for(sending.communicate(), DEADLINE)
    assert sending.returncode == 0
    (sent_id,) = re.findall("^sent picture.png as (.+)$", printed.decode(), re.MULTILINE)
    assert await friend.file(sent_id) == png()

    saving = await asyncio.create_subprocess_exec(
        *program, "save", str(folder), env=environment, stdout=pipe
    )
    try:
        sent = {"to": phone.jid, "kind": "image", "mimetype": "image/png"}
        await friend.ask("POST", "/send", {"to": phone.jid, "text": "no file"})
        await friend.ask(
            "POST", "/send-media", {**sent, "base64": base64.b64encode(png(9, 9)).decode()}
        )
        assert saving.stdout is not None
        line = (await asyncio.wait_for(saving.stdout.readline(), DEADLINE)).decode().rstrip()
        (saved,) = folder.iterdir()
        assert line == f"saved {saved}" and saved.suffix == ".png"
        assert saved.read_bytes() == png(9, 9)
    finally:
        saving.send_signal(signal.SIGINT)
        await asyncio.wait_for(saving.communicate(), DEADLINE)
    assert saving.returncode == 0


async def test_sending_a_picture_is_interrupted(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await sandbox.phone(), await sandbox.phone()
    ready, store, film = tmp_path / "ready.json", tmp_path / "media.db", tmp_path / "large.png"
    ready.write_text(sandbox.ready_line)
    film.write_bytes(png() + bytes(1 << 20))
    async with whimbrel.Client(store, engine=engine, auto_start=False) as client:
        await link(client, phone)
    fault = {"request": "upload", "fault": {"fault": "stall", "bytes": 100_000}}
    await asyncio.to_thread(sandbox.request, "POST", "/media/faults", fault)
    program = [sys.executable, str(ROOT / "examples/python/media.py")]
    program += ["--sandbox", str(ready), "--store", str(store), "send", friend.jid, str(film)]
    sending = await asyncio.create_subprocess_exec(
        *program,
        env=dict(os.environ, PYTHONPATH=str(ROOT / "bindings/python/python")),
        stdout=asyncio.subprocess.PIPE,
    )
    assert sending.stdout is not None
    line = await asyncio.wait_for(sending.stdout.readline(), DEADLINE)
    assert line.startswith(b"large.png: ")
    sending.send_signal(signal.SIGINT)
    printed, _ = await asyncio.wait_for(sending.communicate(), DEADLINE)
    assert sending.returncode == 0 and b"sent" not in printed
