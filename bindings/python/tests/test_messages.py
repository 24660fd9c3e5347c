"""Linking, messages and receipts, with simulated phones."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sandbox import DEADLINE, Sandbox, link, next_event

import whimbrel


async def test_linking_by_qr_events_and_an_echo(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    """The loop that the documentation shows."""
    phone, friend = await sandbox.phone(), await sandbox.phone()

    async def bot() -> None:
        async with whimbrel.Client(tmp_path / "bot.db", engine=engine) as client:
            async for event in client.events():
                match event:
                    case whimbrel.Qr(text=qr):
                        await phone.scan(qr)
                    case whimbrel.Linked(account=account):
                        assert account.phone == phone.jid
                    case whimbrel.ConnectionChanged(state=whimbrel.ConnectionStateName.ONLINE):
                        await friend.send(phone.jid, "ping")
                    case whimbrel.Message(chat=chat, text="ping", from_me=False):
                        assert str(chat) == chat.id
                        await client.send_text(chat=chat, text="pong", timeout=DEADLINE)
                        return

    await asyncio.wait_for(bot(), DEADLINE * 2)
    assert (await friend.message("pong"))["from_me"] is False


async def test_linking_by_code_and_conversation(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await sandbox.phone(), await sandbox.phone()
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        code = await client.link_with_code(phone=f"+{phone.number}", timeout=DEADLINE)
        await phone.enter_code(code.code)
        linked = await next_event(client, whimbrel.Linked)
        await client.connect(timeout=DEADLINE)
        account = await client.get_account()
        assert account.identity == linked.account
        assert (account.identity.phone, account.identity.lid) == (phone.jid, phone.lid)

        # A JID, a number and an identity name the same chat.
        sent = await client.send_text(chat=friend.jid, text="by jid")
        await friend.message("by jid")
        await client.send_text(chat=f"+{friend.number}", text="by number")
        await friend.message("by number")
        await client.send_text(chat=sent.chat, text="by identity", message_id="MY-OWN-ID")
        assert (await friend.message("by identity"))["id"] == "MY-OWN-ID"
        delivered = await next_event(client, whimbrel.Receipt)
        assert delivered.receipt is whimbrel.ReceiptType.DELIVERED
        assert sent.message_id in delivered.message_ids
        await friend.ask("POST", "/read", {"chat": phone.jid, "ids": [sent.message_id]})
        while (receipt := await next_event(client, whimbrel.Receipt)).receipt != "read":
            pass
        assert receipt.message_ids == [sent.message_id]

        received_id = await friend.send(phone.jid, "hello \U0001f980")
        message = await next_event(client, whimbrel.Message)
        assert (message.message_id, message.text) == (received_id, "hello \U0001f980")
        assert message.sequence is not None and message.id
        assert "hello \U0001f980".encode() in message.raw
        assert message.sender.lid == friend.lid or message.sender.phone == friend.jid
        quote = whimbrel.QuotedMessage(message_id=message.message_id, sender=message.sender)
        await client.send_text(chat=message.chat, text="quoting", quote=quote)
        await friend.message("quoting")
        await client.mark_read(chat=message.chat, message_ids=[message.message_id])
        await friend.receipt(received_id, "read")

        # Repeating under the same id is not a second message.
        again = await client.send_text(chat=sent.chat, text="by identity", message_id="MY-OWN-ID")
        assert again.message_id == "MY-OWN-ID"

        await client.logout(timeout=DEADLINE)
        assert (await next_event(client, whimbrel.LoggedOut)).reason == "host"
        with pytest.raises(whimbrel.AccountError):
            await client.send_text(chat=friend.jid, text="too late")


async def test_events_come_again_until_they_are_done_with(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await sandbox.phone(), await sandbox.phone()
    path = tmp_path / "again.db"

    async def open_and_take(*, fail: bool) -> whimbrel.Message:
        async with whimbrel.Client(path, engine=engine) as client:
            message = await next_event(client, whimbrel.Message)
            if fail:
                raise LookupError(message.id)
            return message

    async with whimbrel.Client(path, engine=engine, auto_start=False) as client:
        await link(client, phone)
    await friend.send(phone.jid, "one")
    with pytest.raises(LookupError) as caught:
        await open_and_take(fail=True)
    # The handler failed: the same event again, this time taken.
    first = await open_and_take(fail=False)
    assert (first.id, first.text) == (caught.value.args[0], "one")
    await friend.send(phone.jid, "two")
    second = await open_and_take(fail=False)
    assert second.text == "two"
    assert first.sequence is not None and second.sequence is not None
    assert first.sequence < second.sequence


async def test_a_host_that_acknowledges_itself(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await sandbox.phone(), await sandbox.phone()
    path = tmp_path / "manual.db"
    async with whimbrel.Client(path, engine=engine, auto_start=False) as client:
        await link(client, phone)
    await friend.send(phone.jid, "one")
    await friend.send(phone.jid, "two")
    async with whimbrel.Client(path, engine=engine, manual_acknowledge=True) as client:
        one = await next_event(client, whimbrel.Message)
        two = await next_event(client, whimbrel.Message)
        assert (one.text, two.text) == ("one", "two")
        assert one.sequence is not None
        await client.acknowledge(sequence=one.sequence)
    async with whimbrel.Client(path, engine=engine) as client:
        assert (await next_event(client, whimbrel.Message)).id == two.id


async def test_the_last_event_is_closed(engine: whimbrel.Engine) -> None:
    client = whimbrel.Client(":memory:", engine=engine, auto_start=False)
    await client.open()
    kinds = []

    async def read() -> None:
        async for event in client.events():
            kinds.append(type(event))

    reading = asyncio.create_task(read())
    while not client._inbox.pulling:
        await asyncio.sleep(0)
    with pytest.raises(whimbrel.WrongStateError):
        await anext(client.events())
    await client.close()
    await asyncio.wait_for(reading, DEADLINE)
    assert kinds[-1] is whimbrel.Closed
    assert [event async for event in client.events()] == []


async def test_giving_up_waiting_loses_no_event(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await sandbox.phone(), await sandbox.phone()
    async with whimbrel.Client(tmp_path / "c.db", engine=engine, auto_start=False) as client:
        await link(client, phone)
        texts = []
        for number in range(20):
            # Each wait is given up at another moment around the arrival.
            waiting = asyncio.create_task(next_event(client, whimbrel.Message))
            sending = asyncio.create_task(friend.send(phone.jid, str(number)))
            for _ in range(number):
                await asyncio.sleep(0)
            waiting.cancel()
            try:
                texts.append((await waiting).text)
            except asyncio.CancelledError:
                pass
            await sending
        while len(texts) < 20:
            texts.append((await next_event(client, whimbrel.Message)).text)
        assert texts == [str(number) for number in range(20)]


async def test_what_a_send_waits_for_and_taking_it_back(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await sandbox.phone(), await sandbox.phone()
    async with whimbrel.Client(tmp_path / "w.db", engine=engine, auto_start=False) as client:
        await link(client, phone)
        delivered = await client.send_text(
            chat=friend.jid, text="delivered", wait=whimbrel.SendWait.DELIVERED, timeout=DEADLINE
        )
        assert delivered.timestamp > 0
        status = await next_event(client, whimbrel.SendStatus)
        assert (status.message_id, status.error) == (delivered.message_id, None)

        await client.disconnect()
        queued = await client.send_text(
            chat=friend.jid, text="queued", wait=whimbrel.SendWait.QUEUED, message_id="QUEUED"
        )
        assert (queued.message_id, queued.timestamp) == ("QUEUED", 0)
        call = asyncio.create_task(client.send_text(chat=friend.jid, text="cancelled"))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await client.send_text(
            chat=friend.jid, text="taken back", wait=whimbrel.SendWait.QUEUED, message_id="BACK"
        )
        await client.cancel_send(chat=friend.jid, message_id="BACK")
        with pytest.raises(whimbrel.NotFoundError):
            await client.cancel_send(chat=friend.jid, message_id="BACK")

        await client.connect(timeout=DEADLINE)
        await client.send_text(chat=friend.jid, text="last", timeout=DEADLINE)
        await friend.message("last")
        messages = (await friend.ask("GET", "/messages"))["items"]
        assert [item["text"] for item in messages] == ["delivered", "queued", "last"]
        status = await next_event(client, whimbrel.SendStatus)
        assert (status.message_id, status.error, status.refused) == ("QUEUED", None, None)
