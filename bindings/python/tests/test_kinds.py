"""Messages of every kind, typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sandbox import DEADLINE, Sandbox, link, next_event

import whimbrel
from whimbrel import _types

VECTORS = Path(__file__).resolve().parents[3] / "tests/vectors/messages.json"

# Names in the vectors, and what they become.
KINDS: dict[str, type[Any]] = {
    "text_link_preview": whimbrel.TextContent,
    "image": whimbrel.ImageContent,
    "video": whimbrel.VideoContent,
    "gif": whimbrel.GifContent,
    "ptv": whimbrel.VideoNoteContent,
    "audio": whimbrel.AudioContent,
    "ptt": whimbrel.VoiceContent,
    "document": whimbrel.DocumentContent,
    "sticker": whimbrel.StickerContent,
    "sticker_pack": whimbrel.StickerPackContent,
    "album": whimbrel.AlbumContent,
    "contact": whimbrel.ContactContent,
    "contacts": whimbrel.ContactsContent,
    "location": whimbrel.LocationContent,
    "live_location": whimbrel.LiveLocationContent,
    "group_invite": whimbrel.GroupInviteContent,
    "newsletter_admin_invite": whimbrel.ChannelAdminInviteContent,
    "newsletter_follower_invite": whimbrel.ChannelFollowerInviteContent,
    "event_invite": whimbrel.EventInviteContent,
    "request_phone_number": whimbrel.RequestPhoneContent,
    "poll_v1_multi": whimbrel.PollContent,
    "poll_result_snapshot": whimbrel.PollResultContent,
    "event": whimbrel.EventContent,
    "product": whimbrel.ProductContent,
    "catalog": whimbrel.CatalogContent,
    "order": whimbrel.OrderContent,
    "invoice": whimbrel.InvoiceContent,
    "request_payment": whimbrel.PaymentContent,
    "native_flow_quick_reply": whimbrel.InteractiveContent,
    "carousel": whimbrel.CarouselContent,
    "list_single_select": whimbrel.ListContent,
    "buttons_legacy": whimbrel.ButtonsContent,
    "template_hydrated": whimbrel.TemplateContent,
    "list_response": whimbrel.ChoiceContent,
    "call_log": whimbrel.CallLogContent,
    "call": whimbrel.CallMarkerContent,
    "scheduled_call": whimbrel.ScheduledCallContent,
    "scheduled_call_cancel": whimbrel.ScheduledCallCancelContent,
    "bcall": whimbrel.BroadcastCallContent,
    "message_history_bundle": whimbrel.GroupHistoryContent,
    "message_history_notice": whimbrel.GroupHistoryNoticeContent,
    "bot_rich_response": whimbrel.AiRichContent,
    "status_notification": whimbrel.StatusNoticeContent,
    "question_response": whimbrel.QuestionResponseContent,
    "conditional_reveal": whimbrel.ScheduledContent,
    "placeholder": whimbrel.PlaceholderContent,
}


async def test_every_kind_of_a_phone_is_a_class_of_its_own(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    vectors = {one["id"]: one["hex"] for one in json.loads(VECTORS.read_text())["messages"]}
    phone, friend = await sandbox.phone(), await sandbox.phone()
    async with whimbrel.Client(tmp_path / "kinds.db", engine=engine, auto_start=False) as client:
        await link(client, phone)
        for name, kind in KINDS.items():
            message_id = await friend.send_raw(phone.jid, vectors[name])
            message = await next_event(client, whimbrel.Message)
            assert message.message_id == message_id
            assert type(message.content) is kind, name
            assert kind._decode(json.loads(json.dumps(message.content._encode()))) == message.content
            assert message.raw.hex() == vectors[name]


async def test_kinds_are_sent_and_annotated(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = await sandbox.phone(), await sandbox.phone()
    vectors = {one["id"]: one["hex"] for one in json.loads(VECTORS.read_text())["messages"]}
    async with whimbrel.Client(tmp_path / "kinds.db", engine=engine, auto_start=False) as client:
        await link(client, phone)
        contents: list[tuple[whimbrel.Content, str]] = [
            (whimbrel.TextContent(text="words"), "words"),
            (whimbrel.LocationContent(latitude=59.91, longitude=10.75, name="Oslo"), "Oslo"),
            (whimbrel.ContactContent(name="Zo\u00eb", vcard="BEGIN:VCARD\nEND:VCARD"), "Zo\u00eb"),
            (whimbrel.PollContent(name="Lunch?", options=["Soup", "Tea"]), "Lunch?"),
            (whimbrel.EventContent(name="Walk", starts_at=1_900_000_000), "Walk"),
        ]
        ids = []
        for content, words in contents:
            sent = await client.send_message(chat=friend.jid, content=content, timeout=DEADLINE)
            ids.append(sent.message_id)
            assert (await friend.message(words))["kind"] == content.type
        await client.react(chat=friend.jid, target_id=ids[0], emoji="\U0001f426")
        assert (await friend.message("\U0001f426"))["kind"] == "reaction"
        await client.edit_message(chat=friend.jid, target_id=ids[0], text="other words")
        assert (await friend.message("other words"))["kind"] == "message_edited"
        await client.vote_poll(chat=friend.jid, target_id=ids[3], options=["Tea"])

        # A picture that came goes on by its reference.
        await friend.send_raw(phone.jid, vectors["image"])
        message = await next_event(client, whimbrel.Message)
        match message.content:
            case whimbrel.ImageContent(media=whimbrel.MediaFile() as media):
                again = whimbrel.ImageContent(media=media, caption="once more")
                await client.send_message(chat=friend.jid, content=again)
            case other:
                raise AssertionError(other)
        assert (await friend.message("once more"))["kind"] == "image"

        await friend.send_raw(phone.jid, vectors["reaction"])
        assert (await next_event(client, whimbrel.Reaction)).emoji
        # Its poll may come yet: it waits for it.
        await friend.send_raw(phone.jid, vectors["poll_vote"])
        await friend.send_raw(phone.jid, vectors["image"])
        await next_event(client, whimbrel.Message)

        with pytest.raises(whimbrel.InvalidArgumentError):
            await client.send_message(chat=friend.jid, content=whimbrel.TextContent(text=""))
        with pytest.raises(whimbrel.NotSupportedError):
            await client.send_message(chat=friend.jid, content=whimbrel.PlaceholderContent())

        await client.logout(timeout=DEADLINE)
        vote = await next_event(client, whimbrel.PollVote)
        assert vote.sealed and not vote.options and vote.raw


def test_kinds_of_later_versions_are_unknown() -> None:
    content = _types.decode_content({"type": "hologram", "size": 3})
    assert content == whimbrel.UnknownContent(type="hologram")
