//! Coming into groups: by links, by invitations, and by waiting for an admin.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use whimbrel::events::{EventStream, GroupChange, JoinRequestState};
use whimbrel::{CallOptions, Client, Code, Engine, GroupSetting, Invitation, Jid};
use whimbrel_sandbox::phone::Phone;
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DEADLINE, World, next_group_change as next_changed, next_join_request, next_joined, pn,
    send,
};

/// Anna and Ben, each with an engine's client; Anna has a group with Cara's phone.
struct Scene {
    world: World,
    engine: Engine,
    anna: Client,
    ben: Client,
    ben_phone: Phone,
    cara: Phone,
    heard: EventStream,
    group: whimbrel_sandbox::Group,
}

impl Scene {
    async fn set() -> Self {
        let world = World::start().await;
        let engine = world.engine();
        let (anna, _) = world.linked(&engine, ANNA).await;
        let (ben, ben_phone) = world.linked(&engine, BEN).await;
        let cara = world.sandbox.phone(CARA).await.unwrap();
        let mut heard = anna.events().unwrap();
        let group = world.group(ANNA, &[CARA], None);
        next_joined(&mut heard).await;
        Self { world, engine, anna, ben, ben_phone, cara, heard, group }
    }

    fn jid(&self) -> Jid {
        self.group.jid()
    }

    async fn end(self) {
        self.world.assert_no_findings();
        self.engine.close(DEADLINE).await.unwrap();
    }
}

fn statuses(result: Result<(), whimbrel::Error>) -> (Code, u16) {
    let error = result.unwrap_err();
    (error.code(), error.service_status())
}

#[tokio::test]
async fn a_link_leads_in_until_it_is_made_anew() {
    let mut scene = Scene::set().await;
    let (jid, options) = (scene.jid(), CallOptions::default);
    let link = scene.anna.invite_link(&jid, options()).await.unwrap();
    assert_eq!(link.url, format!("https://chat.whatsapp.com/{}", link.code));
    let preview = scene.ben.preview_invite_link(&link.url, options()).await.unwrap();
    assert_eq!((preview.id, preview.subject.as_str(), preview.size), (jid.clone(), "Birds", 2));
    assert!(preview.participants.len() < 2);
    let joined = scene.ben.join_by_link(&link.code, options()).await.unwrap();
    assert_eq!((joined.group, joined.waiting), (jid.clone(), false));
    let GroupChange::Added(who) = next_changed(&mut scene.heard).await.change else { panic!("not added") };
    assert_eq!(who[0].phone, Some(pn(BEN)));
    send(&scene.ben, &jid, "hello birds").await;
    assert_eq!(scene.cara.next_message(DEADLINE).await.unwrap().text, "hello birds");
    let again = scene.ben.join_by_link(&link.url, options()).await;
    assert_eq!(statuses(again.map(drop)), (Code::Refused, 409));

    // Every member may have it, but only admins make it anew.
    assert_eq!(scene.ben.invite_link(&jid, options()).await.unwrap(), link);
    let reset = scene.ben.reset_invite_link(&jid, options()).await;
    assert_eq!(statuses(reset.map(drop)), (Code::Forbidden, 401));
    scene.anna.set_group_setting(&jid, GroupSetting::MembersMayInvite, false, options()).await.unwrap();
    assert_eq!(statuses(scene.ben.invite_link(&jid, options()).await.map(drop)), (Code::Forbidden, 401));
    let mut told = scene.ben.events().unwrap();
    let new = scene.anna.reset_invite_link(&jid, options()).await.unwrap();
    let change = loop {
        match next_changed(&mut told).await.change {
            GroupChange::MembersMayInvite(_) => {}
            other => break other,
        }
    };
    assert_eq!(change, GroupChange::InviteLink(new.code.clone()));
    scene.ben.leave_group(&jid, options()).await.unwrap();
    let void = scene.ben.join_by_link(&link.url, options()).await;
    assert_eq!(statuses(void.map(drop)), (Code::NotFound, 410));
    let never = scene.ben.preview_invite_link("NEVERWASTHERE", options()).await;
    assert_eq!(statuses(never.map(drop)), (Code::Refused, 406));
    let no_link = scene.ben.join_by_link("https://example.com/x", options()).await.unwrap_err();
    assert_eq!(no_link.code(), Code::InvalidArgument);

    scene.group.lock_growth(600);
    let GroupChange::GrowthLock(Some(lock)) = next_locked(&mut scene.heard).await else { panic!("no lock") };
    assert!(lock.until.is_some() && lock.reason.as_deref() == Some("invite"));
    let locked = scene.ben.join_by_link(&new.code, options()).await;
    assert_eq!(statuses(locked.map(drop)), (Code::Refused, 436));
    scene.group.lock_growth(0);
    assert_eq!(next_locked(&mut scene.heard).await, GroupChange::GrowthLock(None));
    scene.ben.join_by_link(&new.code, options()).await.unwrap();
    // Whoever was thrown out stays out.
    scene.anna.remove_participants(&jid, &[pn(BEN)], options()).await.unwrap();
    let out = scene.ben.join_by_link(&new.code, options()).await;
    assert_eq!(statuses(out.map(drop)), (Code::Refused, 405));
    scene.end().await;
}

async fn next_locked(events: &mut EventStream) -> GroupChange {
    loop {
        let change = next_changed(events).await.change;
        if matches!(change, GroupChange::GrowthLock(_)) {
            return change;
        }
    }
}

#[tokio::test]
async fn who_cannot_be_added_is_invited() {
    let mut scene = Scene::set().await;
    let (jid, options) = (scene.jid(), CallOptions::default);
    assert!(scene.world.sandbox.let_add(BEN, "none"));
    let added = scene.anna.add_participants(&jid, &[pn(BEN)], options()).await.unwrap();
    assert_eq!(added[0].refused, Some(403));
    let code = added[0].invitation.clone().unwrap();
    let invitation = Invitation::new(jid.clone(), code.code.clone(), code.expires_at, pn(ANNA));
    let preview = scene.ben.preview_invitation(&invitation, options()).await.unwrap();
    assert_eq!((preview.id, preview.subject.as_str()), (jid.clone(), "Birds"));
    let joined = scene.ben.accept_invitation(&invitation, options()).await.unwrap();
    assert_eq!((joined.group, joined.waiting), (jid.clone(), false));
    let GroupChange::Added(who) = next_changed(&mut scene.heard).await.change else { panic!("not added") };
    assert_eq!(who[0].phone, Some(pn(BEN)));
    assert_eq!(scene.ben.group(&jid, false, options()).await.unwrap().participants.len(), 3);
    let again = scene.ben.accept_invitation(&invitation, options()).await;
    assert_eq!(statuses(again.map(drop)), (Code::Refused, 409));

    // One that is taken back leads nowhere. In a new group it comes with the group itself.
    scene.ben.leave_group(&jid, options()).await.unwrap();
    let made = scene.anna.create_group("Owls", &[pn(BEN)], Default::default(), options()).await.unwrap();
    let (owls, refused) = (made.group.id, &made.refused[0]);
    let code = refused.invitation.clone().unwrap();
    assert_eq!((refused.refused, made.group.size), (Some(403), 1));
    scene.anna.revoke_invitations(&owls, &[pn(BEN)], options()).await.unwrap();
    let void = Invitation::new(owls, code.code, code.expires_at, pn(ANNA));
    let refused = scene.ben.accept_invitation(&void, options()).await;
    assert_eq!(statuses(refused.map(drop)), (Code::NotFound, 404));
    let broken = Invitation::new(pn(BEN), "C", 1, pn(ANNA));
    let refused = scene.ben.preview_invitation(&broken, options()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    scene.end().await;
}

#[tokio::test]
async fn who_waits_is_let_in_or_not() {
    let mut scene = Scene::set().await;
    let (jid, options) = (scene.jid(), CallOptions::default);
    scene.anna.set_group_setting(&jid, GroupSetting::ApprovalRequired, true, options()).await.unwrap();
    let link = scene.anna.invite_link(&jid, options()).await.unwrap();
    let mut own = scene.ben.events().unwrap();
    let ask = async |scene: &mut Scene| {
        let joined = scene.ben.join_by_link(&link.url, options()).await.unwrap();
        assert_eq!((joined.group, joined.waiting), (jid.clone(), true));
        let request = next_join_request(&mut scene.heard).await;
        assert_eq!((request.state, &request.chat.id), (JoinRequestState::Created, &jid));
        assert_eq!(
            (request.people[0].phone.clone(), request.method.as_deref()),
            (Some(pn(BEN)), Some("invite_link"))
        );
    };
    ask(&mut scene).await;
    let waiting = scene.anna.join_requests(&jid, options()).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].who.phone.clone()), (1, Some(pn(BEN))));
    assert!(waiting[0].requested_at > 0 && waiting[0].method.as_deref() == Some("invite_link"));
    scene.ben.cancel_join_request(&jid, options()).await.unwrap();
    assert_eq!(next_join_request(&mut scene.heard).await.state, JoinRequestState::Withdrawn);
    assert_eq!(scene.anna.join_requests(&jid, options()).await.unwrap(), []);
    let none = scene.ben.cancel_join_request(&jid, options()).await;
    assert_eq!(statuses(none), (Code::NotFound, 404));

    ask(&mut scene).await;
    let rejected = scene.anna.decide_join_requests(&jid, &[pn(BEN)], false, options()).await.unwrap();
    assert_eq!(rejected[0].refused, None);
    ask(&mut scene).await;
    let people = [pn(BEN), scene.cara.lid()];
    let decided = scene.anna.decide_join_requests(&jid, &people, true, options()).await.unwrap();
    let told: Vec<_> = decided.iter().map(|one| (one.who.phone.clone(), one.refused)).collect();
    // Who is in it already is as wanted.
    assert_eq!(told, [(Some(pn(BEN)), None), (Some(pn(CARA)), None)]);
    let joined = next_joined(&mut own).await;
    assert_eq!((joined.chat.id, joined.reason.as_deref()), (jid.clone(), Some("invite")));
    send(&scene.anna, &jid, "welcome").await;
    assert_eq!(scene.ben_phone.next_message(DEADLINE).await.unwrap().text, "welcome");
    let not_admin = scene.ben.join_requests(&jid, options()).await;
    assert_eq!(statuses(not_admin.map(drop)), (Code::Forbidden, 403));
    scene.end().await;
}
