"""``python -m whimbrel``: link an account, send, listen, and export the link."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

from . import (
    Client,
    ConnectionChanged,
    ConnectionStateName,
    Content,
    DocumentContent,
    Endpoint,
    Event,
    Identity,
    ImageContent,
    Linked,
    LinkFailed,
    LoggedOut,
    MediaFile,
    Message,
    NotLinkedError,
    PairingCodeFailed,
    Qr,
    VideoContent,
    WhimbrelError,
    draw_qr,
)

# How long to wait for the connection, seconds.
SOON = 60.0


def plain(value: object) -> Any:
    """What JSON can say of a value. Bytes are left out: they do not travel in JSON."""
    if dataclasses.is_dataclass(value):
        members = {
            field.name: getattr(value, field.name)
            for field in dataclasses.fields(value)
            if not isinstance(getattr(value, field.name), bytes)
        }
        tags = {name: getattr(value, name) for name in ("kind", "type") if hasattr(value, name)}
        return {name: plain(member) for name, member in (tags | members).items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def say(*words: object) -> None:
    print(*words, flush=True)


def name(who: Identity) -> str:
    """The phone number of a person, or the address if the number is not known."""
    return who.id if who.phone is None else who.phone.partition("@")[0]


async def linked(client: Client) -> bool:
    try:
        await client.get_account()
    except NotLinkedError:
        return False
    return True


async def link(client: Client, options: argparse.Namespace) -> int:
    if await linked(client):
        say("linked already as", name((await client.get_account()).identity))
        return 0
    if options.code:
        code = await client.link_with_code(phone=options.code)
        say(f"type this code on the phone: {code.code}")
    else:
        await client.link_with_qr()
    failure: str | None = None
    async for event in client.events():
        match event:
            case Qr(text=text) if not options.code:
                say(draw_qr(text))
                say("scan it on the phone, under Linked devices")
            case LinkFailed(reason=reason):
                failure = reason
                break
            case PairingCodeFailed():
                failure = "the code was not typed in time"
                break
            case Linked():
                break
    if failure is not None:
        raise SystemExit(f"whimbrel: not linked: {failure}")
    # The service wants the link to be used once before it counts.
    await client.connect(timeout=SOON)
    say("linked as", name((await client.get_account()).identity))
    return 0


def content(path: Path, caption: str | None) -> Content:
    """What a file is sent as, by its name."""
    media = MediaFile(path=str(path))
    match path.suffix.lower():
        case ".jpg" | ".jpeg" | ".png" | ".webp" | ".gif":
            return ImageContent(media=media, caption=caption)
        case ".mp4" | ".mov":
            return VideoContent(media=media, caption=caption)
        case _:
            return DocumentContent(media=media, caption=caption, file_name=path.name)


async def send(client: Client, options: argparse.Namespace) -> int:
    await client.connect(timeout=SOON)
    if options.file is not None:
        what = content(options.file, options.text)
        sent = await client.send_message(chat=options.to, content=what)
    else:
        sent = await client.send_text(chat=options.to, text=options.text)
    say(sent.message_id)
    return 0


def line(event: Event) -> str | None:
    """A line for people; ``None`` for what does not concern them."""
    match event:
        case Message(sender=sender, chat=chat, text=text, content=content):
            place = "" if chat.id == sender.id else f" in {name(chat)}"
            return f"{name(sender)}{place}: {text if text is not None else '[' + content.type + ']'}"
        case ConnectionChanged(state=ConnectionStateName() as state):
            return f"({state.value})"
        case LoggedOut(reason=reason):
            return f"(logged out: {reason})"
    return None


async def listen(client: Client, options: argparse.Namespace) -> int:
    await client.connect(timeout=SOON)
    async for event in client.events():
        if options.json:
            say(json.dumps(plain(event), ensure_ascii=False))
        elif (words := line(event)) is not None:
            say(words)
        if isinstance(event, LoggedOut):
            return 1
    return 0


async def export(client: Client, options: argparse.Namespace) -> int:
    passphrase = os.environ.get("WHIMBREL_PASSPHRASE")
    if passphrase is None:
        passphrase = await asyncio.to_thread(getpass.getpass, "passphrase: ")
    await client.export(path=str(options.path), passphrase=passphrase)
    say(f"exported to {options.path}; the store refuses to open from now on")
    return 0


async def run(options: argparse.Namespace) -> int:
    endpoint = options.sandbox and Endpoint.sandbox(options.sandbox.read_text())
    async with Client(
        options.store, endpoint=endpoint, auto_start=False, device_name=options.name
    ) as client:
        if options.task is not link and not await linked(client):
            raise SystemExit("whimbrel: not linked: run `python -m whimbrel link` first")
        code: int = await options.task(client, options)
        return code


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m whimbrel", description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("whimbrel.db"), help="file of the link")
    parser.add_argument("--sandbox", type=Path, help="file with a sandbox's ready line")
    parser.set_defaults(name=None)
    tasks = parser.add_subparsers(required=True, metavar="TASK")

    linking = tasks.add_parser("link", help="link this device to a phone")
    linking.add_argument("--code", metavar="PHONE", help="by a code that is typed on that phone")
    linking.add_argument("--name", help="name of this device on the phone")
    linking.set_defaults(task=link)

    sending = tasks.add_parser("send", help="send a text, or a file with a caption")
    sending.add_argument("to", help="a phone number with its country code, or an address")
    sending.add_argument("text", nargs="?", help="the text, or the caption of the file")
    sending.add_argument("--file", type=Path, help="a picture, film or any other file")
    sending.set_defaults(task=send)

    listening = tasks.add_parser("listen", help="print what arrives, until Ctrl-C")
    listening.add_argument("--json", action="store_true", help="every event, as a line of JSON")
    listening.set_defaults(task=listen)

    exporting = tasks.add_parser(
        "export", help="move the link into an encrypted file; the store is of no use afterwards"
    )
    exporting.add_argument("path", type=Path, help="the file; WHIMBREL_PASSPHRASE opens it")
    exporting.set_defaults(task=export)
    return parser


def main() -> int:
    parser = arguments()
    options = parser.parse_args()
    if options.task is send and options.text is None and options.file is None:
        parser.error("send: a text or a --file is needed")
    try:
        return asyncio.run(run(options))
    except WhimbrelError as error:
        print(f"whimbrel: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
