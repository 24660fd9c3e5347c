"""Every kind of content, sent by one client and read by another one and by its phone."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import pytest
from contents import BEST_EFFORT, only_received, seen, sendable
from files import Files, png
from sandbox import DEADLINE, Phone, Sandbox, link, next_event

import whimbrel


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two clients that are linked and online, and the phone of the second one."""

    anna: whimbrel.Client
    ben: whimbrel.Client
    chat: str
    phone: Phone


@asynccontextmanager
async def pair(sandbox: Sandbox, engine: whimbrel.Engine, folder: Path) -> AsyncIterator[Pair]:
    own, phone = await sandbox.phone(), await sandbox.phone()
    async with (
        whimbrel.Client(folder / "a.db", engine=engine, auto_start=False) as anna,
        whimbrel.Client(folder / "b.db", engine=engine, auto_start=False) as ben,
    ):
        await link(anna, own)
        await link(ben, phone)
        yield Pair(anna, ben, phone.jid, phone)


async def test_every_kind_arrives_as_it_was_sent(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    files = Files.write(tmp_path)
    async with pair(sandbox, engine, tmp_path) as it:
        up = await it.anna.upload_media(path=str(files.picture), kind=whimbrel.MediaKind.IMAGE)
        picture = whimbrel.MediaFile(reference=up.reference, mimetype=up.mimetype)
        contents = sendable(files, picture)
        for content, found in contents:
            fallback = whimbrel.FallbackChoice.NOTHING if isinstance(content, BEST_EFFORT) else None
            sent = await it.anna.send_message(
                chat=it.chat, content=content, fallback=fallback, timeout=DEADLINE
            )
            message = await next_event(it.ben, whimbrel.Message)
            assert message.message_id == sent.message_id
            assert type(message.content) is type(content)
            assert seen(message.content) == seen(dataclasses.replace(content, **found))
            shown = await it.phone.shown(sent.message_id)
            # Cards are one form of what has buttons.
            kind = "interactive" if content.type == "carousel" else content.type
            assert (shown["kind"], shown["text"]) == (kind, message.text or "")
            assert shown["raw"] == message.raw.hex()

        # The table is whole.
        kinds = {type(content) for content, _ in contents}
        for content in only_received():
            with pytest.raises(whimbrel.NotSupportedError):
                await it.anna.send_message(chat=it.chat, content=content)
            assert type(content) not in kinds
            kinds.add(type(content))
        with pytest.raises(whimbrel.InvalidArgumentError):
            await it.anna.send_message(chat=it.chat, content=whimbrel.UnknownContent(type="hologram"))
        assert kinds | {whimbrel.UnknownContent} == set(get_args(whimbrel.Content))


async def test_files_of_every_family_are_what_was_sent(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    files = Files.write(tmp_path)
    kinds: list[tuple[type[Any], Path]] = [
        (whimbrel.ImageContent, files.picture),
        (whimbrel.VideoContent, files.film),
        (whimbrel.GifContent, files.film),
        (whimbrel.VideoNoteContent, files.film),
        (whimbrel.AudioContent, files.voice),
        (whimbrel.VoiceContent, files.voice),
        (whimbrel.DocumentContent, files.document),
        (whimbrel.StickerContent, files.sticker),
    ]
    async with pair(sandbox, engine, tmp_path) as it:
        for kind, path in kinds:
            content = kind(media=whimbrel.MediaFile(path=str(path)))
            sent = await it.anna.send_message(chat=it.chat, content=content, timeout=DEADLINE)
            message = await next_event(it.ben, whimbrel.Message)
            assert isinstance(message.content, kind)
            media = message.content.media
            assert media is not None and media.length == path.stat().st_size
            assert (await it.ben.download(media.reference)).data == path.read_bytes()
            assert await it.phone.file(sent.message_id) == path.read_bytes()
            if isinstance(message.content, whimbrel.ImageContent):
                assert message.content.thumbnail_size
            if isinstance(message.content, whimbrel.VoiceContent):
                assert message.content.waveform is not None and len(message.content.waveform) == 64


async def test_what_surrounds_content_arrives(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(png())
    picture = whimbrel.ImageContent(media=whimbrel.MediaFile(path=str(path)))
    async with pair(sandbox, engine, tmp_path) as it:
        created = await it.anna.create_group(subject="Birds", participants=[it.chat])
        group = created.group.id

        async def sent(**options: Any) -> whimbrel.Message:
            there = await it.anna.send_message(timeout=DEADLINE, **options)
            message = await next_event(it.ben, whimbrel.Message)
            assert message.message_id == there.message_id
            assert (await it.phone.shown(there.message_id))["raw"] == message.raw.hex()
            return message

        def text(words: str) -> whimbrel.TextContent:
            return whimbrel.TextContent(text=words)

        once = await sent(chat=it.chat, content=picture, view_once=True)
        assert once.view_once and isinstance(once.content, whimbrel.ImageContent)
        first = await sent(chat=it.chat, content=picture)
        assert not first.view_once

        me = (await it.anna.get_account()).identity
        quote = whimbrel.QuotedMessage(message_id=first.message_id, sender=me)
        quoting = await sent(chat=it.chat, content=text("this one"), quote=quote)
        assert quoting.quoted == whimbrel.QuotedMessage(message_id=first.message_id, sender=me.lid)

        named = await sent(
            chat=group, content=text(f"@{it.phone.number} look"), mentions=[it.phone.jid]
        )
        assert named.mentions_me and not named.context.mentions_everyone
        assert len(named.context.mentions) == 1
        everyone = await sent(chat=group, content=text("@all look"), mentions_everyone=True)
        assert everyone.context.mentions_everyone and everyone.mentions_me
        of_group = whimbrel.GroupMention(group=group, subject="Birds")
        words = f"see @{group.split('@')[0]}"
        grouped = await sent(chat=group, content=text(words), group_mentions=[of_group])
        assert grouped.context.group_mentions == [group] and not grouped.mentions_me

        marked = await sent(chat=it.chat, content=text("from elsewhere"), forwarded=True)
        assert marked.context.forwarded is not None
        again = await it.anna.forward_message(
            chat=it.chat, target_id=first.message_id, to=group, timeout=DEADLINE
        )
        forwarded = await next_event(it.ben, whimbrel.Message)
        assert (forwarded.message_id, forwarded.chat.id) == (again.message_id, group)
        assert forwarded.context.forwarded is not None
        match forwarded.content:
            case whimbrel.ImageContent(media=whimbrel.MediaFile(reference=reference)):
                assert (await it.ben.download(reference)).data == png()
            case other:
                raise AssertionError(other)

        head = await sent(chat=it.chat, content=whimbrel.AlbumContent(images=2))
        for _ in range(2):
            part = await sent(chat=it.chat, content=picture, album_id=head.message_id)
            assert part.association is not None
            assert (part.association.how, part.association.parent.message_id) == (
                "album",
                head.message_id,
            )


async def test_buttons_come_with_words_for_those_who_do_not_see_them(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    files = Files.write(tmp_path)
    async with pair(sandbox, engine, tmp_path) as it:
        contents = [content for content, _ in sendable(files, whimbrel.MediaFile())]
        best_effort = [content for content in contents if isinstance(content, BEST_EFFORT)]
        assert len(best_effort) == len(BEST_EFFORT)
        for content in best_effort:
            # Nobody may see it, which the host has to know.
            with pytest.raises(whimbrel.InvalidArgumentError):
                await it.anna.send_message(chat=it.chat, content=content)
            for fallback, own in (
                (whimbrel.FallbackChoice.COMPOSED, None),
                (whimbrel.FallbackChoice.TEXT, "yes or no?"),
            ):
                await it.anna.send_message(
                    chat=it.chat, content=content, fallback=fallback, fallback_text=own
                )
                assert type((await next_event(it.ben, whimbrel.Message)).content) is type(content)
                words = await next_event(it.ben, whimbrel.Message)
                assert isinstance(words.content, whimbrel.TextContent)
                assert (await it.phone.shown(words.message_id))["text"] == words.content.text
                composed = getattr(content, "body", None) or getattr(content, "description")
                assert words.content.text == own if own else composed in words.content.text
