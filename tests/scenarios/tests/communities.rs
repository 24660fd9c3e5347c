//! Communities: made, filled, looked at, joined, left and ended.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use whimbrel::events::{EventStream, GroupChange, GroupRelation, JoinRequestState};
use whimbrel::{CallOptions, Client, Code, CommunityOptions, Engine, GroupOptions, GroupSetting, Jid, Role};
use whimbrel_sandbox::phone::Phone;
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DEADLINE, World, next_group_change as next_changed, next_join_request, next_joined,
    next_left, next_linked, next_suggested, pn, send,
};

/// Anna and Ben, each with an engine's client, and Cara's phone. Anna has a community.
struct Scene {
    world: World,
    engine: Engine,
    anna: Client,
    ben: Client,
    cara: Phone,
    heard: EventStream,
    ben_heard: EventStream,
    community: Jid,
    announcements: Jid,
}

impl Scene {
    async fn set() -> Self {
        Self::set_with(CommunityOptions::default()).await
    }

    async fn set_with(setup: CommunityOptions) -> Self {
        let world = World::start().await;
        let engine = world.engine();
        let (anna, _) = world.linked(&engine, ANNA).await;
        let (ben, _) = world.linked(&engine, BEN).await;
        let cara = world.sandbox.phone(CARA).await.unwrap();
        let (mut heard, ben_heard) = (anna.events().unwrap(), ben.events().unwrap());
        let made = anna.create_community("Animals", setup, CallOptions::default()).await.unwrap();
        assert!(made.group.is_community && made.refused.is_empty());
        let announcements = next_joined(&mut heard).await.chat.id;
        Self { world, engine, anna, ben, cara, heard, ben_heard, community: made.group.id, announcements }
    }

    /// A group of Anna's with these people, in the community.
    async fn group(&self, subject: &str, people: &[Jid]) -> Jid {
        let mut setup = GroupOptions::default();
        setup.community = Some(self.community.clone());
        let made = self.anna.create_group(subject, people, setup, CallOptions::default()).await.unwrap();
        assert_eq!(made.group.community.as_ref(), Some(&self.community));
        made.group.id
    }

    async fn subjects(&self, client: &Client, details: bool) -> Vec<String> {
        let groups = client.community_groups(&self.community, details, CallOptions::default()).await.unwrap();
        groups.into_iter().map(|group| group.subject).collect()
    }

    fn members(&self, group: &Jid) -> Vec<String> {
        let state = self.world.sandbox.find_group(group).unwrap().state().unwrap();
        state.members.into_iter().map(|member| member.number).collect()
    }

    async fn end(self) {
        self.world.assert_no_findings();
        self.engine.close(DEADLINE).await.unwrap();
    }
}

fn status(result: Result<(), whimbrel::Error>) -> (Code, u16) {
    let error = result.unwrap_err();
    (error.code(), error.service_status())
}

#[tokio::test]
async fn a_community_has_its_announcements_from_the_beginning() {
    let mut setup = CommunityOptions::default();
    setup.description = Some("all of them".to_owned());
    (setup.approval_required, setup.members_may_create_groups, setup.general_chat) = (true, true, true);
    let mut scene = Scene::set_with(setup).await;
    let options = CallOptions::default;
    let general = next_joined(&mut scene.heard).await.chat.id;
    let community = scene.anna.group(&scene.community, true, options()).await.unwrap();
    assert!(community.is_community && community.approval_required && community.members_may_create_groups);
    assert_eq!(community.description.unwrap().text, "all of them");
    let announcements = scene.anna.group(&scene.announcements, false, options()).await.unwrap();
    assert!(announcements.is_announcements && announcements.announce);
    assert_eq!(announcements.community, Some(scene.community.clone()));
    assert!(scene.anna.group(&general, false, options()).await.unwrap().is_general_chat);
    assert_eq!(scene.subjects(&scene.anna, false).await, ["Animals", "Animals"]);
    let listed = scene.anna.community_groups(&scene.community, true, options()).await.unwrap();
    let kinds: Vec<_> = listed.iter().map(|group| (group.is_announcements, group.is_general_chat)).collect();
    assert_eq!(kinds, [(true, false), (false, true)]);
    let nobody = scene.anna.create_community("", CommunityOptions::default(), options()).await.unwrap_err();
    assert_eq!(nobody.code(), Code::InvalidArgument);
    scene.end().await;
}

#[tokio::test]
async fn groups_are_made_in_it_linked_and_taken_out() {
    let mut scene = Scene::set().await;
    let options = CallOptions::default;
    let birds = scene.group("Birds", &[pn(BEN)]).await;
    // Ben is in the group, in the one for announcements and in the community.
    let mut joined = Vec::new();
    for _ in 0..3 {
        joined.push(match next_membership(&mut scene.ben_heard).await {
            Some(jid) => jid,
            None => break,
        });
    }
    joined.sort();
    let mut expected = [birds.clone(), scene.announcements.clone(), scene.community.clone()];
    expected.sort();
    assert_eq!(joined, expected);
    assert_eq!(scene.members(&scene.announcements), [ANNA, BEN]);
    let written = scene.ben.send_text(&scene.announcements, "me too", Default::default()).await;
    assert_eq!(written.unwrap_err().code(), Code::Forbidden);

    // One that exists comes in with its members; one that is somebody else's does not.
    let owls = scene.world.group(ANNA, &[CARA], None).jid();
    let foreign = scene.world.group(CARA, &[ANNA], None).jid();
    // What an answer says of a group counts for one that is known.
    let mut heard_of = Vec::new();
    while !(heard_of.contains(&owls) && heard_of.contains(&foreign)) {
        heard_of.push(next_joined(&mut scene.heard).await.chat.id);
    }
    let unknown = Jid::group("120363999999999999");
    let named = [owls.clone(), foreign.clone(), unknown.clone()];
    let linked = scene.anna.link_groups(&scene.community, &named, false, options()).await.unwrap();
    let told: Vec<_> = linked.into_iter().map(|one| (one.group, one.refused)).collect();
    assert_eq!(told, [(owls.clone(), None), (foreign, Some(403)), (unknown, Some(404))]);
    let told = next_linked(&mut scene.ben_heard).await;
    assert!(told.linked && told.relation == GroupRelation::Group);
    assert_eq!((told.chat.id, told.groups[0].id.clone()), (scene.community.clone(), owls.clone()));
    let told = next_linked(&mut scene.ben_heard).await;
    assert_eq!((told.chat.id, told.relation), (birds.clone(), GroupRelation::Sibling));
    assert_eq!(scene.members(&scene.community), [ANNA, BEN, CARA]);
    assert_eq!(
        scene.anna.group(&owls, false, options()).await.unwrap().community,
        Some(scene.community.clone())
    );
    assert_eq!(scene.subjects(&scene.ben, false).await, ["Animals", "Birds", "Birds"]);
    assert_eq!(scene.subjects(&scene.ben, true).await.len(), 3);
    let everybody = scene.ben.community_members(&scene.community, options()).await.unwrap();
    assert_eq!(everybody.len(), 3);
    let sizes = scene.anna.community_sizes(&scene.community, options()).await.unwrap();
    let size = |group: &Jid| sizes.iter().find(|one| one.group == *group).unwrap().size;
    assert_eq!((size(&scene.announcements), size(&birds), size(&owls)), (3, 2, 2));

    // Cara is in no other group: she goes with it.
    let gone = scene
        .anna
        .unlink_groups(&scene.community, std::slice::from_ref(&owls), true, options())
        .await
        .unwrap();
    assert_eq!(gone[0].refused, None);
    let told = next_linked(&mut scene.ben_heard).await;
    assert!(!told.linked && told.reason.as_deref() == Some("unlink_group"));
    assert_eq!(scene.members(&scene.community), [ANNA, BEN]);
    assert_eq!(scene.anna.group(&owls, false, options()).await.unwrap().community, None);
    let not_admin = scene.ben.link_groups(&scene.community, &[owls], false, options()).await;
    assert_eq!(status(not_admin.map(drop)), (Code::Forbidden, 403));
    scene.end().await;
}

/// The next group that the account is in, whichever event tells it.
async fn next_membership(events: &mut EventStream) -> Option<Jid> {
    Some(next_joined(events).await.chat.id)
}

#[tokio::test]
async fn members_join_its_groups_and_leave_it() {
    let mut scene = Scene::set().await;
    let options = CallOptions::default;
    scene.group("Birds", &[pn(BEN), scene.cara.jid()]).await;
    let fish = scene.group("Fish", &[]).await;
    let mut hidden = GroupOptions::default();
    (hidden.community, hidden.hidden) = (Some(scene.community.clone()), true);
    let bats = scene.anna.create_group("Bats", &[], hidden, options()).await.unwrap().group;
    assert!(bats.is_hidden);
    assert_eq!(scene.subjects(&scene.ben, false).await, ["Animals", "Birds", "Fish"]);
    assert_eq!(scene.subjects(&scene.anna, false).await.len(), 4);

    let preview = scene.ben.preview_community_group(&scene.community, &fish, options()).await.unwrap();
    assert_eq!((preview.subject.as_str(), preview.size), ("Fish", 1));
    let joined = scene.ben.join_community_group(&scene.community, &fish, options()).await.unwrap();
    assert_eq!((joined.group, joined.waiting), (fish.clone(), false));
    let again = scene.ben.join_community_group(&scene.community, &fish, options()).await;
    assert_eq!(status(again.map(drop)), (Code::Refused, 409));
    let unseen = scene.ben.join_community_group(&scene.community, &bats.id, options()).await;
    assert_eq!(status(unseen.map(drop)), (Code::NotFound, 404));
    send(&scene.anna, &fish, "do fish read?").await;
    assert_eq!(scene.members(&fish), [ANNA, BEN]);

    // With approval an admin decides, and sees through what they come.
    let frogs = scene.group("Frogs", &[]).await;
    scene.anna.set_group_setting(&frogs, GroupSetting::ApprovalRequired, true, options()).await.unwrap();
    let waits = scene.ben.join_community_group(&scene.community, &frogs, options()).await.unwrap();
    assert!(waits.waiting);
    let request = next_join_request(&mut scene.heard).await;
    assert_eq!(
        (request.state, request.method.as_deref()),
        (JoinRequestState::Created, Some("linked_group_join"))
    );
    assert_eq!(request.community, Some(scene.community.clone()));
    let waiting = scene.anna.join_requests(&frogs, options()).await.unwrap();
    assert_eq!(waiting[0].community, Some(scene.community.clone()));

    // Whoever is thrown out of the community is out of everything.
    let gone =
        scene.anna.remove_from_community(&scene.community, &[scene.cara.jid()], options()).await.unwrap();
    assert_eq!((gone[0].refused, gone[0].who.phone.clone()), (None, Some(pn(CARA))));
    assert_eq!(scene.members(&scene.announcements), [ANNA, BEN]);
    scene.ben.leave_community(&scene.community, options()).await.unwrap();
    assert_eq!(scene.members(&fish), [ANNA]);
    assert_eq!(scene.members(&scene.community), [ANNA]);
    for group in [&fish, &scene.community, &scene.announcements] {
        let out = scene.ben.group(group, false, options()).await;
        assert_eq!(status(out.map(drop)), (Code::Forbidden, 403));
    }
    let again = scene.ben.leave_community(&scene.community, options()).await;
    assert_eq!(status(again), (Code::NotFound, 404));
    scene.end().await;
}

#[tokio::test]
async fn a_community_changes_hands_and_ends() {
    let mut scene = Scene::set().await;
    let options = CallOptions::default;
    let birds = scene.group("Birds", &[pn(BEN)]).await;
    for _ in 0..3 {
        next_joined(&mut scene.ben_heard).await;
    }
    let denied = scene.ben.create_group("Own", &[], in_community(&scene), options()).await;
    assert_eq!(status(denied.map(drop)), (Code::Forbidden, 403));
    let all = GroupSetting::MembersMayCreateGroups;
    scene.anna.set_group_setting(&scene.community, all, true, options()).await.unwrap();
    let changed = next_changed(&mut scene.ben_heard).await;
    assert_eq!(changed.change, GroupChange::MembersMayCreateGroups(true));
    let own = scene.ben.create_group("Own", &[], in_community(&scene), options()).await.unwrap().group;
    assert_eq!(own.community, Some(scene.community.clone()));

    let community = scene.world.sandbox.find_group(&scene.community).unwrap();
    let suggested = community.suggest(BEN, "Gulls", "white ones").unwrap();
    let told = next_suggested(&mut scene.heard).await;
    assert!(told.open && told.suggestions[0].id == suggested);
    let waiting = scene.anna.group_suggestions(&scene.community, options()).await.unwrap();
    assert_eq!(
        (waiting[0].subject.as_str(), waiting[0].description.as_deref()),
        ("Gulls", Some("white ones"))
    );
    assert_eq!(waiting[0].creator.as_ref().unwrap().phone, Some(pn(BEN)));
    community.end_suggestion(BEN, &suggested, "cancelled").unwrap();
    let told = next_suggested(&mut scene.heard).await;
    assert_eq!((told.open, told.reason.as_deref()), (false, Some("cancelled")));

    let not_owner = scene.ben.transfer_community(&scene.community, &pn(BEN), options()).await;
    assert_eq!(status(not_owner), (Code::Forbidden, 403));
    scene.anna.transfer_community(&scene.community, &pn(BEN), options()).await.unwrap();
    let group = scene.anna.group(&scene.community, false, options()).await.unwrap();
    let role = |number| group.participants.iter().find(|one| one.who.phone == Some(pn(number))).unwrap().role;
    assert_eq!((role(ANNA), role(BEN)), (Role::Admin, Role::SuperAdmin));
    let not_owner = scene.anna.deactivate_community(&scene.community, options()).await;
    assert_eq!(status(not_owner), (Code::Forbidden, 403));
    scene.ben.deactivate_community(&scene.community, options()).await.unwrap();
    let told = next_linked_out(&mut scene.heard).await;
    assert_eq!(told, Some("delete_parent".to_owned()));
    let mut left = vec![next_left(&mut scene.heard).await.chat.id, next_left(&mut scene.heard).await.chat.id];
    left.sort();
    let mut expected = [scene.community.clone(), scene.announcements.clone()];
    expected.sort();
    assert_eq!(left, expected);
    for client in [&scene.anna, &scene.ben] {
        let group = client.group(&birds, false, options()).await.unwrap();
        assert_eq!((group.community, group.participants.len()), (None, 2));
        let gone = client.community_groups(&scene.community, false, options()).await;
        assert_eq!(status(gone.map(drop)), (Code::NotFound, 404));
    }
    scene.end().await;
}

fn in_community(scene: &Scene) -> GroupOptions {
    let mut setup = GroupOptions::default();
    setup.community = Some(scene.community.clone());
    setup
}

/// Why the next group was taken out of a community.
async fn next_linked_out(events: &mut EventStream) -> Option<String> {
    loop {
        let told = next_linked(events).await;
        if !told.linked && told.relation == GroupRelation::Community {
            return told.reason;
        }
    }
}
