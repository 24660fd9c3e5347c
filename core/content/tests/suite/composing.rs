//! What hosts compose: that it says what it should, and what is refused.

use whimbrel_content::classify::Class;
use whimbrel_content::compose::{self, Draft, Envelope, Original, Refused};
use whimbrel_content::context::Timer;
use whimbrel_content::key::{Arrival, Key, Own};
use whimbrel_content::kinds::call::CallLog;
use whimbrel_content::kinds::event::Event;
use whimbrel_content::kinds::interactive::{Action, Button, Interactive, NativeFlow};
use whimbrel_content::kinds::media::{Audio, Document, Image, Video};
use whimbrel_content::kinds::menu::{List, Row, Section};
use whimbrel_content::kinds::place::{Location, Point};
use whimbrel_content::kinds::poll::{Poll, PollForm};
use whimbrel_content::kinds::sticker::{Album, Sticker};
use whimbrel_content::kinds::text::Text;
use whimbrel_content::unwrap::Wrapper;
use whimbrel_content::{Content, classify, stanza};
use whimbrel_proto::e2e::Message;
use whimbrel_wire::Jid;

const SECRET: [u8; 32] = [7; 32];

fn text(words: &str) -> Draft {
    Draft::new(Content::Text(Text::new(words)))
}

fn message(draft: Draft) -> Message {
    draft.compose(SECRET).unwrap().message
}

fn refused(content: Content) -> Refused {
    Draft::new(content).compose(SECRET).unwrap_err()
}

fn poll(options: &[&str]) -> Poll {
    let options = options.iter().map(|option| (*option).to_owned()).collect();
    Poll { name: "Lunch?".to_owned(), options, selectable: 1, ..Poll::default() }
}

/// Types what was composed as its receiver does.
fn received(message: Message) -> Class {
    let ben = Jid::lid("7");
    let people = Own { phone: None, lid: Some(Jid::lid("9")) };
    let received = classify(message, &Arrival { chat: &ben, sender: &ben, people: &people });
    assert_eq!(received.secret.as_ref().map(|secret| secret.expose()), Some(&SECRET[..]));
    received.class
}

#[test]
fn plain_words_stay_plain_unless_something_is_around_them() {
    let plain = message(text("hi"));
    assert_eq!(plain.conversation.as_deref(), Some("hi"));
    let quote = compose::quote("3EB0", &Jid::lid("8").with_device(2), None, &plain).unwrap();
    assert_eq!(quote.author, Some(Jid::lid("8")));
    let reply = message(text("yes").quoting(quote));
    assert!(reply.conversation.is_none());
    let Class::Message(shown) = received(reply.clone()) else { panic!() };
    let quote = shown.context.quote.unwrap();
    assert_eq!(quote.content(), Some(Content::Text(Text::new("hi"))));
    // A quote of the reply has no quote in it, and no secret.
    let of_reply = compose::quote("3EB1", &Jid::lid("9"), None, &reply).unwrap().copy.unwrap();
    assert!(of_reply.message_context_info.is_none());
    assert!(of_reply.extended_text_message.unwrap().context_info.is_none());
    let timer = Timer { seconds: 86_400, set_at: Some(5), ..Timer::default() };
    let Class::Message(shown) = received(message(text("hi").with_timer(timer.clone()))) else { panic!() };
    assert_eq!(shown.context.timer, Some(timer));
}

#[test]
fn view_once_has_wrapper_and_flag() {
    for (content, wrapper) in [
        (Content::Image(Image::default()), Wrapper::ViewOnceV2),
        (Content::Video(Video::default()), Wrapper::ViewOnceV2),
        (Content::Voice(Audio::default()), Wrapper::ViewOnceV2Extension),
    ] {
        let message = message(Draft { view_once: true, ..Draft::new(content) });
        assert!(stanza::attributes(&message).meta.view_once);
        assert_eq!(whimbrel_content::unwrap::open(message.clone()).wrappers, [wrapper]);
        assert_eq!(compose::forward(&message, SECRET), Err(Refused::NotForwardable));
        assert_eq!(compose::quote("A", &Jid::lid("7"), None, &message), Err(Refused::NotQuotable));
        assert!(matches!(received(message), Class::Message(shown) if shown.view_once));
    }
    let sticker = Draft { view_once: true, ..Draft::new(Content::Sticker(Sticker::default())) };
    assert_eq!(sticker.compose(SECRET), Err(Refused::NotViewOnce));
}

#[test]
fn wrappers_go_where_receivers_look_for_them() {
    let wrappers = |draft| whimbrel_content::unwrap::open(message(draft)).wrappers;
    let document = Document { caption: Some("c".to_owned()), ..Document::default() };
    assert_eq!(wrappers(Draft::new(Content::Document(document))), [Wrapper::DocumentWithCaption]);
    assert_eq!(wrappers(Draft::new(Content::Document(Document::default()))), []);
    let drawn = Sticker { is_lottie: true, ..Sticker::default() };
    assert_eq!(wrappers(Draft::new(Content::Sticker(drawn))), [Wrapper::LottieSticker]);
    let mut to_bot = text("@1 hi");
    to_bot.context.mentions = vec!["867051314767696@bot".parse().unwrap()];
    assert_eq!(wrappers(to_bot), [Wrapper::BotInvoke]);
}

#[test]
fn polls_take_the_form_that_fits() {
    let form = |poll: Poll, announcement| {
        let mut draft = Draft::new(Content::Poll(poll));
        draft.in_announcement_group = announcement;
        match received(message(draft)) {
            Class::Message(shown) => match shown.content {
                Content::Poll(poll) => poll.form,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    let single = poll(&["a", "b"]);
    assert_eq!(form(single.clone(), false), PollForm::Single);
    assert_eq!(form(Poll { selectable: 0, ..single.clone() }, false), PollForm::Multiple);
    assert_eq!(form(single.clone(), true), PollForm::Announcement);
    assert_eq!(form(Poll { open: true, ..single.clone() }, false), PollForm::Extended);
    let quiz = Poll { is_quiz: true, correct: Some("b".to_owned()), ..single };
    assert_eq!(form(quiz, false), PollForm::Quiz);
}

#[test]
fn limits_are_said_before_anything_is_sent() {
    let long = "x".repeat(70_000);
    assert_eq!(text("  ").compose(SECRET), Err(Refused::EmptyText));
    assert_eq!(text(&long).compose(SECRET), Err(Refused::TooLong { what: "text", limit: 65_536 }));
    let options = Refused::Count { what: "options", fewest: 2, most: 12 };
    assert_eq!(refused(Content::Poll(poll(&["a"]))), options);
    assert_eq!(refused(Content::Poll(poll(&["a", "a"]))), Refused::SameOption);
    let wrong = Poll { is_quiz: true, correct: Some("c".to_owned()), ..poll(&["a", "b"]) };
    assert_eq!(refused(Content::Poll(wrong)), Refused::NoSuchAnswer);
    assert_eq!(
        refused(Content::Event(Event { name: "e".to_owned(), ..Event::default() })),
        Refused::Missing("starts_at")
    );
    let backwards = Event { name: "e".to_owned(), starts_at: Some(9), ends_at: Some(8), ..Event::default() };
    assert_eq!(refused(Content::Event(backwards)), Refused::EndsBeforeStart);
    let note = Video { caption: Some("c".to_owned()), ..Video::default() };
    assert_eq!(refused(Content::VideoNote(note)), Refused::NoCaption);
    let voice = Audio { waveform: Some(vec![101; 64]), ..Audio::default() };
    assert_eq!(refused(Content::Voice(voice)), Refused::Waveform);
    let nowhere = Location { point: Point { latitude: 91.0, ..Point::default() }, ..Location::default() };
    assert_eq!(refused(Content::Location(nowhere)), Refused::Coordinates);
    assert_eq!(refused(Content::Album(Album { images: 1, videos: 0 })), Refused::Missing("items"));
    assert_eq!(refused(Content::Unsupported), Refused::ReadOnly);
    assert_eq!(refused(Content::CallLog(CallLog::default())), Refused::ReadOnly);
    let status = Draft { is_status: true, ..Draft::new(Content::Sticker(Sticker::default())) };
    assert_eq!(status.compose(SECRET), Err(Refused::NotForStatus));
    let status = message(Draft { is_status: true, ..text("hi") });
    assert!(status.extended_text_message.is_some_and(|text| text.text_argb == Some(0xFFFF_FFFF)));
}

#[test]
fn what_may_not_be_drawn_says_so_and_has_words() {
    let flow = |buttons| {
        Content::Interactive(Interactive {
            body: "Pick".to_owned(),
            footer: Some("foot".to_owned()),
            action: Some(Action::NativeFlow(NativeFlow { buttons, ..NativeFlow::default() })),
            ..Interactive::default()
        })
    };
    let reply = |text| Button::quick_reply(text, "id");
    let composed = Draft::new(flow(vec![reply("Yes"), reply("No")])).compose(SECRET).unwrap();
    assert!(composed.best_effort && !text("x").compose(SECRET).unwrap().best_effort);
    assert_eq!(composed.fallback.as_deref(), Some("Pick\n- Yes\n- No\nfoot"));
    assert_eq!(stanza::attributes(&composed.message).biz, Some(stanza::Biz::Mixed));
    let replies = Refused::Count { what: "quick replies", fewest: 0, most: 3 };
    assert_eq!(refused(flow(vec![reply("a"), reply("b"), reply("c"), reply("d")])), replies);
    let broken = Button { name: "cta_url".to_owned(), params_json: "[".to_owned() };
    assert_eq!(refused(flow(vec![broken])), Refused::ButtonParameters);
    let row = Row { id: "r".to_owned(), title: "R1".to_owned(), description: Some("d".to_owned()) };
    let list = List {
        description: "Choose".to_owned(),
        button: "Open".to_owned(),
        sections: vec![Section { title: None, rows: vec![row] }],
        ..List::default()
    };
    let composed = Draft::new(Content::List(list)).compose(SECRET).unwrap();
    assert_eq!(composed.fallback.as_deref(), Some("Choose\n- R1: d"));
}

#[test]
fn forwards_count_their_hops_and_lose_what_was_around() {
    let first = compose::forward(&message(text("pass it on")), SECRET).unwrap();
    let forwarded = |message: &Message| match received(message.clone()) {
        Class::Message(shown) => shown.context.forwarded.unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(forwarded(&first).score, 0);
    let mut last = first;
    for _ in 0..4 {
        last = compose::forward(&last, SECRET).unwrap();
    }
    assert_eq!((forwarded(&last).score, forwarded(&last).is_many()), (4, false));
    let last = compose::forward(&last, SECRET).unwrap();
    assert_eq!((forwarded(&last).score, forwarded(&last).is_many()), (127, true));
    let mut mentioning = text("@8");
    mentioning.context.mentions = vec![Jid::lid("8")];
    let context =
        compose::forward(&message(mentioning), SECRET).unwrap().extended_text_message.unwrap().context_info;
    assert!(context.unwrap().mentioned_jid.is_empty());
    let asked = message(Draft::new(Content::Poll(poll(&["a", "b"]))));
    assert_eq!(compose::forward(&asked, SECRET), Err(Refused::NotForwardable));
    let limited = Wrapper::LimitSharing.wrap(message(text("x")));
    assert_eq!(compose::forward(&limited, SECRET), Err(Refused::NotForwardable));
}

#[test]
fn only_what_counts_is_done_to_other_messages() {
    let (ben, group) = (Jid::lid("7"), Jid::group("1-2"));
    let (own, foreign) = (Key::own(&ben, "A"), Key::foreign(&group, "A", &ben));
    let words = message(text("hi"));
    let edit = |target, age, words: &Message| {
        compose::edit(&Original { message: words, target, age }, "new", &[], 0).map(|_| ())
    };
    assert_eq!(edit(&own, 1200, &words), Ok(()));
    assert_eq!(edit(&own, 1201, &words), Err(Refused::TooLate));
    assert_eq!(edit(&foreign, 0, &words), Err(Refused::NotOwn));
    let asked = message(Draft::new(Content::Poll(poll(&["a", "b"]))));
    assert_eq!(edit(&own, 0, &asked), Err(Refused::NotEditable));
    let mention = [Jid::lid("8").with_device(1)];
    let edited =
        compose::edit(&Original { message: &words, target: &own, age: 0 }, "@8", &mention, 0).unwrap();
    let content = edited.protocol_message.unwrap().edited_message.unwrap();
    let context = content.extended_text_message.unwrap().context_info.unwrap();
    assert_eq!(context.mentioned_jid, ["8@lid"]);
    assert_eq!(compose::revoke(&foreign), Err(Refused::NotOwn));
    assert_eq!(compose::revoke_as_admin(&own), Err(Refused::RevokeInDirectChat));
    let react = |emoji| compose::reaction(own.clone(), Some(emoji), 0).map(|_| ());
    assert_eq!((react("👍🏽"), react("👩‍👩‍👧"), react("🇧🇷")), (Ok(()), Ok(()), Ok(())));
    for wrong in ["", " ", "👍👍", "ok"] {
        assert_eq!(react(wrong), Err(Refused::NotOneEmoji), "{wrong}");
    }
    assert_eq!(compose::pin(own.clone(), Some(5), 0), Err(Refused::PinDuration));
    assert_eq!(compose::chat_timer(5, 0), Err(Refused::ChatTimer));
    let reaction = compose::reaction(own.clone(), None, 0).unwrap();
    assert_eq!(compose::quote("A", &ben, None, &reaction), Err(Refused::NotQuotable));
    let to = |target| Envelope { target, secret: &SECRET, author: &ben, own: &ben, nonce: [1; 12] };
    let single = poll(&["a", "b"]);
    let vote = |options: &[&str]| {
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        compose::vote(&to(&foreign), &single, &options, 0).map(|_| ())
    };
    assert_eq!((vote(&["a"]), vote(&[])), (Ok(()), Ok(())));
    assert_eq!((vote(&["c"]), vote(&["a", "b"])), (Err(Refused::NotAnOption), Err(Refused::NotAnOption)));
    let add = |target, poll: &Poll, option| compose::poll_option(&to(target), poll, option).map(|_| ());
    assert_eq!(add(&foreign, &single, "c"), Err(Refused::NotOwn));
    let open = Poll { open: true, ..single.clone() };
    assert_eq!((add(&foreign, &open, "c"), add(&foreign, &open, "a")), (Ok(()), Err(Refused::SameOption)));
    assert_eq!(compose::poll_edit(&to(&foreign), single), Err(Refused::NotOwn));
    assert_eq!(compose::event_edit(&to(&own), Event::default()), Err(Refused::Missing("name")));
}

#[test]
fn an_item_of_an_album_names_its_head() {
    let head = Key::own(&Jid::lid("7"), "3EB0");
    let item = message(Draft::new(Content::Image(Image::default())).in_album(head.clone(), Some(1)));
    let Class::Message(shown) = received(item) else { panic!() };
    let association = shown.association.unwrap();
    assert!(!association.replaces_media() && shown.unread);
    assert_eq!((association.parent, association.index), (head, Some(1)));
}
