"""The block list."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox import Sandbox, link, next_event

import whimbrel


async def test_people_are_blocked_and_the_phone_is_followed(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        own, friend = await sandbox.phone(), await sandbox.phone()
        await link(client, own)
        assert (await client.get_blocked()).people == []
        await client.block(person=friend.jid)
        assert [who.id for who in (await client.get_blocked()).people] == [friend.lid]
        await client.unblock(person=friend.lid)
        assert (await client.get_blocked(fresh=True)).people == []
        with pytest.raises(whimbrel.InvalidArgumentError):
            await client.block(person=own.jid)
        await own.ask("POST", "/block", {"person": friend.number, "blocked": True})
        changed = await next_event(client, whimbrel.BlockedChanged)
        assert ([who.id for who in changed.blocked], changed.unblocked) == ([friend.lid], [])
