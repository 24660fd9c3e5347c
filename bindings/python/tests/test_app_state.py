"""What the account's devices share: chats, contacts, labels and settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox import Sandbox, link, next_event

import whimbrel


async def written(client: whimbrel.Client, change: str) -> str | None:
    """The fate of a change: nothing, or the name of an error code."""
    while True:
        event = await next_event(client, whimbrel.AppStateWritten)
        if event.change == change:
            return event.error


async def test_the_phone_sees_what_is_changed_here_and_the_other_way_round(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await sandbox.phone(), await sandbox.phone()
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        await link(client, phone)
        archived = await client.archive_chat(chat=friend.jid, archived=True)
        assert await written(client, archived.change) is None
        label = await client.edit_label(name="friends", color=3)
        assert await written(client, label.change) is None
        given = await client.label_chat(label=label.label, chat=friend.jid, labelled=True)
        assert await written(client, given.change) is None
        named = await client.set_setting(push_name="Anna B")
        assert await written(client, named.change) is None
        (chat,) = (await client.find_chats(archived=True, label=label.label)).items
        assert (chat.chat.phone, chat.labels) == (friend.jid, [label.label])
        assert [label.name for label in (await client.list_labels()).items] == ["friends"]
        held = await phone.ask("GET", "/app-state")
        names = [entry["index"][0] for entry in held["items"]]
        assert {"archive", "label_edit", "label_jid", "setting_pushName"} <= set(names)
        assert held["violations"] == []

        value = {"muteAction": {"muted": True, "muteEndTimestamp": -1}}
        await phone.ask("POST", "/app-state", {"index": ["mute", friend.jid], "value": value})
        while True:
            event = await next_event(client, whimbrel.ChatChanged)
            if event.change is whimbrel.ChatChangeType.MUTED:
                break
        assert (event.enabled, event.until_ms, event.own) == (True, -1, False)
        with pytest.raises(whimbrel.InvalidArgumentError):
            await client.set_setting(push_name="A", locale="en")


async def test_everything_that_devices_share_is_changed(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await sandbox.phone(), await sandbox.phone()
    chat = friend.jid
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        await link(client, phone)
        name = whimbrel.MessageName(message_id=await friend.send(phone.jid, "keep this"))
        gone = whimbrel.MessageName(message_id=await friend.send(phone.jid, "not this"))
        while (await next_event(client, whimbrel.Message)).message_id != gone.message_id:
            pass
        label = await client.edit_label(name="friends", color=3)
        other = await client.edit_label(name="others", color=4)
        reply = await client.edit_quick_reply(shortcut="hi", message="hello there")
        kept = await client.edit_quick_reply(shortcut="bye", message="until then", keywords=["end"])
        assert await written(client, kept.change) is None
        changes = [
            await client.pin_chat(chat=chat, pinned=True),
            await client.mute_chat(chat=chat, muted=True, until_ms=4_000_000_000_000),
            await client.mark_chat(chat=chat, read=False),
            await client.lock_chat(chat=chat, locked=True),
            await client.star_messages(chat=chat, messages=[name], starred=True),
            await client.delete_message_for_me(chat=chat, message=gone),
            await client.mute_status(person=chat, muted=True),
            await client.save_contact(person=chat, name="Ben Bird", first_name="Ben"),
            await client.set_favorites(chats=[chat]),
            await client.label_message(
                label=label.label, chat=chat, message=name, labelled=True
            ),
            await client.order_labels(labels=[other.label, label.label]),
            await client.delete_label(label=other.label),
            await client.delete_quick_reply(id=reply.id),
            await client.change_app_state(
                collection="regular_low",
                index=["time_format"],
                version=7,
                value='{"timeFormatAction": {"isTwentyFourHourFormatEnabled": true}}',
            ),
        ]
        waiting = {change.change for change in changes}
        while waiting:
            told = await next_event(client, whimbrel.AppStateWritten)
            assert told.error is None
            waiting.discard(told.change)
        (left,) = (await client.list_quick_replies()).items
        assert (left.id, left.message, left.keywords) == (kept.id, "until then", ["end"])
        (found,) = (await client.find_chats(chat=chat)).items
        assert found.muted_until == 4_000_000_000 and found.locked
        # Who locks a chat lets go of its pin.
        assert found.pinned_at is None
        (contact,) = (await client.find_contacts(person=chat)).items
        assert contact.name == "Ben Bird"
        held = await phone.ask("GET", "/app-state")
        names = {entry["index"][0] for entry in held["items"]}
        assert {"pin_v1", "mute", "lock", "star", "userStatusMute", "contact"} <= names
        assert {"favorites", "label_message", "deleteMessageForMe", "time_format"} <= names

        for change in (
            await client.remove_contact(person=chat),
            await client.clear_chat(chat=chat, starred=False),
            await client.delete_chat(chat=chat),
        ):
            assert await written(client, change.change) is None
        assert (await client.find_messages(chat=chat)).items == []
        assert held["violations"] == []
