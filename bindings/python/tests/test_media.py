"""Files: up and down, from memory and from disk."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from files import png
from sandbox import DEADLINE, Sandbox, link, next_event

import whimbrel


async def test_files_go_up_and_down(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        await link(client, await sandbox.phone())
        picture = png(40, 30)
        path = tmp_path / "picture.png"
        path.write_bytes(picture)

        seen = await client.describe_media(path=str(path))
        assert (seen.mimetype, seen.width, seen.height) == ("image/png", 40, 30)
        assert seen.has_preview and seen.length == len(picture)

        uploaded = await client.upload_media(path=str(path), kind=whimbrel.MediaKind.IMAGE)
        assert (uploaded.mimetype, uploaded.length) == ("image/png", len(picture))
        picture_reference = uploaded.reference
        got = await client.download(picture_reference)
        assert got == whimbrel.Download(data=picture)
        assert repr(picture)[2:20] not in repr(got)

        for data in (picture, bytearray(picture), memoryview(picture)[:100], b""):
            uploaded = await client.upload(data, whimbrel.MediaKind.DOCUMENT, mimetype="x/y")
            assert (uploaded.mimetype, uploaded.length) == ("x/y", len(data))
            copy = tmp_path / "copy"
            there = await client.download_media(reference=uploaded.reference, path=str(copy))
            assert (there.length, there.moved) == (len(data), None)
            assert copy.read_bytes() == bytes(data)

        with pytest.raises(whimbrel.MediaTooLargeError):
            await client.download(picture_reference, max_length=10)
        with pytest.raises(whimbrel.FileFailedError):
            await client.upload_media(path=str(tmp_path / "none"), kind=whimbrel.MediaKind.IMAGE)
        with pytest.raises(whimbrel.InvalidArgumentError):
            await client.download("no reference")


async def test_transfers_are_watched_and_cancelled(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        await link(client, await sandbox.phone())
        fault = {"request": "upload", "fault": {"fault": "stall", "bytes": 100_000}}
        await asyncio.to_thread(sandbox.request, "POST", "/media/faults", fault)
        data = bytes(1 << 20)
        sending = asyncio.create_task(
            client.upload(data, whimbrel.MediaKind.VIDEO, transfer="film")
        )

        async def watch() -> whimbrel.MediaProgress:
            async for event in client.events():
                if isinstance(event, whimbrel.MediaProgress):
                    return event
            raise AssertionError("the events ended")

        progress = await asyncio.wait_for(watch(), DEADLINE)
        assert (progress.transfer, progress.direction) == ("film", whimbrel.MediaDirection.UPLOAD)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending


async def test_the_temporary_folder_is_where_uploads_lie(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    async with whimbrel.Client(
        tmp_path / "a.db", engine=engine, auto_start=False, temporary_folder=folder
    ) as client:
        await link(client, await sandbox.phone())
        fault = {"request": "upload", "fault": {"fault": "stall", "bytes": 100_000}}
        await asyncio.to_thread(sandbox.request, "POST", "/media/faults", fault)
        large = bytes(1 << 20)
        sending = asyncio.create_task(
            client.upload(large, whimbrel.MediaKind.DOCUMENT, transfer="large")
        )
        await next_event(client, whimbrel.MediaProgress)
        (spool,) = folder.iterdir()
        assert spool.stat().st_size > len(large)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    async with whimbrel.Client(
        tmp_path / "b.db", engine=engine, auto_start=False, temporary_folder=tmp_path / "none"
    ) as client:
        await link(client, await sandbox.phone())
        # What is small stays in memory.
        await client.upload(b"small", whimbrel.MediaKind.DOCUMENT)
        with pytest.raises(whimbrel.FileFailedError):
            await client.upload(large, whimbrel.MediaKind.DOCUMENT)


async def test_a_local_file_is_sent_in_a_message(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        phone, friend = await sandbox.phone(), await sandbox.phone()
        await link(client, phone)
        path = tmp_path / "picture.png"
        path.write_bytes(png(40, 30))
        content = whimbrel.ImageContent(media=whimbrel.MediaFile(path=str(path)), caption="a wall")
        sent = await client.send_message(chat=friend.jid, content=content, timeout=DEADLINE)
        got = await friend.ask("GET", f"/media/{sent.message_id}?wait_ms=20000")
        assert (got["kind"], got["mimetype"]) == ("image", "image/png")
        assert base64.b64decode(got["base64"]) == png(40, 30)
