"""Calls that a type checker must refuse: each line marked so, and no other."""

from __future__ import annotations

import whimbrel
import whimbrel.sync


async def wrong(client: whimbrel.Client) -> None:
    await client.send_text("15550001234", "hello")  # refused
    await client.send_text(chat=15550001234, text="hello")  # refused
    await client.send_text(chat="15550001234", text="hello", txt="")  # refused
    await client.send_text(chat="15550001234")  # refused
    await client.mark_read(chat="15550001234", message_ids="A")  # refused
    sent = await client.send_text(chat="15550001234", text="hello")
    sent.message_id = "other"  # refused
    sent.time  # refused
    await client.create_grup()  # refused
    async for event in client.events():
        event.text  # refused
        match event:
            case whimbrel.Message(text=text):
                text.upper()  # refused
            case whimbrel.Receipt(receipt=receipt):
                receipt.value.upper()
    for event in client.events():  # refused
        pass
    client.on(whimbrel.Qr)(of_messages)  # refused
    client.on("message")  # refused
    whimbrel.Client()  # refused
    whimbrel.Engine(worker_threads="2")  # refused


def of_messages(message: whimbrel.Message) -> None: ...


def wrong_without_a_loop(client: whimbrel.sync.Client) -> None:
    client.send_text("15550001234", "hello")  # refused
    client.send_text(chat="15550001234", text=7)  # refused
    client.next_event().kind  # refused


async def right(client: whimbrel.Client, message: whimbrel.Message) -> None:
    sent = await client.send_text(chat=message.chat, text="pong", timeout=20)
    await client.mark_read(chat=sent.chat, message_ids=[message.message_id], sender=message.sender)
    if message.text is not None:
        message.text.upper()
    client.on(whimbrel.Message)(of_messages)
    client.on(whimbrel.Message, whimbrel.Receipt)(lambda event: event.chat)
