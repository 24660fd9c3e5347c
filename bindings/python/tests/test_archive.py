"""Looking up what was said, and what the phone remembers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sandbox import DEADLINE, Sandbox, link, next_event

import whimbrel


async def recent(client: whimbrel.Client) -> whimbrel.History:
    """Waits for the piece of history that has the messages."""

    async def take() -> whimbrel.History:
        async for event in client.events():
            if isinstance(event, whimbrel.History) and event.messages > 0:
                if event.history is whimbrel.HistoryType.RECENT:
                    return event
        raise AssertionError("the events ended")

    return await asyncio.wait_for(take(), DEADLINE)


async def test_the_history_of_the_phone_can_be_looked_up(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone = await sandbox.phone()
    past = {"chats": 3, "messages": 80, "recent": 20, "uploaded": True}
    await phone.ask("POST", "/past", past)
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        await link(client, phone)
        piece = await recent(client)
        assert (piece.messages, piece.chats, piece.error) == (60, 3, None)

        chats = (await client.find_chats()).items
        friend = next(chat for chat in chats if chat.name == "Friend 1")
        page = await client.find_messages(chat=friend.chat, limit=15)
        assert len(page.items) == 15
        assert isinstance(page.items[0].content, whimbrel.TextContent)
        rest = await client.find_messages(chat=friend.chat, limit=15, cursor=page.next)
        assert (len(rest.items), rest.next) == (5, None)
        text = rest.items[-1].text
        assert text is not None
        found = await client.find_messages(text=text)
        assert rest.items[-1].message_id in [message.message_id for message in found.items]
        people = (await client.find_contacts(name="friend")).items
        assert len(people) == 3

        older = await client.request_history(chat=friend.chat, timeout=DEADLINE)
        assert older.messages == 50
        assert len((await client.find_messages(chat=friend.chat, limit=100)).items) == 70

        with pytest.raises(whimbrel.NotSupportedError):
            await client.request_full_history(timeout=DEADLINE)
        await phone.ask("POST", "/switches", {"full_history": "give"})
        request = (await client.request_full_history(timeout=DEADLINE)).request_id
        full = await next_event(client, whimbrel.History)
        while full.history is not whimbrel.HistoryType.FULL:
            full = await next_event(client, whimbrel.History)
        assert (full.request_id, full.messages) == (request, 240)


async def test_what_stands_beside_the_messages_is_kept(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone = await sandbox.phone()
    await phone.ask("POST", "/past", {"chats": 6, "messages": 20, "extras": True})
    options = {"engine": engine, "auto_start": False, "archive_days": 5}
    async with whimbrel.Client(tmp_path / "a.db", **options) as client:  # type: ignore[arg-type]
        await link(client, phone)
        await recent(client)
        chats = {chat.name: chat.chat for chat in (await client.find_chats()).items}
        friend = chats["Friend 0"]
        (pinned,) = (await client.find_messages(chat=friend, pinned=True)).items
        assert pinned.pinned is not None and pinned.pinned.until > pinned.timestamp
        call = await client.get_message(chat=friend, message_id="CALL1")
        assert isinstance(call.content, whimbrel.CallLogContent)
        regatta = await client.get_message(chat=friend, message_id=f"PAST{0:06X}{16:08X}")
        assert (regatta.expected, regatta.answers[0].response) == (3, whimbrel.EventResponse.GOING)
        left = (await client.find_past_members(chat=chats["Group 4"])).items
        assert [member.removed for member in left] == [False, True]
        latest, other = (await client.list_recent_stickers()).items
        assert latest.used_at_ms is not None and other.used_at_ms is not None
        assert latest.used_at_ms > other.used_at_ms
        somebody = (await sandbox.phone()).jid
        sent = await client.send_message(chat=somebody, content=latest.sticker)
        told = await client.get_message(chat=somebody, message_id=sent.message_id)
        assert isinstance(told.content, whimbrel.StickerContent)


async def test_what_is_said_and_done_is_kept(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await sandbox.phone(), await sandbox.phone()
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        await link(client, phone)
        sent = await client.send_text(chat=friend.jid, text="a red curlew")
        await client.edit_message(chat=friend.jid, target_id=sent.message_id, text="a green one")
        await friend.send(phone.jid, "hello")
        await next_event(client, whimbrel.Message)
        (found,) = (await client.find_messages(text="GREEN")).items
        assert (found.message_id, found.from_me) == (sent.message_id, True)
        message = await client.get_message(chat=sent.chat, message_id=sent.message_id)
        assert message.text == "a green one"
        assert message.edited_at_ms is not None
        (chat,) = (await client.find_chats(unread=True)).items
        assert (chat.chat, chat.unread) == (sent.chat, 1)
        with pytest.raises(whimbrel.NotFoundError):
            await client.get_message(chat=sent.chat, message_id="ANOTHER")


async def test_a_client_without_an_archive_says_so(
    engine: whimbrel.Engine, tmp_path: Path
) -> None:
    options = {"engine": engine, "auto_start": False, "archive": False}
    async with whimbrel.Client(tmp_path / "a.db", **options) as client:  # type: ignore[arg-type]
        with pytest.raises(whimbrel.NotSupportedError):
            await client.find_chats()
