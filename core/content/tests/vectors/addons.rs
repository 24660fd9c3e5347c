//! Add-ons and their envelopes: read, opened, and made again to the same octets.

use serde_json::Value;
use whimbrel_content::addons::{Addon, EventAnswer, Going, NotOpened, Parent, Sealed};
use whimbrel_content::classify::Class;
use whimbrel_content::compose::{self, Envelope, Original};
use whimbrel_content::key::Key;
use whimbrel_content::kinds::poll::{Poll, option_hash};
use whimbrel_proto::e2e::Message;
use whimbrel_wire::Jid;

use crate::{file, from_phone, vector};

const NOW_MS: i64 = 1_763_640_000_000;

fn addon(id: &str) -> Addon {
    match from_phone(vector(id)).class {
        Class::Addon(addon) => *addon,
        other => panic!("{id}: {other:?}"),
    }
}

fn sealed(id: &str) -> Sealed {
    match addon(id) {
        Addon::Sealed(sealed) => sealed,
        other => panic!("{id}: {other:?}"),
    }
}

/// Vectors, and what the second file says about the envelope in each.
fn envelopes() -> Vec<(&'static str, Value)> {
    let ids = [
        "poll_vote",
        "poll_vote_cleared",
        "event_response",
        "enc_reaction",
        "enc_comment",
        "secret_message_edit",
        "secret_event_edit",
        "secret_poll_edit",
        "secret_poll_add_option",
    ];
    let file = file("messages.json");
    let cases = file["secret_addons"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    ids.into_iter().zip(cases.iter().cloned()).collect()
}

fn secret(case: &Value) -> [u8; 32] {
    hex::decode(case["messageSecret"].as_str().unwrap()).unwrap().try_into().unwrap()
}

fn jid(case: &Value, name: &str) -> Jid {
    case[name].as_str().unwrap().parse().unwrap()
}

#[test]
fn every_envelope_is_opened_whatever_address_is_right() {
    for (id, case) in envelopes() {
        let sealed = sealed(id);
        let secret = secret(&case);
        let (author, modifier) = (jid(&case, "parentAuthor"), jid(&case, "modifier"));
        // Other addresses of the same people come first, and the device of the sender is known.
        let authors = [Jid::lid("77"), Jid::pn("77"), author];
        let modifiers = [Jid::pn("78"), modifier.with_device(3)];
        let parent = Parent { secret: &secret, authors: &authors, modifiers: &modifiers };
        let opened = sealed.open(&parent).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(opened.target(), &sealed.target, "{id}");
        let right = match (&opened, id) {
            (Addon::Vote(vote), "poll_vote") => {
                vote.selected == [option_hash("Yes")] && vote.sent_at_ms == Some(NOW_MS)
            }
            (Addon::Vote(vote), "poll_vote_cleared") => vote.selected.is_empty(),
            (Addon::EventAnswer(answer), _) => {
                (answer.answer, answer.extra_guests) == (Some(Going::Going), Some(2))
            }
            (Addon::Reaction(reaction), _) => reaction.emoji.as_deref() == Some("🎉"),
            (Addon::Comment(comment), _) => comment.content.body().as_deref() == Some("nice post"),
            (Addon::Edit(edit), _) => edit.is_editable() && edit.content.body().is_some(),
            (Addon::EventEdit(edit), _) => edit.event.name == "Party (moved)",
            (Addon::PollEdit(edit), _) => edit.poll.name == "Lunch today?",
            (Addon::PollOption(added), _) => !added.option.is_empty(),
            _ => false,
        };
        assert!(right, "{id}: {opened:?}");
        let strangers = Parent { authors: &[Jid::lid("1")], ..parent };
        assert_eq!(sealed.open(&strangers), Err(NotOpened::WrongSecret), "{id}");
        let broken = Sealed { nonce: vec![1], ..sealed };
        assert_eq!(broken.open(&parent), Err(NotOpened::Malformed), "{id}");
    }
}

#[test]
fn envelopes_that_we_make_are_those_of_the_vectors() {
    let cases = envelopes();
    let make = |id: &str, make: &dyn Fn(&Envelope<'_>) -> Message| {
        let case = &cases.iter().find(|(known, _)| *known == id).unwrap().1;
        let nonce = hex::decode(case["iv"].as_str().unwrap()).unwrap().try_into().unwrap();
        let (secret, target) = (secret(case), addon(id).target().clone());
        let (author, own) = (jid(case, "parentAuthor"), jid(case, "modifier"));
        make(&Envelope { target: &target, secret: &secret, author: &author, own: &own, nonce })
    };
    let poll = Poll { options: vec!["Yes".to_owned(), "No".to_owned()], selectable: 1, ..Poll::default() };
    let vote = |options: &[String]| {
        let (poll, options) = (poll.clone(), options.to_vec());
        move |to: &Envelope<'_>| compose::vote(to, &poll, &options, NOW_MS).unwrap()
    };
    assert_eq!(make("poll_vote", &vote(&["Yes".to_owned()])), vector("poll_vote"));
    assert_eq!(make("poll_vote_cleared", &vote(&[])), vector("poll_vote_cleared"));
    let answer = |to: &Envelope<'_>| {
        let answer = EventAnswer {
            target: Key::default(),
            answer: Some(Going::Going),
            sent_at_ms: Some(NOW_MS),
            extra_guests: Some(2),
        };
        compose::event_answer(to, &answer).unwrap()
    };
    assert_eq!(make("event_response", &answer), vector("event_response"));
    let react = |to: &Envelope<'_>| compose::sealed_reaction(to, Some("🎉"), NOW_MS).unwrap();
    assert_eq!(make("enc_reaction", &react), vector("enc_reaction"));
    let original = vector("enc_comment");
    let comment = |to: &Envelope<'_>| {
        let mut comment = vector("comment").comment_message.unwrap().message.unwrap();
        comment.message_context_info.clone_from(&original.message_context_info);
        compose::comment(to, *comment).unwrap()
    };
    assert_eq!(make("enc_comment", &comment), original);
}

#[test]
fn plain_addons_that_we_make_are_those_of_the_vectors() {
    let without_secret = |id: &str| {
        let mut message = vector(id);
        if let Some(info) = &mut message.message_context_info {
            info.message_secret = None;
            if **info == Default::default() {
                message.message_context_info = None;
            }
        }
        message
    };
    let ben = Jid::pn("15550001002");
    let group = Jid::group("120363000000000001");
    let (theirs, ours) = (Key::foreign(&ben, "3EB0EE", &ben), Key::own(&ben, "3EB0A9253FA64269E11C9D"));
    let in_group = |id| Key::foreign(&group, id, &Jid::lid("100000000000002"));
    let react = |key: &Key, emoji| compose::reaction(key.clone(), emoji, NOW_MS).unwrap();
    assert_eq!(react(&theirs, Some("👍")), without_secret("reaction"));
    assert_eq!(react(&in_group("3EB0EE"), Some("👍")), without_secret("reaction_group"));
    assert_eq!(react(&theirs, None), without_secret("reaction_remove"));
    assert_eq!(compose::pin(theirs.clone(), Some(604_800), NOW_MS).unwrap(), without_secret("pin"));
    assert_eq!(compose::pin(theirs.clone(), None, NOW_MS).unwrap(), without_secret("unpin"));
    assert_eq!(compose::keep(theirs, true, NOW_MS), without_secret("keep"));
    assert_eq!(compose::keep(Key::own(&ben, "3EB0EE"), false, NOW_MS), without_secret("unkeep_own"));
    assert_eq!(compose::revoke(&ours).unwrap(), without_secret("revoke_own"));
    assert_eq!(compose::revoke_as_admin(&in_group("3EB0FF")).unwrap(), without_secret("revoke_admin"));
    let text = vector("text_extended");
    let edited =
        compose::edit(&Original { message: &text, target: &ours, age: 5 }, "fixed", &[], NOW_MS).unwrap();
    assert_eq!(edited, without_secret("edit"));
    let before = vector("edit_caption").protocol_message.unwrap().edited_message.unwrap();
    let original = Original { message: &before, target: &ours, age: 5 };
    let edited = compose::edit(&original, "new caption", &[], NOW_MS).unwrap();
    assert_eq!(edited, without_secret("edit_caption"));
    assert_eq!(compose::share_phone_number(), without_secret("share_phone_number"));
    assert_eq!(compose::chat_privacy(true, NOW_MS), without_secret("limit_sharing"));
    assert_eq!(
        compose::chat_timer(604_800, NOW_MS / 1000).unwrap(),
        without_secret("ephemeral_setting_bare")
    );
    assert_eq!(
        compose::member_label("Goalkeeper", NOW_MS / 1000).unwrap(),
        without_secret("group_member_label")
    );
}

#[test]
fn the_three_forms_of_an_edit_are_one() {
    for id in ["edit", "edit_wrapped"] {
        let Addon::Edit(edit) = addon(id) else { panic!("{id}") };
        assert_eq!(edit.content.body().as_deref(), Some("fixed"), "{id}");
        assert_eq!((edit.sent_at_ms, edit.target.from_me), (Some(NOW_MS), true), "{id}");
    }
}
