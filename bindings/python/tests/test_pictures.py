"""Pictures of people."""

from __future__ import annotations

from pathlib import Path

import pytest
from files import png
from sandbox import Sandbox, link, next_event

import whimbrel


async def test_a_picture_is_set_looked_up_read_and_removed(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with (
        whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client,
        whimbrel.Client(tmp_path / "b.db", engine=engine, auto_start=False) as friend,
    ):
        phone, other = await sandbox.phone(), await sandbox.phone()
        await link(client, phone)
        await link(friend, other)
        await client.send_text(chat=other.jid, text="hello")
        path, copy = tmp_path / "picture.png", tmp_path / "copy.jpg"
        path.write_bytes(png(60, 40))
        missing = await friend.get_picture(owner=phone.jid)
        assert (missing.state, missing.url) == (whimbrel.PictureState.MISSING, None)

        made = await client.set_picture(path=str(path))
        told = await next_event(friend, whimbrel.PictureChanged)
        assert (told.picture_id, told.removed, told.owner.phone) == (made.id, False, phone.jid)
        found = await friend.get_picture(owner=phone.jid, size=whimbrel.PictureSize.FULL)
        assert (found.state, found.id) == (whimbrel.PictureState.EXISTS, made.id)
        again = await friend.get_picture(owner=phone.jid, known_id=made.id)
        assert again.state == whimbrel.PictureState.UNCHANGED
        read = await friend.download_picture(owner=phone.jid, path=str(copy))
        assert (read.exists, read.id, read.length) == (True, made.id, copy.stat().st_size)
        assert copy.read_bytes().startswith(b"\xff\xd8\xff")

        await client.remove_picture()
        told = await next_event(friend, whimbrel.PictureChanged)
        assert (told.picture_id, told.removed) == (None, True)
        path.write_text("no picture at all")
        with pytest.raises(whimbrel.MediaUnsupportedError):
            await client.set_picture(path=str(path))
