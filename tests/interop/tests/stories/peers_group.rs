//! Baileys, whatsmeow and a phone talk in a group, while connections and members come and go.

use whimbrel_interop::Program;
use whimbrel_sandbox::phone::{Phone, SwitchChange};
use whimbrel_sandbox::{Addressing, Group, Jid, NewGroup};

use crate::support::{Circle, Device, Stage};

const ANA: &str = "15550001";
const BEN: &str = "15550002";
const CARA: &str = "15550003";
const DAN: &str = "15550004";

#[tokio::test]
async fn three_makes_talk_in_a_group_that_names_its_members_by_hidden_numbers() {
    tell(Addressing::Lid, "peers-group-lid").await;
}

#[tokio::test]
async fn three_makes_talk_in_a_group_that_names_its_members_by_phone_numbers() {
    tell(Addressing::Pn, "peers-group-pn").await;
}

#[tokio::test]
async fn a_group_goes_on_when_it_names_its_members_in_another_way() {
    let stage = Stage::new("peers-group-switched").await;
    let cast = Cast::come_together(&stage).await;
    let group = cast.group(&stage, Addressing::Pn);
    let devices = [&cast.baileys, &cast.whatsmeow];
    let mut circle = Circle::new(&group, &devices, &cast.phones());
    circle.all_say(3).await;
    for addressing in [Addressing::Lid, Addressing::Pn, Addressing::Lid] {
        group.set_addressing(addressing);
        circle.all_say(2).await;
        cast.baileys.is_cut_off().await;
        cast.whatsmeow.is_cut_off().await;
        circle.all_say(1).await;
    }
    circle.ends(60).await;
    stage.finish();
}

#[tokio::test]
async fn peers_make_and_change_groups_by_themselves() {
    let stage = Stage::new("peers-make-groups").await;
    let cast = Cast::come_together(&stage).await;
    let jids = [&cast.ana, &cast.ben, &cast.cara, &cast.dan].map(|phone| phone.jid().to_string());
    let [ana, ben, cara, dan] = jids.each_ref().map(String::as_str);
    let (by_ana, by_ben) = (cast.baileys.as_peer(), cast.whatsmeow.as_peer());
    for (maker, other, first) in [(by_ana, by_ben, ben), (by_ben, by_ana, ana)] {
        let group = maker.create_group("Fish", &[first, cara]).await.unwrap();
        other.group_change(&group, "create").await.unwrap();
        let info = other.group_info(&group).await.unwrap();
        assert_eq!((info.subject.as_str(), info.addressing.as_str(), info.members.len()), ("Fish", "lid", 3));
        let jid = Jid::parse(&group).unwrap();
        let known = stage.sandbox.find_group(&jid).unwrap();
        // An ordinary member may not promote anybody.
        other.change_members(&group, "promote", &[cara]).await.unwrap_err();
        maker.change_members(&group, "promote", &[first]).await.unwrap();
        other.group_change(&group, "promote").await.unwrap();
        other.change_members(&group, "add", &[dan]).await.unwrap();
        maker.group_change(&group, "add").await.unwrap();
        let devices = [&cast.baileys, &cast.whatsmeow];
        let mut circle = Circle::new(&known, &devices, &cast.phones());
        circle.all_say(2).await;
        maker.change_members(&group, "remove", &[dan]).await.unwrap();
        other.group_change(&group, "remove").await.unwrap();
        circle.all_say(1).await;
        other.leave_group(&group).await.unwrap();
        maker.group_change(&group, "remove").await.unwrap();
        circle.all_say(1).await;
        circle.ends(15).await;
        assert_eq!(known.state().unwrap().members.len(), 2);
    }
    stage.finish();
}

/// Four people with phones that report what they read, two of them with a companion.
struct Cast {
    ana: Phone,
    ben: Phone,
    cara: Phone,
    dan: Phone,
    baileys: Device,
    whatsmeow: Device,
}

impl Cast {
    async fn come_together(stage: &Stage) -> Self {
        let ana = stage.person(ANA, "Ana").await;
        let ben = stage.person(BEN, "Ben").await;
        let cara = stage.person(CARA, "Cara").await;
        let dan = stage.person(DAN, "Dan").await;
        let (baileys, whatsmeow) =
            tokio::join!(stage.peer(Program::Baileys, &ana), stage.peer(Program::Whatsmeow, &ben));
        for phone in [&ana, &ben, &cara, &dan] {
            phone.set_switches(SwitchChange { silent: Some(false), ..SwitchChange::default() });
        }
        Self { ana, ben, cara, dan, baileys, whatsmeow }
    }

    fn phones(&self) -> [&Phone; 4] {
        [&self.ana, &self.ben, &self.cara, &self.dan]
    }

    /// A group of Ana, Ben and Cara.
    fn group(&self, stage: &Stage, addressing: Addressing) -> Group {
        let group = NewGroup {
            creator: ANA.to_owned(),
            subject: "Birds".to_owned(),
            members: vec![BEN.to_owned(), CARA.to_owned()],
            addressing: Some(addressing),
        };
        stage.sandbox.create_group(&group).unwrap()
    }
}

async fn tell(addressing: Addressing, story: &str) {
    let stage = Stage::new(story).await;
    let cast = Cast::come_together(&stage).await;
    let Cast { cara, baileys, whatsmeow, .. } = &cast;
    let group = cast.group(&stage, addressing);
    let mut circle = Circle::new(&group, &[baileys, whatsmeow], &cast.phones());
    circle.all_say(5).await;
    circle.all_quote().await;

    // Connections come and go.
    for (away, other) in [(whatsmeow, baileys), (baileys, whatsmeow)] {
        circle.goes_away(away).await;
        circle.says(&other.label(), 5).await;
        circle.says(CARA, 5).await;
        circle.hear().await;
        circle.comes_back(away).await;
        circle.all_say(1).await;
        away.is_cut_off().await;
        circle.all_say(1).await;
    }

    // Members come and go: a phone, then a person with a companion.
    group.add(ANA, &[DAN]).unwrap();
    circle.all_say(2).await;
    group.remove(ANA, &[CARA]).unwrap();
    circle.all_say(2).await;
    group.add(BEN, &[CARA]).unwrap();
    circle.all_say(2).await;
    group.leave(BEN).unwrap();
    circle.all_say(2).await;
    group.add(ANA, &[BEN]).unwrap();
    circle.all_say(2).await;

    // Damaged on the way out: whoever cannot read asks again.
    for _ in 0..2 {
        cara.set_switches(SwitchChange { damage_next: Some(1), ..SwitchChange::default() });
        circle.says(CARA, 2).await;
        circle.hear().await;
    }
    circle.ends(100).await;
    stage.finish();
}
