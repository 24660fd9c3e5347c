"""The PyPI package `evolutionapi`, as it is, against the server."""

import io
import queue

import pytest
import socketio
from conftest import ROOT, Server
from evolutionapi.client import EvolutionClient
from evolutionapi.models.chat import ArchiveChat, CheckIsWhatsappNumber, Presence, ReadMessage, UpdateMessage
from evolutionapi.models.group import (
    CreateGroup,
    GroupDescription,
    GroupSubject,
    ToggleEphemeral,
    UpdateParticipant,
    UpdateSetting,
)
from evolutionapi.models.instance import InstanceConfig
from evolutionapi.models.message import (
    Button,
    ButtonMessage,
    Contact,
    ContactMessage,
    ListMessage,
    ListRow,
    ListSection,
    LocationMessage,
    MediaMessage,
    PollMessage,
    ReactionMessage,
    TextMessage,
)
from evolutionapi.models.presence import PresenceStatus
from evolutionapi.models.profile import FetchProfile, ProfileName, ProfileStatus
from evolutionapi.models.websocket import WebSocketConfig

ANNA, BEN, CARA = "254700112233", "254712345678", "254700000003"
CHAT = f"{BEN}@s.whatsapp.net"


def linked(server: Server) -> tuple[EvolutionClient, str]:
    for number, name in ((ANNA, "Anna"), (BEN, "Ben"), (CARA, "Cara")):
        server.phone(number, name)
    client = EvolutionClient(server.url, ROOT)
    made = client.instances.create_instance(
        InstanceConfig(instanceName="shop", integration="WHATSAPP-BAILEYS", qrcode=True)
    )
    token = made["hash"]
    server.scan(ANNA, made["qrcode"]["code"])
    client.instance_operations.restart("shop", token)
    return client, token


def test_an_instance_lives_and_ends(server: Server) -> None:
    client, token = linked(server)
    operations = client.instance_operations
    assert operations.get_connection_state("shop", token)["instance"]["state"] == "open"
    assert [row["name"] for row in client.instances.fetch_instances()] == ["shop"]
    assert operations.set_presence("shop", PresenceStatus.AVAILABLE, token)["presence"] == "available"
    assert operations.logout("shop", token)["status"] == "SUCCESS"
    assert "base64" in operations.connect("shop", token)
    assert operations.delete("shop", ROOT)["status"] == "SUCCESS"


def test_messages_of_every_kind_arrive(server: Server) -> None:
    client, token = linked(server)
    messages = client.messages
    sent = [
        messages.send_text("shop", TextMessage(number=BEN, text="hello", delay=1), token),
        messages.send_media(
            "shop",
            MediaMessage(number=BEN, mediatype="document", mimetype="text/plain", caption="c", fileName="a.txt", delay=1),
            token,
            io.BytesIO(b"some words"),
        ),
        messages.send_location("shop", LocationMessage(BEN, "Nairobi", "", -1.28, 36.8), token),
        messages.send_contact("shop", ContactMessage(BEN, [Contact("Cara", CARA, f"+{CARA}")]), token),
        messages.send_poll("shop", PollMessage(BEN, "Tea?", 1, ["yes", "no"]), token),
        messages.send_list(
            "shop",
            ListMessage(BEN, "Menu", "Pick", "Open", "", [ListSection("S", [ListRow("One", "1", "a")])]),
            token,
        ),
        messages.send_buttons(
            "shop", ButtonMessage(BEN, "T", "D", "F", [Button(type="reply", displayText="Yes", id="y")]), token
        ),
    ]
    kinds = [record["messageType"] for record in sent]
    assert kinds == [
        "conversation",
        "documentMessage",
        "locationMessage",
        "contactMessage",
        "pollCreationMessage",
        "listMessage",
        "interactiveMessage",
    ]
    key = sent[0]["key"]
    reaction = messages.send_reaction("shop", ReactionMessage(key, "👍"), token)
    assert reaction["messageType"] == "reactionMessage"
    edited = client.chat.update_message("shop", UpdateMessage(number=BEN, key=key, text="better"), token)
    assert edited["message"]["conversation"] == "better"
    found = client.chat.get_messages("shop", CHAT, token, from_me=True, page=1, offset=3)
    assert found["messages"]["total"] >= len(sent) and len(found["messages"]["records"]) == 3


def test_chats_and_profiles_answer(server: Server) -> None:
    client, token = linked(server)
    checked = client.chat.check_is_whatsapp_numbers("shop", CheckIsWhatsappNumber([BEN, "15550009999"]), token)
    assert [entry["exists"] for entry in checked] == [True, False]
    first = client.messages.send_text("shop", TextMessage(number=BEN, text="hi"), token)
    # The phones of this sandbox answer with what they got.
    while not (rows := client.chat.get_messages("shop", CHAT, token, from_me=False)["messages"]["records"]):
        server.messages(ANNA, after=0)
    read = client.chat.mark_message_as_read("shop", [ReadMessage(CHAT, False, rows[0]["key"]["id"])], token)
    assert read["read"] == "success"
    archived = client.chat.archive_chat("shop", ArchiveChat({"key": first["key"]}, CHAT, True), token)
    assert archived["archived"] is True
    assert client.chat.send_presence("shop", Presence(BEN, 1, "composing"), token)["presence"] == "composing"
    assert client.profile.fetch_profile("shop", FetchProfile(number=BEN), token)["numberExists"] is True
    assert client.profile.update_profile_name("shop", ProfileName(name="Shop"), token)["update"] == "success"
    assert client.profile.update_profile_status("shop", ProfileStatus(status="open"), token)["update"] == "success"
    assert client.profile.fetch_privacy_settings("shop", token)["last"] in {"all", "contacts", "none"}
    assert client.label.find_labels("shop", token) == []


def test_a_socket_tells_of_messages(server: Server) -> None:
    client, token = linked(server)
    assert client.websocket.set_websocket("shop", WebSocketConfig(True, ["MESSAGES_UPSERT"]), token)["enabled"]
    assert client.websocket.find_websocket("shop", token).events == ["MESSAGES_UPSERT"]
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.create_websocket("shop", "a-key-that-is-wrong").connect()
    told: queue.Queue[dict] = queue.Queue()
    socket = client.create_websocket("shop", token)
    socket.on("messages.upsert", told.put)
    socket.connect()
    try:
        server.send(BEN, ANNA, "good morning")
        event = told.get(timeout=20)
        assert event["instance"] == "shop"
        assert event["data"]["message"]["conversation"] == "good morning"
    finally:
        socket.disconnect()


def test_groups_are_made_and_changed(server: Server) -> None:
    client, token = linked(server)
    group = client.group.create_group("shop", CreateGroup("Team", [BEN], "about us"), token)["id"]
    assert client.group.get_group_info("shop", group, token)["desc"] == "about us"
    added = client.group.update_participant("shop", group, UpdateParticipant("add", [CARA]), token)
    assert added["updateParticipants"][0]["status"] == "200"
    assert len(client.group.get_participants("shop", group, token)["participants"]) == 3
    for done in (
        client.group.update_group_subject("shop", group, GroupSubject("News"), token),
        client.group.update_group_description("shop", group, GroupDescription("less"), token),
    ):
        assert done["update"] == "success"
    assert client.group.update_setting("shop", group, UpdateSetting("locked"), token)["updateSetting"] == "locked"
    assert client.group.toggle_ephemeral("shop", group, ToggleEphemeral(86400), token)["success"] is True
    code = client.group.get_invite_code("shop", group, token)["inviteCode"]
    assert client.group.get_invite_info("shop", code, token)["subject"] == "News"
    assert client.group.revoke_invite_code("shop", group, token)["inviteCode"] != code
    assert [row["id"] for row in client.group.fetch_all_groups("shop", token)] == [group]
    assert client.group.leave_group("shop", group, token)["leave"] is True
