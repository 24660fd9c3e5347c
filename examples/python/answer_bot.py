"""Answers people with what a language model, or any other function, says.

The function is pluggable. ``--command PROGRAM`` runs a program that reads the conversation as JSON, a
list of ``{"role": "user" or "assistant", "content": "…"}``, and writes the answer. ``--url ADDRESS``
asks a server that speaks the chat completions protocol, as most models' servers do; the variable
``ANSWER_KEY`` has its key and ``--model`` names the model.

It answers in direct chats, and in groups when it is mentioned. What was said before is read from the
engine's own archive, so that a restart forgets nothing, and a message that was not answered when the
program ended comes again. ``--sandbox FILE`` talks to a sandbox.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path

import whimbrel

Turn = dict[str, str]
Answer = Callable[[list[Turn]], Awaitable[str]]


def from_command(command: str) -> Answer:
    """A program answers."""

    async def answer(turns: list[Turn]) -> str:
        pipe = asyncio.subprocess.PIPE
        program = await asyncio.create_subprocess_exec(
            *shlex.split(command), stdin=pipe, stdout=pipe
        )
        output, _ = await program.communicate(json.dumps(turns).encode())
        if program.returncode != 0:
            raise RuntimeError(f"the command ended with status {program.returncode}")
        return output.decode().strip()

    return answer


def from_server(url: str, model: str, key: str) -> Answer:
    """A server of chat completions answers."""

    def ask(turns: list[Turn]) -> str:
        body = json.dumps({"model": model, "messages": turns}).encode()
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=120) as got:
            answer: str = json.load(got)["choices"][0]["message"]["content"]
        return answer.strip()

    async def answer(turns: list[Turn]) -> str:
        return await asyncio.to_thread(ask, turns)

    return answer


async def conversation(client: whimbrel.Client, message: whimbrel.Message, most: int) -> list[Turn]:
    """The newest texts of the chat, oldest first, up to the message that is to be answered."""
    page = await client.find_messages(chat=message.chat, limit=most)
    turns: list[Turn] = []
    for stored in reversed(page.items):
        if isinstance(stored.content, whimbrel.TextContent) and stored.content.text:
            role = "assistant" if stored.from_me else "user"
            turns.append({"role": role, "content": stored.content.text})
        if stored.message_id == message.message_id:
            break
    return turns


async def typing(client: whimbrel.Client, chat: whimbrel.Identity) -> None:
    """Shows that an answer is being written; others forget it after a while."""
    while True:
        await client.set_chat_state(chat=chat, state=whimbrel.ChatState.COMPOSING)
        await asyncio.sleep(10)


def make(store: Path, endpoint: whimbrel.Endpoint | None, answer: Answer, most: int) -> whimbrel.Client:
    client = whimbrel.Client(store, endpoint=endpoint, device_name="answers")

    @client.on(whimbrel.Qr)
    def draw(event: whimbrel.Qr) -> None:
        print(whimbrel.draw_qr(event.text), flush=True)

    @client.on(whimbrel.Message)
    async def reply(message: whimbrel.Message) -> None:
        in_group = message.chat.id.endswith("@g.us")
        addressed = message.mentions_me if in_group else True
        if message.from_me or message.is_status or not message.text or not addressed:
            return
        await client.mark_read(
            chat=message.chat,
            message_ids=[message.message_id],
            sender=message.sender if in_group else None,
        )
        shown = asyncio.create_task(typing(client, message.chat))
        try:
            words = await answer(await conversation(client, message, most))
            # The same id whenever this event comes again: an answer is not sent twice.
            mark = message.id.encode().hex().upper()[-18:]
            quote = whimbrel.QuotedMessage(message_id=message.message_id, sender=message.sender.id)
            await client.send_text(
                chat=message.chat,
                text=words,
                message_id=f"3EB0{mark}",
                quote=quote if in_group else None,
            )
            print(f"answered {message.sender}", flush=True)
        finally:
            shown.cancel()

    return client


def main() -> None:
    parser = argparse.ArgumentParser(description="Answers people with what a function says.")
    parser.add_argument("--store", type=Path, default=Path("answers.db"), help="file of the link")
    parser.add_argument("--sandbox", type=Path, help="file with a sandbox's ready line")
    parser.add_argument("--model", default="default", help="what the server calls its model")
    parser.add_argument("--turns", type=int, default=20, help="messages that the function sees")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--command", help="a program that answers")
    who.add_argument("--url", help="a server of chat completions that answers")
    options = parser.parse_args()
    endpoint = options.sandbox and whimbrel.Endpoint.sandbox(options.sandbox.read_text())
    if options.command:
        answer = from_command(options.command)
    else:
        answer = from_server(options.url, options.model, os.environ.get("ANSWER_KEY", ""))
    try:
        asyncio.run(make(options.store, endpoint, answer, options.turns).run())
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
