"""Profiles, user names, links to people, limits and reports."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox import Phone, Sandbox, link, next_event

import whimbrel


async def linked(client: whimbrel.Client, sandbox: Sandbox) -> tuple[Phone, Phone]:
    """Links a client; its phone, and that of a friend."""
    own, friend = await sandbox.phone(), await sandbox.phone()
    await link(client, own)
    return own, friend


async def test_names_and_abouts(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        own, friend = await linked(client, sandbox)
        await client.set_about(text="on the pond")
        about = await client.get_about()
        assert (about.text, about.emoji) == ("on the pond", None)
        await client.set_about(text="away", emoji="\N{WATER WAVE}", expires_in_seconds=3600)
        about = await client.get_about()
        assert (about.text, about.emoji) == ("away", "\N{WATER WAVE}")
        assert about.expires_in_seconds == 3600
        with pytest.raises(whimbrel.InvalidArgumentError):
            await client.set_about(text="x" * 140)
        change = await client.set_push_name(name="Heron")
        written = await next_event(client, whimbrel.AppStateWritten)
        assert (written.change, written.error) == (change.change, None)

        await friend.send(own.jid, "hello")
        await next_event(client, whimbrel.Message)
        await friend.ask("POST", "/about", {"text": "by the lake"})
        changed = await next_event(client, whimbrel.AboutChanged)
        while changed.who.id != friend.lid:
            changed = await next_event(client, whimbrel.AboutChanged)
        assert changed.about.text == "by the lake"
        assert (await client.get_about(person=friend.jid)).text == "by the lake"


async def test_user_names_and_links(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    one = whimbrel.Client(tmp_path / "b.db", engine=engine, auto_start=False)
    two = whimbrel.Client(tmp_path / "c.db", engine=engine, auto_start=False)
    async with one as client, two as other:
        own, friend = await linked(client, sandbox)
        await link(other, friend)
        name = f"heron.{own.number[-6:]}"
        assert (await client.check_username(username=name)).available
        problem = (await client.check_username(username="www.heron")).problem
        assert problem == whimbrel.UsernameProblem.WWW
        await client.set_username(username=name)
        assert (await client.get_username()).username == name
        with pytest.raises(whimbrel.RefusedError):
            await other.set_username(username=name)
        await client.set_username_key(key="1234")
        assert (await other.find_username(username=name)).key_needed
        found = await other.find_username(username=name, key="1234")
        assert found.who is not None and found.who.id == own.lid
        await client.delete_username()
        assert (await other.find_username(username=name)).who is None

        mine = await client.get_contact_link()
        assert (await other.resolve_contact_link(link=mine.link)).who.phone == own.jid
        renewed = await client.get_contact_link(renew=True)
        assert renewed.code != mine.code
        with pytest.raises(whimbrel.NotFoundError):
            await other.resolve_contact_link(link=mine.code)
        code = (await own.ask("POST", "/message-link", {"text": "a boat"}))["code"]
        message = await other.resolve_message_link(link=f"https://wa.me/message/{code}")
        assert (message.text, message.who.phone) == ("a boat", own.jid)


async def test_limits_and_reports(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "d.db", engine=engine, auto_start=False) as client:
        own, friend = await linked(client, sandbox)
        limits = await client.get_limits()
        assert not limits.reachout_locked
        assert limits.new_chats is not None and limits.new_chats.status == "NONE"
        await friend.send(own.jid, "buy this")
        message = await next_event(client, whimbrel.Message)
        report = await client.report_spam(chat=friend.jid, message_ids=[message.message_id])
        assert report.report_id
        with pytest.raises(whimbrel.NotFoundError):
            await client.report_spam(chat=friend.jid, message_ids=["NONE"])
