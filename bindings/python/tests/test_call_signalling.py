"""Calls as far as they are signalling, and links to calls."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox import Sandbox, link, next_event

import whimbrel


async def test_calls_are_told_and_refused(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        own, friend = await sandbox.phone(), await sandbox.phone()
        await link(client, own)
        begin = {"caller": friend.number, "callee": own.number, "video": True}
        begun = sandbox.request("POST", "/calls", begin)["id"]
        offer = await next_event(client, whimbrel.CallOffered)
        assert (offer.call_id, offer.caller.phone, offer.video) == (begun, friend.jid, True)
        with pytest.raises(whimbrel.NotSupportedError):
            await client.accept_call(caller=offer.caller.id, call_id=begun)
        with pytest.raises(whimbrel.NotSupportedError):
            await client.start_call(to=friend.jid)
        with pytest.raises(whimbrel.NotSupportedError):
            await client.join_call_link(url="https://call.whatsapp.com/video/AbC")
        with pytest.raises(whimbrel.InvalidArgumentError):
            await client.join_call_link(url="https://example.org")
        await client.reject_call(caller=offer.caller.id, call_id=begun)
        assert sandbox.request("GET", f"/calls/{begun}")["state"] == "rejected"
        missed = sandbox.request("POST", "/calls", begin)["id"]
        assert (await next_event(client, whimbrel.CallOffered)).call_id == missed
        sandbox.request("POST", f"/calls/{missed}/give-up")
        ended = await next_event(client, whimbrel.CallEnded)
        assert (ended.call_id, ended.reason, ended.missed) == (missed, "timeout", True)
        made = await client.create_call_link(video=False)
        preview = await client.preview_call_link(url=made.url)
        assert (preview.link, preview.is_admin) == (made, True)
