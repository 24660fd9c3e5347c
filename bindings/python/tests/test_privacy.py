"""Privacy: who sees and may do what, the people who are left out, and the timer of new chats."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox import Sandbox, link, next_event

import whimbrel


async def test_privacy_is_read_and_changed(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        own, friend = await sandbox.phone(), await sandbox.phone()
        await link(client, own)

        async def value(category: str) -> str:
            settings = (await client.get_privacy()).settings
            return next(each.value for each in settings if each.category == category)

        assert await value("last_seen") == "everyone"
        await client.set_privacy(category="last_seen", value="nobody")
        assert await value("last_seen") == "nobody"
        with pytest.raises(whimbrel.InvalidArgumentError):
            await client.set_privacy(category="read_receipts", value="contacts")
        await own.ask("POST", "/privacy", {"category": "calladd", "value": "known"})
        changed = await next_event(client, whimbrel.PrivacyChanged)
        assert [(each.category, each.value) for each in changed.settings] == [("calls", "known")]

        left_out = await client.change_privacy_exceptions(category="about", add=[friend.jid])
        assert [who.id for who in left_out.people] == [friend.lid]
        assert await value("about") == "contacts_except"
        assert (await client.get_privacy_exceptions(category="about")).people == left_out.people
        nobody = await client.change_privacy_exceptions(category="about", remove=[friend.lid])
        assert nobody.people == []


async def test_timer_of_new_chats_and_audience_of_statuses(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "b.db", engine=engine, auto_start=False) as client:
        own, friend = await sandbox.phone(), await sandbox.phone()
        await link(client, own)
        await client.set_default_timer(seconds=86400)
        assert (await client.get_default_timer()).seconds == 86400
        await own.ask("POST", "/default-timer", {"seconds": 604800})
        changed = await next_event(client, whimbrel.DefaultTimerChanged)
        assert (changed.who.phone, changed.seconds) == (own.jid, 604800)

        audience = await client.get_status_audience()
        assert (audience.audience, audience.people) == (whimbrel.StatusAudienceType.CONTACTS, [])
        change = await client.set_status_audience(
            audience=whimbrel.StatusAudienceType.ONLY, people=[friend.jid]
        )
        written = await next_event(client, whimbrel.AppStateWritten)
        assert (written.change, written.error) == (change.change, None)
        with pytest.raises(whimbrel.InvalidArgumentError):
            await client.set_status_audience(audience=whimbrel.StatusAudienceType.ONLY)
