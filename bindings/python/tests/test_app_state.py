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
