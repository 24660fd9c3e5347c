"""Channels: made, followed, changed, shared, read, found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sandbox import Sandbox, link, next_event

import whimbrel

async def test_channels_are_made_followed_and_changed(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        own, friend = await sandbox.phone(), await sandbox.phone()
        await link(client, own)

        def act(channel: str, action: str, by: str, **more: object) -> Any:
            return sandbox.request("POST", f"/channels/{channel}/{action}", {"by": by, **more})

        sandbox.request("POST", f"/phones/{own.number}/terms", {"notice": "20601217"})
        terms = whimbrel.ChannelTerms.CREATE
        assert not (await client.get_channel_terms(terms=terms)).accepted
        with pytest.raises(whimbrel.TermsNotAcceptedError):
            await client.create_channel(name="Finches")
        await client.accept_channel_terms(terms=terms)
        made = await client.create_channel(name="Finches", description="of all kinds")
        assert (made.name, made.role, made.followers) == ("Finches", whimbrel.ChannelRole.OWNER, 1)
        found = await client.get_channel(channel=f"https://whatsapp.com/channel/{made.invite}")
        assert found.id == made.id
        changed = await client.update_channel(
            channel=made.id, name="Sparrows", reactions=whimbrel.ChannelReactions.ALL
        )
        assert changed.name == "Sparrows"

        act(made.id, "follow", friend.number)
        followers = (await client.list_channel_followers(channel=made.id)).followers
        assert {follower.who.phone for follower in followers} == {own.jid, friend.jid}
        invitation = await client.invite_channel_admin(channel=made.id, person=friend.jid)
        assert invitation.expires_at is not None
        admins = await client.get_channel_admins(channel=made.id)
        assert (admins.count, [who.phone for who in admins.invited]) == (1, [friend.jid])
        await client.revoke_channel_invitation(channel=made.id, person=friend.jid)
        await client.invite_channel_admin(channel=made.id, person=friend.jid)
        act(made.id, "accept", friend.number)
        promoted = await next_event(client, whimbrel.ChannelRoleChanged)
        while promoted.change is not whimbrel.ChannelRoleChangeType.PROMOTED:
            promoted = await next_event(client, whimbrel.ChannelRoleChanged)
        assert promoted.who.phone == friend.jid
        await client.demote_channel_admin(channel=made.id, person=friend.jid)
        with pytest.raises(whimbrel.NotFoundError):
            await client.transfer_channel(channel=made.id, to=friend.jid)

        theirs = sandbox.request("POST", "/channels", {"owner": friend.number, "category": "BIRDS"})["jid"]
        await client.follow_channel(channel=theirs)
        assert {channel.id for channel in (await client.list_channels()).channels} == {made.id, theirs}
        await client.mute_channel(channel=theirs, muted=True)
        assert sandbox.request("GET", f"/channels/{theirs}")["muted_by"] == [own.number]
        act(theirs, "update", friend.number, updates={"name": "Gulls"})
        told = await next_event(client, whimbrel.ChannelChanged)
        assert (told.channel, told.name) == (theirs, "Gulls")
        act(theirs, "mute", own.number, muted=False)
        assert not (await next_event(client, whimbrel.ChannelMuted)).muted
        act(theirs, "unfollow", own.number)
        assert (await next_event(client, whimbrel.ChannelLeft)).channel == theirs
        act(theirs, "follow", own.number)
        joined = await next_event(client, whimbrel.ChannelJoined)
        assert (joined.channel.id, joined.channel.name) == (theirs, "Gulls")
        act(theirs, "invite", friend.number, person=own.number)
        await client.accept_channel_invitation(channel=theirs)

        for page in (
            (await client.browse_channels(view=whimbrel.ChannelView.POPULAR)).channels,
            (await client.search_channels(text="gull")).channels,
            (await client.list_recommended_channels()).channels,
        ):
            assert [channel.id for channel in page] == [theirs]
        assert (await client.list_similar_channels(channel=theirs)).channels == []
        categories = (await client.list_channel_categories(country="NL")).categories
        assert [category.name for category in categories] == ["BIRDS"]

        await client.unfollow_channel(channel=theirs)
        await client.delete_channel(channel=made.id)
        assert (await client.get_channel(channel=made.id)).state is whimbrel.ChannelState.DELETED


async def test_posts_are_read_watched_and_counted(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "b.db", engine=engine, auto_start=False) as client:
        own = await sandbox.phone()
        await link(client, own)
        channel = (await client.create_channel(name="Finches")).id
        sent = await client.send_text(chat=channel, text="news")
        number = sent.server_id
        assert number is not None
        await client.watch_channel(channel=channel)
        await client.mark_posts_viewed(channel=channel, server_ids=[number])
        counts = await next_event(client, whimbrel.ChannelCounts)
        assert (counts.posts[0].server_id, counts.posts[0].views) == (number, 1)
        await client.unwatch_channel(channel=channel)
        posts = (await client.get_posts(channel=channel, limit=5)).posts
        assert [(post.text, post.from_me) for post in posts] == [("news", True)]
        updates = (await client.get_post_updates(channel=channel, since=0)).posts
        assert [post.counts.views for post in updates] == [1]
        pinned = (await client.pin_post(channel=channel, message_id=sent.message_id, pinned=True)).pinned
        assert [post.message_id for post in pinned] == [sent.message_id]
        await client.react_to_post(channel=channel, server_id=number, emoji="👍")
        await client.vote_in_post(channel=channel, server_id=number, choices=["Bread"])
        reactions = (await client.list_post_reactions(channel=channel, server_id=number)).reactions
        assert [(one.emoji, [who.phone for who in one.senders]) for one in reactions] == [("👍", [own.jid])]
        voters = (await client.list_post_voters(channel=channel, server_id=number, choice="Bread")).voters
        assert [voter.who.phone for voter in voters] == [own.jid]
        acts = (await client.list_own_post_acts()).acts
        assert [(act.channel, act.emoji, len(act.votes)) for act in acts] == [(channel, "👍", 1)]
        edited = whimbrel.TextContent(text="better news")
        await client.edit_post(channel=channel, message_id=sent.message_id, content=edited)
        await client.revoke_post(channel=channel, message_id=sent.message_id)
        assert (await client.get_posts(channel=channel)).posts[0].revoked
