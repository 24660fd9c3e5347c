//! A client of ours chats with a peer of either make, while connections come and go.

use whimbrel_interop::Program;
use whimbrel_sandbox::{Fault, FaultRule, LidStanding, StanzaMatch};

use crate::support::{Device, Stage, Talk};

/// A client of ours for Ana, and a peer for Ben.
pub(crate) async fn ana_and_ben(stage: &Stage, program: Program) -> (Device, Device) {
    let ana = stage.person("15550001", "Ana").await;
    let ben = stage.person("15550002", "Ben").await;
    (stage.whimbrel(&ana).await, stage.peer(program, &ben).await)
}

/// Both come and go, by themselves and by cuts, and what is said meanwhile waits for them.
pub(crate) async fn through_reconnects(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (whimbrel, peer) = ana_and_ben(&stage, program).await;
    let mut talk = Talk::between(&whimbrel, &peer);
    talk.both_say(10).await;

    // Ours is away, then the peer.
    whimbrel.leave().await;
    talk.right_says(10).await;
    whimbrel.come_back().await;
    talk.left_hears().await;
    peer.leave().await;
    talk.left_says(10).await;
    peer.come_back().await;
    talk.right_hears().await;
    talk.both_say(5).await;

    // The service cuts them off.
    whimbrel.is_cut_off().await;
    talk.both_say(5).await;
    peer.is_cut_off().await;
    talk.both_say(5).await;

    // Cut off in the middle: of sending, before and after the service has the message; of being sent to.
    for fault in [Fault::Cut, Fault::CutBeforeAnswer] {
        stage.sandbox.add_fault(
            FaultRule::new(fault).device(whimbrel.label()).stanza(StanzaMatch::tag("message")).skip(2),
        );
        talk.left_says(5).await;
        talk.right_hears().await;
    }
    let receipt = StanzaMatch::tag("receipt");
    stage.sandbox.add_fault(FaultRule::new(Fault::Cut).device(whimbrel.label()).stanza(receipt).skip(3));
    talk.right_says(10).await;
    talk.left_hears().await;

    talk.both_say(5).await;
    talk.both_quote().await;
    talk.ends(&stage).await;
    stage.finish();
}

/// Messages that are damaged on the way are asked for again, by either side, and come.
pub(crate) async fn through_damage(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (whimbrel, peer) = ana_and_ben(&stage, program).await;
    let mut talk = Talk::between(&whimbrel, &peer);
    let damage = |device: &Device| {
        let rule = FaultRule::new(Fault::Corrupt).device(device.label());
        stage.sandbox.add_fault(rule.stanza(StanzaMatch::tag("message")));
    };

    // The very first message, which sets the session up, and one of a session in use, each way.
    for _ in 0..2 {
        damage(&peer);
        talk.left_says(1).await;
        talk.right_hears().await;
        damage(&whimbrel);
        talk.right_says(1).await;
        talk.left_hears().await;
        talk.both_say(2).await;
    }
    talk.both_say(50).await;
    talk.ends(&stage).await;
    stage.finish();
}

/// The account of one side moves to LIDs while both write: before, in between, and while the other is away. Nothing is
/// lost or comes twice, and to ours it is one chat.
pub(crate) async fn through_migration(program: Program, ana: LidStanding, ben: LidStanding, story: &str) {
    let stage = Stage::new(story).await;
    let anas = stage.person_standing("15550001", "Ana", ana).await;
    let bens = stage.person_standing("15550002", "Ben", ben).await;
    let (whimbrel, peer) = (stage.whimbrel(&anas).await, stage.peer(program, &bens).await);
    let mut talk = Talk::between(&whimbrel, &peer);
    talk.right_says(5).await;
    talk.left_hears().await;
    talk.both_say(15).await;

    for (device, standing) in [(&whimbrel, ana), (&peer, ben)] {
        if standing != LidStanding::Migrated {
            stage.migrate(device).await;
        }
    }
    talk.both_say(15).await;
    talk.by_lid(true);
    talk.both_say(15).await;

    // What comes after a time away is by another address than what came before it.
    whimbrel.leave().await;
    talk.by_lid(false);
    talk.right_says(5).await;
    talk.by_lid(true);
    talk.right_says(5).await;
    whimbrel.come_back().await;
    talk.left_hears().await;
    talk.both_say(5).await;
    talk.both_quote().await;
    talk.by_lid(false);
    talk.both_say(5).await;

    let (number, lid) = (bens.jid().to_string(), bens.lid().to_string());
    let moved = ben == LidStanding::PnOnly;
    let chats = if moved { vec![number.as_str(), lid.as_str()] } else { vec![lid.as_str()] };
    assert_eq!(talk.left_chats(), chats, "one chat, whatever the address");
    talk.ends(&stage).await;
    stage.finish();
}
