"""One of every kind of content, as a program writes it."""

from __future__ import annotations

import dataclasses
from typing import Any

from files import Files

from whimbrel import (
    AiRichContent,
    AlbumContent,
    AudioContent,
    BroadcastCallContent,
    ButtonsContent,
    CallLogContent,
    CallMarkerContent,
    CarouselCard,
    CarouselContent,
    CatalogContent,
    ChannelAdminInviteContent,
    ChannelFollowerInviteContent,
    ChoiceContent,
    ChoiceSource,
    ContactContent,
    ContactsContent,
    Content,
    DocumentContent,
    EventContent,
    EventInviteContent,
    FlowButton,
    GifContent,
    GroupHistoryContent,
    GroupHistoryNoticeContent,
    GroupInviteContent,
    ImageContent,
    InteractiveContent,
    InvoiceContent,
    LinkPreview,
    ListContent,
    ListRow,
    ListSection,
    LiveLocationContent,
    LocationContent,
    MediaFile,
    MusicContent,
    NamedMessage,
    OrderContent,
    PackSticker,
    PaymentContent,
    PaymentStep,
    Place,
    PlaceholderContent,
    PlainButton,
    PollContent,
    PollResultContent,
    PollResultOption,
    ProductContent,
    QuestionResponseContent,
    RequestPhoneContent,
    ScheduledCallCancelContent,
    ScheduledCallContent,
    ScheduledContent,
    StatusNoticeContent,
    StickerContent,
    StickerPackContent,
    TemplateContent,
    TextContent,
    UnsupportedContent,
    VideoContent,
    VideoNoteContent,
    VoiceContent,
)

CHANNEL = "120363000000000002@newsletter"
BUSINESS = "15550009@s.whatsapp.net"
ZOE = "BEGIN:VCARD\nVERSION:3.0\nFN:Zo\u00eb\nEND:VCARD"
AL = "BEGIN:VCARD\nVERSION:3.0\nFN:Al\nEND:VCARD"
YES = FlowButton(name="quick_reply", params_json='{"display_text":"Yes","id":"y"}', label="Yes")

#: What receivers may not draw, so that a fallback has to be chosen.
BEST_EFFORT = (InteractiveContent, CarouselContent, ListContent)


def sendable(files: Files, picture: MediaFile) -> list[tuple[Content, dict[str, Any]]]:
    """Everything that may be sent, and what its receiver finds besides. Files go by their paths;
    ``picture`` was uploaded before."""
    image = {"width": 40, "height": 30, "media": MediaFile(mimetype="image/png")}
    film = {"width": 640, "height": 360, "seconds": 2, "media": MediaFile(mimetype="video/mp4")}
    voice = {"seconds": 2, "media": MediaFile(mimetype="audio/ogg; codecs=opus")}

    def at(path: Any, mimetype: str | None = None) -> MediaFile:
        return MediaFile(path=str(path), mimetype=mimetype)

    return [
        (TextContent(text="*bold* words \U0001f426"), {}),
        (
            TextContent(
                text="see https://example.org",
                link=LinkPreview(url="https://example.org", title="Example", description="About it"),
            ),
            {},
        ),
        (ImageContent(media=at(files.picture), caption="a picture"), image),
        (VideoContent(media=at(files.film), caption="a video"), film),
        (GifContent(media=at(files.film)), film),
        (VideoNoteContent(media=at(files.film)), film),
        (AudioContent(media=at(files.voice)), voice),
        (VoiceContent(media=at(files.voice), waveform=[50] * 64), voice),
        (
            DocumentContent(media=at(files.document, "text/plain"), caption="a document"),
            {"media": MediaFile(mimetype="text/plain"), "file_name": "notes.txt", "title": "notes.txt"},
        ),
        (
            StickerContent(media=at(files.sticker)),
            {"width": 512, "height": 300, "media": MediaFile(mimetype="image/webp")},
        ),
        (
            StickerPackContent(
                id="pack",
                name="Birds",
                publisher="A friend",
                media=at(files.pack),
                stickers=[PackSticker(file_name="one.webp", emojis=["\U0001f426"], mimetype="image/webp")],
                tray_icon="one.webp",
            ),
            {"media": MediaFile()},
        ),
        (AlbumContent(images=2, videos=1), {}),
        (ContactContent(name="Zo\u00eb", vcard=ZOE), {}),
        (ContactsContent(name="2 contacts", names=["Zo\u00eb", "Al"], vcards=[ZOE, AL]), {}),
        (LocationContent(latitude=59.91, longitude=10.75, name="Town hall", address="A street"), {}),
        (LiveLocationContent(latitude=59.91, longitude=10.75, caption="here", accuracy_metres=9), {}),
        (
            GroupInviteContent(
                group="120363000000000001@g.us", code="AbCd", expires_at=1_900_000_000, name="Birds"
            ),
            {},
        ),
        (ChannelAdminInviteContent(channel=CHANNEL, name="News", expires_at=1_900_000_000), {}),
        (ChannelFollowerInviteContent(channel=CHANNEL, name="News"), {}),
        (RequestPhoneContent(), {}),
        (PollContent(name="Lunch?", options=["Soup", "Tea"], selectable=2), {}),
        (PollContent(name="2 + 2?", options=["4", "5"], selectable=1, quiz=True, correct="4"), {}),
        (
            PollResultContent(
                name="Lunch?",
                options=[PollResultOption(option="Soup", votes=2), PollResultOption(option="Tea", votes=0)],
            ),
            {},
        ),
        (
            EventContent(
                name="Walk",
                starts_at=1_900_000_000,
                location=Place(latitude=59.91, longitude=10.75, name="Town hall"),
                extra_guests=True,
            ),
            {},
        ),
        (
            ProductContent(
                id="P1",
                title="Feeder",
                business=BUSINESS,
                currency="EUR",
                price_thousandths=12_500,
                image=picture,
            ),
            {},
        ),
        (CatalogContent(title="All feeders", business=BUSINESS, image=picture), {}),
        (
            OrderContent(
                id="O1",
                token="token",
                seller=BUSINESS,
                item_count=2,
                message="please",
                title="Two feeders",
                total_thousandths=25_000,
                currency="EUR",
            ),
            {},
        ),
        (InteractiveContent(body="Shall we?", footer="soon", buttons=[YES]), {}),
        (CarouselContent(body="Birds", cards=[CarouselCard(body=it, buttons=[YES]) for it in "AB"]), {}),
        (
            ListContent(
                description="Choose",
                button="Open",
                sections=[ListSection(title="All", rows=[ListRow(id="r1", title="One")])],
            ),
            {},
        ),
        (ChoiceContent(source=ChoiceSource.BUTTONS, id="b1", text="Yes"), {}),
        (ChoiceContent(source=ChoiceSource.TEMPLATE, id="t1", text="Yes", index=0), {}),
        (ChoiceContent(source=ChoiceSource.LIST, id="r1", text="One"), {}),
        (
            ChoiceContent(
                source=ChoiceSource.NATIVE_FLOW,
                id="y",
                text="Yes",
                flow_name="quick_reply",
                params_json='{"id":"y"}',
            ),
            {},
        ),
    ]


def only_received() -> list[Content]:
    """What only phones, businesses and the service send."""
    message = NamedMessage(message_id="M1", chat=CHANNEL)
    return [
        EventInviteContent(id="E1", title="Walk"),
        InvoiceContent(token="token", note="for two feeders"),
        PaymentContent(step=PaymentStep.DECLINED, request=message),
        ButtonsContent(text="Shall we?", buttons=[PlainButton(text="Yes", id="y")]),
        TemplateContent(text="Shall we?", buttons=[PlainButton(text="Yes", id="y")]),
        CallLogContent(video=True, outcome="missed"),
        CallMarkerContent(),
        ScheduledCallContent(at_ms=1_900_000_000_000, title="Call"),
        ScheduledCallCancelContent(call=message),
        BroadcastCallContent(session_id="S1"),
        GroupHistoryContent(message_count=3),
        GroupHistoryNoticeContent(message_count=3),
        AiRichContent(text="an answer"),
        MusicContent(title="Song", author="Somebody"),
        StatusNoticeContent(notice="answer", text="yes"),
        QuestionResponseContent(question=message, text="because"),
        ScheduledContent(key_id="K1"),
        PlaceholderContent(),
        UnsupportedContent(),
    ]


def seen(value: Any) -> Any:
    """What sender and receiver see alike: not how a file is found, and no sizes."""
    if isinstance(value, MediaFile):
        return value.mimetype
    if isinstance(value, list):
        return [seen(one) for one in value]
    if not dataclasses.is_dataclass(value):
        return value
    names = [each.name for each in dataclasses.fields(value) if each.name != "thumbnail_size"]
    return (type(value), {name: seen(getattr(value, name)) for name in names})
