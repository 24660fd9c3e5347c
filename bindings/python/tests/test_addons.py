"""What is done to messages and chats, there and back, in direct chats and groups."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

import pytest
from sandbox import DEADLINE, Sandbox, next_event
from test_every_kind import Pair, pair

import whimbrel

VECTORS = Path(__file__).resolve().parents[3] / "tests/vectors/messages.json"

E = TypeVar("E", bound=whimbrel.Event)


async def annotate(it: Pair, to: str, back: str) -> None:
    """Does everything that can be done to a message. ``to``: the chat for Anna, ``back``: for Ben."""

    async def at(
        client: whimbrel.Client, sent: whimbrel.SentMessage, kind: type[E], shown: str | None = None
    ) -> E:
        event = await next_event(client, kind)
        assert getattr(event, "message_id") == sent.message_id
        if shown:
            assert (await it.phone.shown(sent.message_id))["kind"] == shown
        return event

    async def told(content: whimbrel.Content) -> str:
        sent = await it.anna.send_message(chat=to, content=content, timeout=DEADLINE)
        await at(it.ben, sent, whimbrel.Message)
        return sent.message_id

    async def told_by_ben(words: str) -> str:
        sent = await it.ben.send_text(chat=back, text=words, timeout=DEADLINE)
        await at(it.anna, sent, whimbrel.Message)
        return sent.message_id

    first = await told(whimbrel.TextContent(text="first"))
    for emoji in ("\U0001f44d", None):
        sent = await it.ben.react(chat=back, target_id=first, emoji=emoji)
        reaction = await at(it.anna, sent, whimbrel.Reaction, "reaction")
        assert reaction.emoji == emoji and not reaction.sealed
        assert (reaction.target.message_id, reaction.target.from_me) == (first, True)

    sent = await it.anna.edit_message(chat=to, target_id=first, text="second")
    edited = await at(it.ben, sent, whimbrel.MessageEdited, "message_edited")
    assert (edited.target.message_id, edited.text) == (first, "second")
    assert edited.content == whimbrel.TextContent(text="second")
    assert edited.form is whimbrel.EditForm.CONTROL

    for seconds in (86_400, None):
        sent = await it.ben.pin_message(chat=back, target_id=first, seconds=seconds)
        pinned = await at(it.anna, sent, whimbrel.MessagePinned, "pinned")
        assert pinned.pinned is (seconds is not None)
        assert pinned.target.message_id == first and pinned.seconds in (seconds, 0)
    for kept in (True, False):
        sent = await it.ben.keep_message(chat=back, target_id=first, kept=kept)
        keeping = await at(it.anna, sent, whimbrel.MessageKept, "kept")
        assert (keeping.target.message_id, keeping.kept) == (first, kept)

    poll = await told(
        whimbrel.PollContent(name="Lunch?", options=["Soup", "Tea"], selectable=2, open=True)
    )
    sent = await it.ben.vote_poll(chat=back, target_id=poll, options=["Tea", "Soup"])
    vote = await at(it.anna, sent, whimbrel.PollVote)
    assert (vote.target.message_id, vote.options) == (poll, ["Soup", "Tea"])
    assert not vote.sealed and vote.unknown_options == 0
    sent = await it.ben.add_poll_option(chat=back, target_id=poll, option="Cake")
    added = await at(it.anna, sent, whimbrel.PollOptionAdded)
    assert (added.target.message_id, added.option) == (poll, "Cake")
    sent = await it.anna.vote_poll(chat=to, target_id=poll, options=["Cake"])
    assert (await at(it.ben, sent, whimbrel.PollVote, "sealed")).options == ["Cake"]
    sent = await it.ben.vote_poll(chat=back, target_id=poll, options=[])
    assert (await at(it.anna, sent, whimbrel.PollVote)).options == []
    other = whimbrel.Poll(name="Supper?", options=["Soup", "Bread"], selectable=1)
    sent = await it.anna.edit_poll(chat=to, target_id=poll, poll=other)
    changed = await at(it.ben, sent, whimbrel.PollEdited)
    assert changed.poll is not None and changed.poll.name == "Supper?"

    walk = await told(whimbrel.EventContent(name="Walk", starts_at=1_900_000_000))
    sent = await it.ben.answer_event(
        chat=back, target_id=walk, response=whimbrel.EventResponse.MAYBE, extra_guests=2
    )
    answer = await at(it.anna, sent, whimbrel.EventAnswer)
    assert (answer.response, answer.extra_guests) == (whimbrel.EventResponse.MAYBE, 2)
    off = whimbrel.EventDetails(name="Walk", starts_at=1_900_000_000, cancelled=True)
    sent = await it.anna.edit_event(chat=to, target_id=walk, event=off)
    moved = await at(it.ben, sent, whimbrel.EventEdited)
    assert moved.event is not None and moved.event.cancelled

    sent = await it.anna.revoke_message(chat=to, target_id=first)
    revoked = await at(it.ben, sent, whimbrel.MessageRevoked, "message_revoked")
    assert (revoked.target.message_id, revoked.by_admin) == (first, False)

    # An administrator takes back what others wrote, in groups only.
    rude = await told_by_ben("not nice")
    if to == back:
        sent = await it.anna.revoke_message(chat=to, target_id=rude)
        revoked = await at(it.ben, sent, whimbrel.MessageRevoked, "message_revoked")
        assert (revoked.target.message_id, revoked.by_admin) == (rude, True)
    else:
        with pytest.raises(whimbrel.InvalidArgumentError):
            await it.anna.revoke_message(chat=to, target_id=rude)


async def test_messages_of_a_direct_chat_are_annotated_in_every_way(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with pair(sandbox, engine, tmp_path) as it:
        me = (await it.anna.get_account()).identity
        assert me.phone
        await annotate(it, it.chat, me.phone)


async def test_messages_of_a_group_are_annotated_in_every_way(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with pair(sandbox, engine, tmp_path) as it:
        created = await it.anna.create_group(subject="Birds", participants=[it.chat])
        group = created.group.id
        await annotate(it, group, group)

        post = await it.anna.send_text(chat=group, text="a post", timeout=DEADLINE)
        await next_event(it.ben, whimbrel.Message)
        sent = await it.ben.comment_message(
            chat=group, target_id=post.message_id, content=whimbrel.TextContent(text="well said")
        )
        comment = await next_event(it.anna, whimbrel.Comment)
        assert (comment.message_id, comment.text) == (sent.message_id, "well said")
        assert comment.target.message_id == post.message_id

        for label in ("Cook", ""):
            sent = await it.anna.set_member_label(chat=group, label=label)
            labelled = await next_event(it.ben, whimbrel.MemberLabelChanged)
            assert (labelled.message_id, labelled.label) == (sent.message_id, label or None)


async def test_what_is_done_to_a_chat_is_told(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with pair(sandbox, engine, tmp_path) as it:
        await it.anna.send_text(chat=it.chat, text="hello", timeout=DEADLINE)
        await next_event(it.ben, whimbrel.Message)

        sent = await it.anna.set_chat_timer(chat=it.chat, seconds=86_400)
        timer = await next_event(it.ben, whimbrel.ChatTimerChanged)
        assert (timer.message_id, timer.seconds) == (sent.message_id, 86_400)
        await it.anna.send_text(chat=it.chat, text="soon gone")
        carried = (await next_event(it.ben, whimbrel.Message)).context.timer
        assert carried is not None and carried.seconds == 86_400
        with pytest.raises(whimbrel.InvalidArgumentError):
            await it.anna.set_chat_timer(chat=it.chat, seconds=77)

        for limited in (True, False):
            sent = await it.anna.set_chat_privacy(chat=it.chat, limited=limited)
            privacy = await next_event(it.ben, whimbrel.ChatPrivacyChanged)
            assert (privacy.message_id, privacy.limited) == (sent.message_id, limited)

        await it.anna.share_phone_number(chat=it.chat)
        me = (await it.anna.get_account()).identity
        assert (await next_event(it.ben, whimbrel.NumberShared)).who == me


async def test_edits_come_in_every_form(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    vectors = {one["id"]: one["hex"] for one in json.loads(VECTORS.read_text())["messages"]}
    async with pair(sandbox, engine, tmp_path) as it:
        me = (await it.anna.get_account()).identity
        assert me.phone
        for name, form in (
            ("edit", whimbrel.EditForm.CONTROL),
            ("edit_wrapped", whimbrel.EditForm.WRAPPED),
            ("edit_caption", whimbrel.EditForm.CONTROL),
            ("secret_message_edit", whimbrel.EditForm.SEALED),
        ):
            message_id = await it.phone.send_raw(me.phone, vectors[name])
            if form is whimbrel.EditForm.SEALED:
                # It waits for its message, until none can come.
                await it.phone.send_raw(me.phone, vectors["image"])
                await next_event(it.anna, whimbrel.Message)
                await it.anna.logout(timeout=DEADLINE)
            edited = await next_event(it.anna, whimbrel.MessageEdited)
            assert (edited.message_id, edited.form) == (message_id, form)
            assert edited.raw.hex() == vectors[name]
            # An envelope to a message that never came stays closed.
            assert edited.sealed is (form is whimbrel.EditForm.SEALED)
