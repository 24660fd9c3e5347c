"""Groups and communities: every operation once, as one client does it and another one is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sandbox import DEADLINE, Phone, Sandbox, link, next_event

import whimbrel


class Pair(NamedTuple):
    """Two people with a client each."""

    sandbox: Sandbox
    anna: whimbrel.Client
    ben: whimbrel.Client
    anna_phone: Phone
    ben_phone: Phone


@pytest.fixture
async def pair(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> AsyncIterator[Pair]:
    anna_phone, ben_phone = await sandbox.phone(), await sandbox.phone()
    async with (
        whimbrel.Client(tmp_path / "anna.db", engine=engine, auto_start=False) as anna,
        whimbrel.Client(tmp_path / "ben.db", engine=engine, auto_start=False) as ben,
    ):
        await link(anna, anna_phone)
        await link(ben, ben_phone)
        yield Pair(sandbox, anna, ben, anna_phone, ben_phone)


async def test_settings_and_looking_up(pair: Pair) -> None:
    anna, ben, friend = pair.anna, pair.ben, pair.ben_phone.jid
    made = await anna.create_group(
        subject="Birds",
        participants=[friend],
        description="all",
        members_may_invite=False,
        timeout=DEADLINE,
    )
    group = made.group.id
    assert made.group.size == 2 and made.group.description and not made.group.members_may_invite
    assert (await next_event(ben, whimbrel.GroupJoined)).chat.id == group
    for setting in whimbrel.GroupSetting:
        if setting.value in ("members_may_create_groups", "unknown"):
            continue
        await anna.set_group_setting(group=group, setting=setting, enabled=True)
    shown = await anna.get_group(group=group, fresh=True)
    assert shown.announce and shown.locked and shown.sharing_limited and shown.admin_reports
    await anna.set_group_description(group=group, text="some")
    while True:
        changed = await next_event(ben, whimbrel.GroupChanged)
        if changed.change == whimbrel.GroupChangeType.DESCRIPTION:
            break
    assert changed.text == "some"
    await anna.set_group_description(group=group)
    assert (await anna.check_group(group=group)).description is None
    found = await anna.get_groups(groups=[group, "120363999999999999@g.us"])
    assert [one.refused for one in found.results] == [None, 404]
    assert (await anna.get_group_pictures(groups=[group])).pictures == []
    await ben.confirm_group(group=group)
    assert (await ben.report_to_admins(group=group, message_ids=["3EB0AA"])).refused == []
    reported = await anna.list_reported_messages(group=group)
    assert reported.messages[0].message_id == "3EB0AA"
    pair.sandbox.request("PATCH", f"/groups/{group}", {"by": "", "suspended": True})
    await anna.appeal_group_suspension(group=group, reason="birds only")
    with pytest.raises(whimbrel.ServiceError) as refused:
        await anna.appeal_group_suspension(group=group, reason="birds only")
    assert refused.value.service_status == 409


async def test_members_and_names(pair: Pair) -> None:
    anna, friend = pair.anna, pair.ben_phone.jid
    made = await anna.create_group(subject="Birds", participants=[friend], timeout=DEADLINE)
    group = made.group.id
    assert group in [found.id for found in (await anna.list_groups()).groups]
    await anna.set_group_subject(group=group, subject="Owls")
    assert (await anna.get_group(group=group)).subject == "Owls"
    promoted = await anna.promote_participants(group=group, participants=[friend])
    demoted = await anna.demote_participants(group=group, participants=[friend])
    removed = await anna.remove_participants(group=group, participants=[friend])
    for answer in (promoted, demoted, removed):
        assert [(one.who.phone, one.refused) for one in answer.results] == [(friend, None)]
    assert (await next_event(pair.ben, whimbrel.GroupLeft)).chat.id == group


async def test_invitations_and_requests(pair: Pair) -> None:
    anna, ben, friend = pair.anna, pair.ben, pair.ben_phone.jid
    made = await anna.create_group(subject="Birds", participants=[], timeout=DEADLINE)
    group = made.group.id
    first = await anna.get_invite_link(group=group)
    invite = await anna.reset_invite_link(group=group)
    assert invite.url.endswith(invite.code) and invite.code != first.code
    with pytest.raises(whimbrel.NotFoundError):
        await ben.preview_invite_link(link=first.url)
    assert (await ben.preview_invite_link(link=invite.url)).subject == "Birds"
    approval = whimbrel.GroupSetting.APPROVAL_REQUIRED
    await anna.set_group_setting(group=group, setting=approval, enabled=True)
    assert (await ben.join_by_link(link=invite.code)).waiting
    request = await next_event(anna, whimbrel.JoinRequest)
    assert request.state == whimbrel.JoinRequestState.CREATED and request.method == "invite_link"
    await ben.cancel_join_request(group=group)
    assert (await anna.list_join_requests(group=group)).requests == []
    await ben.join_by_link(link=invite.code)
    waiting = (await anna.list_join_requests(group=group)).requests
    decided = await anna.decide_join_requests(group=group, people=[waiting[0].who.id], approve=True)
    assert decided.results[0].refused is None
    await ben.leave_group(group=group)
    await anna.set_group_setting(group=group, setting=approval, enabled=False)
    await pair.ben_phone.ask("POST", "/let-add", {"who": "none"})
    added = (await anna.add_participants(group=group, participants=[friend])).results[0]
    assert added.refused == 403 and added.invitation is not None
    code, until, admin = added.invitation.code, added.invitation.expires_at, pair.anna_phone.jid
    preview = await ben.preview_invitation(group=group, code=code, expires_at=until, admin=admin)
    assert preview.subject == "Birds"
    joined = await ben.accept_invitation(group=group, code=code, expires_at=until, admin=admin)
    assert joined.group == group
    await anna.revoke_invitations(group=group, people=[friend])


async def test_communities(pair: Pair) -> None:
    anna, ben, friend = pair.anna, pair.ben, pair.ben_phone.jid
    made = await anna.create_community(subject="Animals", general_chat=True, timeout=DEADLINE)
    community = made.group.id
    assert made.group.is_community
    birds = (await anna.create_group(subject="Birds", participants=[friend])).group.id
    linked = await anna.link_groups(community=community, groups=[birds])
    assert linked.results[0].refused is None
    told = await next_event(ben, whimbrel.GroupLinked)
    assert told.linked and told.relation == whimbrel.GroupRelation.COMMUNITY
    assert told.groups[0].id == community
    fish = (await anna.create_group(subject="Fish", participants=[], community=community)).group.id
    for details in (False, True):
        groups = (await ben.list_community_groups(community=community, details=details)).groups
        assert {"Birds", "Fish"} <= {group.subject for group in groups}
    assert len((await ben.list_community_members(community=community)).members) == 2
    sizes = (await ben.count_community_members(community=community)).groups
    assert {size.group: size.size for size in sizes}[birds] == 2
    assert (await ben.preview_community_group(community=community, group=fish)).subject == "Fish"
    assert not (await ben.join_community_group(community=community, group=fish)).waiting
    suggestion = {"by": pair.ben_phone.number, "subject": "Gulls", "description": "white"}
    pair.sandbox.request("POST", f"/groups/{community}/suggestions", suggestion)
    assert (await next_event(anna, whimbrel.GroupSuggested)).open
    suggested = (await anna.list_group_suggestions(community=community)).suggestions
    assert suggested[0].subject == "Gulls"
    await anna.transfer_community(community=community, to=friend)
    await ben.unlink_groups(community=community, groups=[fish])
    removed = await ben.remove_from_community(community=community, people=[pair.anna_phone.jid])
    assert removed.results[0].refused is None
    await ben.deactivate_community(community=community)
    again = (await anna.create_community(subject="Plants")).group.id
    await anna.leave_community(community=again)
    with pytest.raises(whimbrel.ForbiddenError):
        await anna.list_community_groups(community=again)


async def test_who_joins_gets_what_was_written_before(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    sandbox.request("POST", "/properties", {"code": 15313, "value": "1"})
    own, friend = await sandbox.phone(), await sandbox.phone()
    async with (
        whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as anna,
        whimbrel.Client(tmp_path / "b.db", engine=engine, auto_start=False) as ben,
    ):
        await link(anna, own)
        await link(ben, friend)
        made = await anna.create_group(subject="Ponds", participants=[], timeout=DEADLINE)
        group = made.group.id
        await anna.send_text(chat=group, text="before", timeout=DEADLINE)
        await anna.add_participants(group=group, participants=[friend.jid])
        shared = await anna.share_group_history(group=group, people=[friend.jid])
        assert shared.messages == 1
        while True:
            told = await next_event(ben, whimbrel.Message)
            if told.message_id == shared.message_id:
                break
        assert isinstance(told.content, whimbrel.GroupHistoryContent)
        fetched = await ben.fetch_group_history(group=group, message_id=shared.message_id)
        assert (fetched.messages, fetched.left_out) == (1, 0)
        texts = [message.text for message in (await ben.find_messages(chat=group)).items]
        assert "before" in texts
