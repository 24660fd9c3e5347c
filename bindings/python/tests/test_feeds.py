"""Statuses and posts of channels: made, changed, answered and taken back."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path

import pytest
from sandbox import Sandbox, link, next_event

import whimbrel

STATUS = "status@broadcast"


async def test_a_status_reaches_its_audience_and_is_taken_back(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    own, friend, stranger = [await sandbox.phone() for _ in range(3)]
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        await link(client, own)
        sent = await client.send_message(
            chat=STATUS,
            content=whimbrel.TextContent(text="out on the water"),
            audience=[friend.jid],
        )
        shown = await friend.shown(sent.message_id)
        assert (shown["chat"], shown["text"]) == (STATUS, "out on the water")
        with pytest.raises(whimbrel.InvalidArgumentError):
            await client.send_message(
                chat=STATUS, content=whimbrel.TextContent(text="for nobody"), audience=[]
            )

        post = {"to": STATUS, "text": "back on land", "audience": [own.number]}
        theirs = (await friend.ask("POST", "/send", post))["id"]
        while True:
            heard = await next_event(client, whimbrel.Message)
            if heard.message_id == theirs:
                break
        assert heard.is_status and heard.text == "back on land"
        await client.revoke_message(chat=STATUS, target_id=sent.message_id)
        seen = [item["text"] for item in (await stranger.ask("GET", "/messages"))["items"]]
        assert seen == []


async def test_posts_are_made_changed_answered_and_taken_back(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    owner, reader = await sandbox.phone(), await sandbox.phone()
    wanted = {"owner": owner.number, "followers": [reader.number]}
    made = await asyncio.to_thread(sandbox.request, "POST", "/channels", wanted)
    channel: str = made["jid"]
    async with (
        whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as anna,
        whimbrel.Client(tmp_path / "b.db", engine=engine, auto_start=False) as ben,
    ):
        await link(anna, owner)
        await link(ben, reader)
        sent = await anna.send_message(
            chat=channel, content=whimbrel.TextContent(text="news")
        )
        post = await next_event(ben, whimbrel.ChannelPost)
        assert (post.message_id, post.server_id) == (sent.message_id, sent.server_id)
        assert (post.channel, post.change, post.text) == (channel, "new", "news")
        better = whimbrel.TextContent(text="better news")
        await anna.edit_post(channel=channel, message_id=sent.message_id, content=better)
        post = await next_event(ben, whimbrel.ChannelPost)
        assert (post.change, post.text) == ("edited", "better news")

        # Counts are told to those who watch.
        await anna.watch_channel(channel=channel)
        await ben.react_to_post(channel=channel, server_id=post.server_id, emoji="👍")
        (counts,) = (await next_event(anna, whimbrel.ChannelCounts)).posts
        assert counts.server_id == post.server_id
        assert [(found.emoji, found.count) for found in counts.reactions or []] == [("👍", 1)]
        poll = whimbrel.PollContent(name="Lunch?", options=["Soup", "Bread"])
        asked = await anna.send_message(chat=channel, content=poll)
        assert asked.server_id is not None
        await ben.vote_in_post(channel=channel, server_id=asked.server_id, choices=["Bread"])
        while True:
            (counts,) = (await next_event(anna, whimbrel.ChannelCounts)).posts
            if counts.votes:
                break
        option = sha256(b"Bread").hexdigest()
        assert [(found.option, found.count) for found in counts.votes] == [(option, 1)]

        await anna.revoke_post(channel=channel, message_id=sent.message_id)
        while True:
            post = await next_event(ben, whimbrel.ChannelPost)
            if post.change == whimbrel.PostChangeType.REVOKED:
                break
        assert (post.message_id, post.content) == (sent.message_id, None)
        with pytest.raises(whimbrel.ForbiddenError):
            await ben.revoke_post(channel=channel, message_id="X")
