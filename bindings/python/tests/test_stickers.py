"""Packs of stickers: made of files, sent, taken apart; and what a single one says of its pack."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

import pytest
from sandbox import DEADLINE, Sandbox, link, next_event

import whimbrel

WEBP = base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")


async def test_a_pack_is_made_of_files_and_taken_apart(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    path = tmp_path / "finch.webp"
    path.write_bytes(WEBP)
    own, phone = await sandbox.phone(), await sandbox.phone()
    async with (
        whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as anna,
        whimbrel.Client(tmp_path / "b.db", engine=engine, auto_start=False) as ben,
    ):
        await link(anna, own)
        await link(ben, phone)
        stickers = [
            whimbrel.PackSticker(path=str(path), emojis=["\U0001f426"], accessibility_label="a finch"),
            whimbrel.PackSticker(path=str(path)),
        ]
        content = whimbrel.StickerPackContent(
            name="Birds", publisher="Anna", stickers=stickers, tray_icon_path=str(path)
        )
        await anna.send_message(chat=phone.jid, content=content, timeout=DEADLINE)
        told = (await next_event(ben, whimbrel.Message)).content
        assert isinstance(told, whimbrel.StickerPackContent) and told.media is not None
        assert (told.name, told.publisher, told.tray_icon) == ("Birds", "Anna", f"{told.id}.webp")
        assert [sticker.emojis for sticker in told.stickers] == [["\U0001f426"], []]

        archive, folder = tmp_path / "pack.zip", tmp_path / "stickers"
        await ben.download_media(reference=told.media.reference, path=str(archive))
        unpacked = (await ben.unpack_sticker_pack(path=str(archive), folder=str(folder))).items
        assert [sticker.file_name for sticker in unpacked[:2]] == [
            sticker.file_name for sticker in told.stickers
        ]
        first = unpacked[0]
        assert (Path(first.path).parent, first.width, first.is_animated) == (folder, 1, False)
        assert first.info is not None
        assert (first.info.pack_name, first.info.pack_id) == ("Birds", told.id)
        assert first.info.accessibility_label == "a finch"
        assert (folder / f"{told.id}.webp").read_bytes() == WEBP

        hostile = io.BytesIO()
        with zipfile.ZipFile(hostile, "w") as file:
            file.writestr("../beside.webp", WEBP)
        archive.write_bytes(hostile.getvalue())
        with pytest.raises(whimbrel.MediaUnsupportedError):
            await ben.unpack_sticker_pack(path=str(archive), folder=str(folder))
        assert not (tmp_path / "beside.webp").exists()


async def test_a_sticker_says_to_which_pack_it_belongs(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    path = tmp_path / "finch.webp"
    path.write_bytes(WEBP)
    phone = await sandbox.phone()
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        await link(client, phone)
        friend = await sandbox.phone()
        content = whimbrel.StickerContent(
            media=whimbrel.MediaFile(path=str(path)),
            emojis="\U0001f426, \U0001f642",
            pack_name="Birds",
            pack_publisher="Anna",
        )
        sent = await client.send_message(chat=friend.jid, content=content, timeout=DEADLINE)
        copy = tmp_path / "copy.webp"
        copy.write_bytes(await friend.file(sent.message_id))
        info = (await client.describe_media(path=str(copy))).sticker
        assert info is not None
        assert (info.pack_name, info.pack_publisher) == ("Birds", "Anna")
        assert info.emojis == ["\U0001f426", "\U0001f642"]
