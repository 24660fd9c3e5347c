"""Sends a picture, or saves the files that come in.

``media.py send TO PICTURE`` sends a picture and tells how far it is; Ctrl-C stops it.
``media.py save FOLDER`` saves the files of all messages, until Ctrl-C.

Without a link it prints a QR code to scan with the phone's "Linked devices", and keeps the link in
``media.db``. ``--sandbox FILE`` talks to a sandbox instead of the real service: FILE holds the line
that ``whimbrel-sandbox`` prints when it is ready.
"""

from __future__ import annotations

import argparse
import asyncio
import mimetypes
from pathlib import Path

import whimbrel


async def send(client: whimbrel.Client, to: str, picture: Path) -> None:
    """Sends a picture. When its task is cancelled, so are upload and message."""
    content = whimbrel.ImageContent(
        media=whimbrel.MediaFile(path=str(picture)), caption="from whimbrel"
    )
    sent = await client.send_message(chat=to, content=content, transfer=picture.name)
    print(f"sent {picture.name} as {sent.message_id}", flush=True)


async def save(client: whimbrel.Client, message: whimbrel.Message, folder: Path) -> None:
    """Saves the file of a message, if it has one."""
    media: whimbrel.MediaFile | None = getattr(message.content, "media", None)
    if media is None:
        return
    # A name of our own: what senders write is not to be trusted with paths.
    suffix = mimetypes.guess_extension((media.mimetype or "").split(";")[0]) or ""
    path = folder / f"{message.sequence}{suffix}"
    try:
        await client.download_media(reference=media.reference, path=str(path))
        print(f"saved {path}", flush=True)
    except whimbrel.WhimbrelError as error:
        print(f"not saved: {error}", flush=True)


async def run(options: argparse.Namespace) -> None:
    endpoint = options.sandbox and whimbrel.Endpoint.sandbox(options.sandbox.read_text())
    online = asyncio.Event()

    async def watch() -> None:
        async for event in client.events():
            match event:
                case whimbrel.Qr(text=qr):
                    print(whimbrel.draw_qr(qr), flush=True)
                case whimbrel.ConnectionChanged(state=whimbrel.ConnectionStateName.ONLINE):
                    online.set()
                case whimbrel.MediaProgress(transfer=name, done=done, total=total):
                    print(f"{name}: {done} of {total} bytes", flush=True)
                case whimbrel.Message(from_me=False) if options.folder:
                    # The loop asks for no other event meanwhile. After a crash this one comes again.
                    await save(client, event, options.folder)

    async with whimbrel.Client(options.store, endpoint=endpoint) as client:
        watching = asyncio.create_task(watch())
        if options.folder:
            await watching
        await online.wait()
        await send(client, options.to, options.picture)


def main() -> None:
    parser = argparse.ArgumentParser(description="Sends a picture, or saves what comes in.")
    parser.add_argument("--store", type=Path, default=Path("media.db"), help="file of the link")
    parser.add_argument("--sandbox", type=Path, help="file with a sandbox's ready line")
    tasks = parser.add_subparsers(required=True)
    sending = tasks.add_parser("send", help="send a picture")
    sending.add_argument("to", help="a phone number with its country code, or an address")
    sending.add_argument("picture", type=Path)
    sending.set_defaults(folder=None)
    saving = tasks.add_parser("save", help="save the files that come in")
    saving.add_argument("folder", type=Path)
    try:
        asyncio.run(run(parser.parse_args()))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
