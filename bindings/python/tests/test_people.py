"""People: who is registered, what they say of themselves, who is online and who writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox import DEADLINE, Phone, Sandbox, link, next_event

import whimbrel

# Nobody's number.
NOBODY = "31600000000"


async def linked(client: whimbrel.Client, sandbox: Sandbox) -> tuple[Phone, Phone]:
    """Links a client; its phone, and that of a friend."""
    own, friend = await sandbox.phone(), await sandbox.phone()
    await link(client, own)
    return own, friend


async def test_numbers_and_people_are_looked_up(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        _, friend = await linked(client, sandbox)
        checked = (await client.check_numbers(numbers=[f"+{friend.number}", NOBODY])).numbers
        assert [check.number for check in checked] == [f"+{friend.number}", NOBODY]
        assert [check.status for check in checked] == [
            whimbrel.NumberStatus.REGISTERED,
            whimbrel.NumberStatus.NOT_REGISTERED,
        ]
        who = checked[0].who
        assert who is not None and (who.id, who.phone) == (friend.lid, friend.jid)
        assert checked[1].who is None
        with pytest.raises(whimbrel.InvalidArgumentError):
            await client.check_numbers(numbers=[])

        await friend.ask("POST", "/about", {"text": "on the pond"})
        told = (await client.get_user_info(people=[friend.jid, NOBODY])).people
        assert [info.exists for info in told] == [True, False]
        about = told[0].about
        assert about is not None and about.text == "on the pond"
        assert told[0].devices == [0] and told[0].who == who


async def test_presence_and_writing_both_ways(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "b.db", engine=engine, auto_start=False) as client:
        own, friend = await linked(client, sandbox)
        await client.set_presence(availability=whimbrel.Availability.AVAILABLE)
        await client.watch_presence(address=friend.jid)
        away = await next_event(client, whimbrel.PresenceChanged)
        assert (away.who.phone, away.available, away.last_seen_hidden) == (friend.jid, False, False)
        await friend.ask("POST", "/presence", {"available": True, "watch": own.jid})
        assert (await next_event(client, whimbrel.PresenceChanged)).available
        assert (await friend.sign("available"))["from"] == own.lid

        await client.set_chat_state(chat=friend.jid, state=whimbrel.ChatState.RECORDING)
        assert (await friend.sign("recording"))["chat"] == own.lid
        await friend.ask("POST", "/chat-state", {"chat": own.jid, "state": "composing"})
        writes = await next_event(client, whimbrel.ChatStateChanged)
        assert (writes.sender.id, writes.state) == (friend.lid, whimbrel.ChatState.COMPOSING)

        await client.unwatch_presence(address=friend.lid)
        await client.set_presence(availability=whimbrel.Availability.UNAVAILABLE, timeout=DEADLINE)
        assert (await friend.sign("unavailable"))["from"] == own.lid
        with pytest.raises(whimbrel.NotFoundError):
            await client.watch_presence(address=NOBODY)
