"""Keeps groups in order.

In every group in which this account is an administrator it greets who joins, takes back messages that
match a pattern of ``--forbid`` (links to invitations of other groups, unless told otherwise), warns
their author, and removes whoever was warned ``--warnings`` times. Administrators may write what they
like. The count of warnings is in a file, and an event is done with only when it was written there: a
restart neither forgets nor counts twice. ``--sandbox FILE`` talks to a sandbox.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from pathlib import Path

import whimbrel

ELSEWHERE = r"chat\.whatsapp\.com/\w+"


class Warnings:
    """Who was warned in which group, and for which events."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._events: dict[str, list[str]] = json.loads(path.read_text()) if path.exists() else {}

    def add(self, group: str, person: str, event: str) -> int:
        """Counts an event, once, and returns how many there are now."""
        events = self._events.setdefault(f"{group} {person}", [])
        if event not in events:
            events.append(event)
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(self._events))
            fresh.replace(self._path)
        return len(events)


class Moderator:
    def __init__(self, client: whimbrel.Client, options: argparse.Namespace) -> None:
        self._client = client
        self._forbidden = [re.compile(pattern, re.IGNORECASE) for pattern in options.forbid]
        self._most = options.warnings
        self._greeting: str = options.greeting
        self._warnings = Warnings(options.notes)
        client.on(whimbrel.Message, whimbrel.MessageEdited)(self.read)
        client.on(whimbrel.GroupChanged)(self.greet)

    async def _admins(self, group: whimbrel.Identity) -> set[str]:
        """The addresses of the administrators, of each every form; empty if this account is none."""
        own = (await self._client.get_account()).identity
        found = await self._client.get_group(group=group)
        admins = [one.who for one in found.participants if one.role != whimbrel.GroupRole.MEMBER]
        forms = {form for who in admins for form in (who.id, who.phone, who.lid) if form}
        return forms if {own.id, own.phone, own.lid} & forms else set()

    async def read(self, message: whimbrel.Message | whimbrel.MessageEdited) -> None:
        """Takes back what is forbidden."""
        text, group, author = message.text or "", message.chat, message.sender
        if message.from_me or not group.id.endswith("@g.us"):
            return
        if not any(pattern.search(text) for pattern in self._forbidden):
            return
        admins = await self._admins(group)
        if not admins or author.id in admins:
            return
        target = message.message_id
        if isinstance(message, whimbrel.MessageEdited):
            target = message.target.message_id
        await self._client.revoke_message(chat=group, target_id=target, sender=author)
        count = self._warnings.add(group.id, author.id, message.id)
        print(f"warning {count} for {author} in {group}", flush=True)
        if count >= self._most:
            await self._client.remove_participants(group=group, participants=[author.id])
            print(f"removed {author} from {group}", flush=True)
        else:
            left = self._most - count
            words = f"That is not wanted here. After {left} more you will be removed."
            await self._client.send_text(chat=group, text=words)

    async def greet(self, event: whimbrel.GroupChanged) -> None:
        """Greets who joins."""
        if event.change is not whimbrel.GroupChangeType.ADDED or not self._greeting:
            return
        if not await self._admins(event.chat):
            return
        own = (await self._client.get_account()).identity
        if any(own.id in (who.id, who.phone, who.lid) for who in event.participants):
            return
        await self._client.send_text(chat=event.chat, text=self._greeting)


async def run(options: argparse.Namespace) -> None:
    endpoint = options.sandbox and whimbrel.Endpoint.sandbox(options.sandbox.read_text())
    client = whimbrel.Client(options.store, endpoint=endpoint, device_name="moderator")
    client.on(whimbrel.Qr)(lambda event: print(whimbrel.draw_qr(event.text), flush=True))
    Moderator(client, options)
    await client.run()


def main() -> None:
    parser = argparse.ArgumentParser(description="Keeps groups in order.")
    parser.add_argument("--store", type=Path, default=Path("moderator.db"), help="file of the link")
    parser.add_argument("--sandbox", type=Path, help="file with a sandbox's ready line")
    parser.add_argument("--notes", type=Path, default=Path("warnings.json"), help="who was warned")
    parser.add_argument("--warnings", type=int, default=3, help="the last of which removes")
    parser.add_argument("--greeting", default="Welcome!", help="for who joins; empty: none")
    parser.add_argument("--forbid", action="append", help="a pattern; may be given more than once")
    options = parser.parse_args()
    options.forbid = options.forbid or [ELSEWHERE]
    try:
        asyncio.run(run(options))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
