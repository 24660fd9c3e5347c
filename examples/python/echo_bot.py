"""Answers every text with the same text.

Prints a QR code to scan with the phone's "Linked devices" and keeps the link in ``echo.db``.
``--sandbox FILE`` talks to a sandbox instead of the real service: FILE holds the line that
``whimbrel-sandbox`` prints when it is ready.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import whimbrel


async def echo(store: Path, endpoint: whimbrel.Endpoint | None) -> None:
    async with whimbrel.Client(store, endpoint=endpoint) as client:
        async for event in client.events():
            match event:
                case whimbrel.Qr(text=qr):
                    print(whimbrel.draw_qr(qr), flush=True)
                case whimbrel.Message(chat=chat, text=str(text), from_me=False):
                    await client.send_text(chat=chat, text=text)


def main() -> None:
    parser = argparse.ArgumentParser(description="Answers every text with the same text.")
    parser.add_argument("--store", type=Path, default=Path("echo.db"), help="file of the link")
    parser.add_argument("--sandbox", type=Path, help="file with a sandbox's ready line")
    options = parser.parse_args()
    endpoint = options.sandbox and whimbrel.Endpoint.sandbox(options.sandbox.read_text())
    try:
        asyncio.run(echo(options.store, endpoint))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
