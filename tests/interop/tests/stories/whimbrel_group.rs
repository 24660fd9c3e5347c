//! Clients of ours, Baileys, whatsmeow and phones talk in a group, two devices a side, while connections and members
//! come and go.

use whimbrel_interop::Program;
use whimbrel_sandbox::phone::{Phone, SwitchChange};
use whimbrel_sandbox::{Addressing, Fault, FaultRule, Group, NewGroup, StanzaMatch};

use crate::support::{Circle, Device, Stage};

const ANA: &str = "15550001";
const BEN: &str = "15550002";
const CARA: &str = "15550003";
const DAN: &str = "15550004";

#[tokio::test]
async fn two_devices_a_side_talk_in_a_group_that_names_its_members_by_hidden_numbers() {
    tell(Addressing::Lid, "whimbrel-group-lid").await;
}

#[tokio::test]
async fn two_devices_a_side_talk_in_a_group_that_names_its_members_by_phone_numbers() {
    tell(Addressing::Pn, "whimbrel-group-pn").await;
}

#[tokio::test]
async fn a_group_goes_on_when_it_names_its_members_in_another_way() {
    let stage = Stage::new("whimbrel-group-switched").await;
    let cast = Cast::come_together(&stage).await;
    let group = cast.group(&stage, Addressing::Pn);
    let devices = cast.devices();
    let mut circle = Circle::new(&group, &devices, &cast.phones());
    circle.all_say(2).await;
    for addressing in [Addressing::Lid, Addressing::Pn, Addressing::Lid] {
        group.set_addressing(addressing);
        circle.all_say(2).await;
    }
    circle.ends(60).await;
    stage.finish();
}

/// Ana has a client of ours and Baileys, Ben whatsmeow and a client of ours; Cara and Dan have phones.
struct Cast {
    ana: Phone,
    ben: Phone,
    cara: Phone,
    dan: Phone,
    at_ana: [Device; 2],
    at_ben: [Device; 2],
}

impl Cast {
    async fn come_together(stage: &Stage) -> Self {
        let ana = stage.person(ANA, "Ana").await;
        let ben = stage.person(BEN, "Ben").await;
        let cara = stage.person(CARA, "Cara").await;
        let dan = stage.person(DAN, "Dan").await;
        let (baileys, whatsmeow) =
            tokio::join!(stage.peer(Program::Baileys, &ana), stage.peer(Program::Whatsmeow, &ben));
        let at_ana = [stage.whimbrel(&ana).await, baileys];
        let at_ben = [stage.whimbrel(&ben).await, whatsmeow];
        for phone in [&ana, &ben, &cara, &dan] {
            phone.set_switches(SwitchChange { silent: Some(false), ..SwitchChange::default() });
        }
        Self { ana, ben, cara, dan, at_ana, at_ben }
    }

    fn phones(&self) -> [&Phone; 4] {
        [&self.ana, &self.ben, &self.cara, &self.dan]
    }

    fn devices(&self) -> Vec<&Device> {
        self.at_ana.iter().chain(&self.at_ben).collect()
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
    let group = cast.group(&stage, addressing);
    let devices = cast.devices();
    let mut circle = Circle::new(&group, &devices, &cast.phones());
    circle.all_say(3).await;
    circle.all_quote().await;

    // Connections come and go.
    for away in &devices {
        circle.goes_away(away).await;
        for speaker in &devices {
            if speaker.label() != away.label() {
                circle.says(&speaker.label(), 2).await;
                circle.hear().await;
            }
        }
        circle.comes_back(away).await;
        circle.says(&away.label(), 1).await;
        circle.hear().await;
        away.is_cut_off().await;
        circle.says(CARA, 1).await;
        circle.hear().await;
    }

    // Members come and go: a phone, then a person with two companions. Devices hear of it first: what they write
    // before reaches newcomers twice over, by the hash and because they ask, and whatsmeow shows both.
    group.add(ANA, &[DAN]).unwrap();
    stage.is_quiet().await;
    circle.all_say(1).await;
    let before = stage.group_keys(&cast.at_ana[0]);
    group.remove(ANA, &[CARA]).unwrap();
    circle.all_say(1).await;
    group.add(BEN, &[CARA]).unwrap();
    stage.is_quiet().await;
    circle.all_say(1).await;
    // What ours writes from then on is not for whom held the key before; the peers read it.
    let after = stage.group_keys(&cast.at_ana[0]);
    assert_ne!(before.last(), after.last());
    group.leave(BEN).unwrap();
    circle.all_say(1).await;
    group.add(ANA, &[BEN]).unwrap();
    stage.is_quiet().await;
    circle.all_say(1).await;

    // Damaged on the way: whoever cannot read asks again, and gets it.
    cast.cara.set_switches(SwitchChange { damage_next: Some(1), ..SwitchChange::default() });
    circle.says(CARA, 2).await;
    circle.hear().await;
    for reader in &devices {
        let corrupt = FaultRule::new(Fault::Corrupt).device(reader.label());
        stage.sandbox.add_fault(corrupt.stanza(StanzaMatch::tag("message")));
        for speaker in [&cast.at_ana[0], &cast.at_ben[0]] {
            if speaker.label() != reader.label() {
                circle.says(&speaker.label(), 2).await;
                circle.hear().await;
            }
        }
    }
    circle.ends(100).await;
    stage.finish();
}
