"""A chat in the terminal.

Each line of input is ``TO TEXT``, where TO is a phone number with its country code or an address;
texts that arrive are printed as ``FROM: TEXT``. Without a link it prints a QR code to scan with
the phone's "Linked devices". It ends when its input does (Ctrl-D).

``--json`` prints one JSON object per line instead, for other programs. ``--sandbox FILE`` talks to
a sandbox instead of the real service: FILE holds the line that ``whimbrel-sandbox`` prints when it
is ready.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import whimbrel


class Terminal:
    """Prints what happens, for people or as JSON."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def tell(self, words: str, event: str, **members: str) -> None:
        print(json.dumps({"event": event, **members}) if self._as_json else words, flush=True)


def number(who: whimbrel.Identity) -> str:
    """The phone number of a person, or the address if the number is not known."""
    return who.id if who.phone is None else who.phone.partition("@")[0]


async def input_lines() -> AsyncIterator[str]:
    """The lines of standard input, read on a thread that does not hold up the end."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        try:
            for line in sys.stdin:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, None)
        except RuntimeError:
            pass  # The loop has ended, so nobody wants them.

    threading.Thread(target=read, daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line.strip()


async def show(client: whimbrel.Client, terminal: Terminal) -> None:
    async for event in client.events():
        match event:
            case whimbrel.Qr(text=qr):
                drawing = whimbrel.draw_qr(qr)
                terminal.tell(drawing, "qr", text=qr, drawing=drawing)
            case whimbrel.ConnectionChanged(state=whimbrel.ConnectionStateName.ONLINE):
                phone = number((await client.get_account()).identity)
                terminal.tell(f"online as {phone}", "online", phone=phone)
            case whimbrel.Message(sender=sender, text=str(text), from_me=False):
                author = number(sender)
                terminal.tell(f"{author}: {text}", "message", **{"from": author, "text": text})
            case whimbrel.LinkFailed(reason=reason) | whimbrel.LoggedOut(reason=reason):
                terminal.tell(f"not linked: {reason}", "not_linked", reason=reason)


async def send(client: whimbrel.Client, terminal: Terminal, line: str) -> None:
    to, _, text = line.partition(" ")
    try:
        sent = await client.send_text(chat=to, text=text)
    except whimbrel.WhimbrelError as error:
        terminal.tell(f"not sent: {error}", "not_sent", to=to, text=text, reason=str(error))
    else:
        terminal.tell(f"sent to {to}", "sent", to=to, text=text, id=sent.message_id)


async def chat(store: Path, endpoint: whimbrel.Endpoint | None, terminal: Terminal) -> None:
    async with whimbrel.Client(store, endpoint=endpoint, device_name="chat") as client:
        shown = asyncio.create_task(show(client, terminal))
        async for line in input_lines():
            if line:
                await send(client, terminal, line)
    await shown  # Ends with the client.


def main() -> None:
    parser = argparse.ArgumentParser(description="A chat in the terminal: TO TEXT.")
    parser.add_argument("--store", type=Path, default=Path("chat.db"), help="file of the link")
    parser.add_argument("--sandbox", type=Path, help="file with a sandbox's ready line")
    parser.add_argument("--json", action="store_true", help="print JSON for other programs")
    options = parser.parse_args()
    endpoint = options.sandbox and whimbrel.Endpoint.sandbox(options.sandbox.read_text())
    try:
        asyncio.run(chat(options.store, endpoint, Terminal(options.json)))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
