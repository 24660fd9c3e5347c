"""A chat client for a terminal: messages scroll above, and what is typed stays below.

``/to NUMBER`` chooses whom the lines that follow go to, ``/chats`` lists the newest chats, ``/back``
shows more of this one's past, and ``/quit`` or Ctrl-D ends. Without a link it draws a QR code.
``--sandbox FILE`` talks to a sandbox instead of the real service.
"""

from __future__ import annotations

import argparse
import asyncio
import codecs
import os
import shutil
import sys
import termios
import time
from pathlib import Path

import whimbrel


class Screen:
    """The lower line for typing, everything above it for what happens."""

    def __init__(self) -> None:
        self.typed = ""
        self.title = ""
        self._kept = termios.tcgetattr(sys.stdin)

    def __enter__(self) -> Screen:
        mode = termios.tcgetattr(sys.stdin)
        mode[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, mode)
        rows = shutil.get_terminal_size().lines
        # All rows but the last one scroll.
        sys.stdout.write(f"\x1b[2J\x1b[1;{rows - 1}r\x1b[{rows - 1};1H")
        self.draw()
        return self

    def __exit__(self, *_: object) -> None:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._kept)
        sys.stdout.write(f"\x1b[r\x1b[{shutil.get_terminal_size().lines};1H\n")
        sys.stdout.flush()

    def draw(self) -> None:
        size = shutil.get_terminal_size()
        line = f"{self.title}> {self.typed}"[-(size.columns - 1) :]
        sys.stdout.write(f"\x1b[{size.lines};1H\x1b[2K{line}")
        sys.stdout.flush()

    def say(self, words: str) -> None:
        """Adds lines above. What others send must not move the cursor."""
        rows = shutil.get_terminal_size().lines
        for line in words.splitlines():
            clean = "".join(each for each in line if each.isprintable())
            sys.stdout.write(f"\x1b[{rows - 1};1H\n\x1b[{rows - 1};1H{clean}")
        self.draw()

    def key(self, key: str) -> str | None:
        """Takes a typed character; a whole line when it is finished."""
        if key in "\r\n":
            line, self.typed = self.typed, ""
            self.draw()
            return line.strip()
        self.typed = self.typed[:-1] if key in "\x7f\b" else self.typed + key
        self.draw()
        return None


def name(who: whimbrel.Identity) -> str:
    return who.id if who.phone is None else who.phone.partition("@")[0]


def shown(sender: whimbrel.Identity, from_me: bool, timestamp: int, text: str | None) -> str:
    clock = time.strftime("%H:%M", time.localtime(timestamp))
    return f"{clock} {'me' if from_me else name(sender)}: {text or '[no text]'}"


class Chat:
    def __init__(self, client: whimbrel.Client, screen: Screen) -> None:
        self._client, self._screen = client, screen
        self._to: str | None = None
        self._older: str | None = None

    async def show(self) -> None:
        async for event in self._client.events():
            match event:
                case whimbrel.Qr(text=qr):
                    self._screen.say(whimbrel.draw_qr(qr))
                case whimbrel.ConnectionChanged(state=state):
                    self._screen.say(f"({state.value})")
                case whimbrel.Message(is_status=False, content=content) as one:
                    words = one.text or f"[{content.type}]"
                    self._screen.say(shown(one.sender, one.from_me, one.timestamp, words))
                    if self._to is None and not one.from_me:
                        self._open(one.chat.id, name(one.chat))

    def _open(self, chat: str, title: str) -> None:
        self._to, self._older, self._screen.title = chat, None, title
        self._screen.draw()

    async def line(self, line: str) -> bool:
        """Does what a line says; false when it ends the program."""
        word, _, rest = line.partition(" ")
        if word == "/quit":
            return False
        if word == "/to":
            self._open(rest, rest)
        elif word == "/chats":
            for chat in (await self._client.find_chats(limit=10)).items:
                self._screen.say(name(chat.chat))
        elif word == "/back" and self._to is not None:
            page = await self._client.find_messages(chat=self._to, limit=10, cursor=self._older)
            self._older = page.next
            for one in reversed(page.items):
                text = getattr(one.content, "text", None)
                self._screen.say(shown(one.sender, one.from_me, one.timestamp, text))
        elif line and self._to is None:
            self._screen.say("(to whom? /to NUMBER)")
        elif line and self._to is not None:
            sent = await self._client.send_text(chat=self._to, text=line)
            self._screen.say(shown(sent.chat, True, sent.timestamp, line))
        return True


async def run(options: argparse.Namespace) -> None:
    endpoint = options.sandbox and whimbrel.Endpoint.sandbox(options.sandbox.read_text())
    keys: asyncio.Queue[str] = asyncio.Queue()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read() -> None:
        # Not `sys.stdin.read`: what waits in its buffer would not wake the loop.
        data = os.read(sys.stdin.fileno(), 1024)
        for key in decoder.decode(data) if data else "\x04":
            keys.put_nowait(key)

    asyncio.get_running_loop().add_reader(sys.stdin, read)
    with Screen() as screen:
        async with whimbrel.Client(options.store, endpoint=endpoint) as client:
            chat = Chat(client, screen)
            showing = asyncio.create_task(chat.show())
            while (key := await keys.get()) != "\x04":
                line = screen.key(key)
                try:
                    if line is not None and not await chat.line(line):
                        break
                except whimbrel.WhimbrelError as error:
                    screen.say(f"({error})")
            showing.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(description="A chat client for a terminal.")
    parser.add_argument("--store", type=Path, default=Path("terminal.db"), help="file of the link")
    parser.add_argument("--sandbox", type=Path, help="file with a sandbox's ready line")
    try:
        asyncio.run(run(parser.parse_args()))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
