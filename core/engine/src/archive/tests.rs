//! What every archive must do, run against each kind of store.

use whimbrel_content::addons::Going;
use whimbrel_proto::e2e::Message;
use whimbrel_proto::encode;
use whimbrel_wire::Jid;

use super::query::{ChatQuery, ContactQuery, MessageQuery, search};
use super::row::{
    AnswerRow, ArchiveChange, Author, ChatRow, KeepRow, MessageRow, PastMemberRow, PersonRow, PinRow,
    ReactionRow, SentStatus, Target, Times, VoteRow,
};
use crate::store::{Changes, MemoryStore, SqliteStore, Store};

fn text(text: &str) -> Vec<u8> {
    encode(&Message { conversation: Some(text.to_owned()), ..Message::default() })
}

fn ana() -> Jid {
    Jid::lid("7")
}

fn message(chat: &Jid, author: Author, id: &str, timestamp: i64, words: &str) -> ArchiveChange {
    ArchiveChange::Message(Box::new(MessageRow {
        chat: chat.clone(),
        status: author.is_none().then_some(SentStatus::Pending),
        unread: author.is_some(),
        author,
        message_id: id.to_owned(),
        timestamp,
        content: text(words),
        starred: false,
        notice: None,
    }))
}

fn target(chat: &Jid, id: &str, author: Option<Author>) -> Target {
    Target { chat: chat.clone(), message_id: id.to_owned(), author }
}

fn write(store: &dyn Store, archive: Vec<ArchiveChange>) {
    store.commit(&Changes { archive, ..Changes::default() }).unwrap();
}

fn ids(store: &dyn Store, query: &MessageQuery) -> Vec<String> {
    let query = MessageQuery { limit: 100, ..query.clone() };
    store.find_messages(&query).unwrap().into_iter().map(|found| found.message_id).collect()
}

fn found_by(store: &dyn Store, words: &str) -> Vec<String> {
    while store.index_archive(2).unwrap() {}
    ids(store, &MessageQuery { words: search(words), ..MessageQuery::default() })
}

/// Runs a test against each kind of store.
fn each(test: fn(&dyn Store)) {
    test(&MemoryStore::default());
    let folder = std::env::temp_dir().join(format!(
        "whimbrel-archive-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    test(&SqliteStore::open(&folder.join("a.db"), false).unwrap());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn messages_are_found_by_chat_time_id_and_page() {
    each(|store| {
        let group = Jid::group("1-2");
        write(
            store,
            vec![
                message(&ana(), Some(ana()), "A", 10, "one"),
                message(&ana(), None, "B", 12, "two"),
                message(&group, Some(ana()), "C", 11, "three"),
                message(&ana(), Some(ana()), "D", 12, "four"),
            ],
        );
        let all = MessageQuery::default();
        assert_eq!(ids(store, &all), ["D", "B", "C", "A"]);
        let in_chat = MessageQuery { chat: Some(ana()), ..MessageQuery::default() };
        assert_eq!(ids(store, &in_chat), ["D", "B", "A"]);
        assert_eq!(ids(store, &MessageQuery { after: Some(11), before: Some(12), ..all.clone() }), ["C"]);
        assert_eq!(ids(store, &MessageQuery { author: Some(None), ..all.clone() }), ["B"]);
        assert_eq!(ids(store, &MessageQuery { message_id: Some("C".into()), ..all.clone() }), ["C"]);
        let first = store.find_messages(&MessageQuery { limit: 2, ..in_chat.clone() }).unwrap();
        let from = Some(first.last().unwrap().position);
        assert_eq!(ids(store, &MessageQuery { from, ..in_chat }), ["A"]);
        let nobody = MessageQuery { chat: Some(Jid::lid("404")), ..MessageQuery::default() };
        assert!(ids(store, &nobody).is_empty());
    });
}

#[test]
fn words_are_found_without_regard_to_letters_and_accents() {
    each(|store| {
        write(
            store,
            vec![
                message(&ana(), None, "A", 1, "The Curlew sings"),
                message(&ana(), None, "B", 2, "Café au lait"),
                message(&ana(), None, "C", 3, "nothing here"),
            ],
        );
        assert_eq!(found_by(store, "curl"), ["A"]);
        assert_eq!(found_by(store, "sings THE"), ["A"]);
        assert_eq!(found_by(store, "cafe"), ["B"]);
        assert!(found_by(store, "curlew lait").is_empty());
        // Also what comes after the index was made, and what changes under it.
        write(store, vec![message(&ana(), None, "D", 4, "another curlew")]);
        assert_eq!(found_by(store, "curlew"), ["D", "A"]);
        write(
            store,
            vec![
                ArchiveChange::Edited(target(&ana(), "A", None), text("The plover sings"), 9000),
                ArchiveChange::Revoked(target(&ana(), "D", None), None, 10),
            ],
        );
        assert!(found_by(store, "curlew").is_empty());
        assert_eq!(found_by(store, "plover"), ["A"]);
    });
}

#[test]
fn a_message_that_comes_again_stays_as_it_is() {
    each(|store| {
        write(store, vec![message(&ana(), Some(ana()), "A", 10, "first")]);
        write(
            store,
            vec![
                ArchiveChange::Edited(target(&ana(), "A", None), text("edited"), 11_000),
                message(&ana(), Some(ana()), "A", 10, "first"),
                ArchiveChange::Edited(target(&ana(), "A", None), text("older"), 10_500),
            ],
        );
        let found = store.find_messages(&MessageQuery { limit: 9, ..MessageQuery::default() }).unwrap();
        assert_eq!((found.len(), found[0].content.clone()), (1, text("edited")));
        assert_eq!(found[0].edited_at_ms, Some(11_000));
        let chats = store.find_chats(&ChatQuery { limit: 9, ..ChatQuery::default() }).unwrap();
        assert_eq!((chats[0].unread, chats[0].position.timestamp), (1, 10));
    });
}

#[test]
fn what_is_known_of_a_sent_message_only_grows() {
    each(|store| {
        let (chat, ben) = (Jid::group("1-2"), Jid::lid("8"));
        let own = || target(&chat, "A", Some(None));
        let times = |who: &Jid, times| ArchiveChange::Times {
            chat: Jid::group("1-2"),
            message_ids: vec!["A".into(), "unknown".into()],
            who: Some(who.clone()),
            times,
        };
        let delivered = |at| Times { delivered_at: Some(at), ..Times::default() };
        let read = |at| Times { read_at: Some(at), ..Times::default() };
        write(
            store,
            vec![
                message(&chat, None, "A", 10, "hi"),
                times(&ana(), read(14)),
                ArchiveChange::Status(own(), SentStatus::Sent, 11),
                times(&ana(), delivered(13)),
                times(&ana(), delivered(15)),
                times(&ben, delivered(16)),
            ],
        );
        let details = store.message_details(&target(&chat, "A", None)).unwrap().unwrap();
        assert_eq!(details.message.status, Some(SentStatus::Read));
        assert_eq!(details.message.position.timestamp, 11);
        let both = Times { delivered_at: Some(13), read_at: Some(14), played_at: None };
        assert_eq!(details.receipts, [(ana(), both), (ben, delivered(16))]);
        write(store, vec![ArchiveChange::Status(own(), SentStatus::Failed, 0)]);
        let details = store.message_details(&own()).unwrap().unwrap();
        assert_eq!(details.message.status, Some(SentStatus::Failed));
        assert_eq!(store.message_details(&target(&chat, "B", None)).unwrap(), None);
    });
}

#[test]
fn the_newest_reaction_and_vote_of_everybody_count() {
    each(|store| {
        let reaction = |sender: Author, emoji: Option<&str>, at_ms| {
            let row = ReactionRow { sender, emoji: emoji.map(str::to_owned), at_ms };
            ArchiveChange::Reaction(target(&Jid::lid("7"), "A", None), row)
        };
        let vote = |option: u8, at_ms| {
            let row = VoteRow { voter: Some(Jid::lid("7")), options: vec![[option; 32]], at_ms };
            ArchiveChange::Vote(target(&Jid::lid("7"), "A", None), row)
        };
        write(
            store,
            vec![
                message(&ana(), None, "A", 10, "?"),
                reaction(Some(ana()), Some("x"), 5),
                reaction(None, Some("y"), 6),
                reaction(Some(ana()), Some("z"), 8),
                reaction(Some(ana()), Some("late"), 7),
                vote(1, 5),
                vote(2, 7),
                vote(3, 6),
            ],
        );
        let own = ReactionRow { sender: None, emoji: Some("y".into()), at_ms: 6 };
        let hers = ReactionRow { sender: Some(ana()), emoji: Some("z".into()), at_ms: 8 };
        let details = store.message_details(&target(&ana(), "A", None)).unwrap().unwrap();
        assert_eq!(details.message.reactions, [own.clone(), hers]);
        assert_eq!(details.votes, [VoteRow { voter: Some(ana()), options: vec![[2; 32]], at_ms: 7 }]);
        write(store, vec![reaction(Some(ana()), None, 9)]);
        let found = store.find_messages(&MessageQuery { limit: 9, ..MessageQuery::default() }).unwrap();
        assert_eq!(found[0].reactions, [own]);
        write(store, vec![ArchiveChange::Revoked(target(&ana(), "A", None), Some(ana()), 20)]);
        let details = store.message_details(&target(&ana(), "A", None)).unwrap().unwrap();
        assert_eq!(details.message.revoked, Some((Some(ana()), 20)));
        assert!(details.message.content.is_empty() && details.votes.is_empty());
        assert!(details.message.reactions.is_empty());
    });
}

#[test]
fn pins_and_comments_may_come_before_their_message_and_the_newest_pin_counts() {
    each(|store| {
        let pin = |id: &str, until, at_ms| {
            let row = PinRow { sender: Some(Some(ana())), until, at_ms };
            ArchiveChange::Pinned(target(&ana(), id, None), row)
        };
        let comment =
            |id: &str| ArchiveChange::Commented(target(&ana(), "A", None), Some(ana()), id.to_owned());
        let keep = KeepRow { sender: None, kept: true, at_ms: 4 };
        write(
            store,
            vec![
                pin("A", Some(100), 5),
                comment("C1"),
                comment("C1"),
                comment("C2"),
                ArchiveChange::Kept(target(&ana(), "A", None), keep.clone()),
                message(&ana(), None, "A", 10, "pinned"),
                message(&ana(), Some(ana()), "B", 11, "not"),
                pin("B", Some(100), 5),
                pin("B", None, 7),
                pin("B", Some(100), 6),
            ],
        );
        let found = store.message_details(&target(&ana(), "A", None)).unwrap().unwrap().message;
        let row = PinRow { sender: Some(Some(ana())), until: Some(100), at_ms: 5 };
        assert_eq!((found.pin, found.keep, found.comments), (Some(row), Some(keep), 2));
        let pinned = |now| MessageQuery { pinned_at: Some(now), ..MessageQuery::default() };
        assert_eq!(ids(store, &pinned(99)), ["A"]);
        assert!(ids(store, &pinned(100)).is_empty());
        // A chat under another address keeps them, and who takes a message back takes them with it.
        let third = Jid::lid("9");
        write(store, vec![ArchiveChange::Moved(ana(), third.clone())]);
        assert_eq!(ids(store, &pinned(99)), ["A"]);
        write(store, vec![ArchiveChange::Revoked(target(&third, "A", None), None, 20)]);
        assert!(ids(store, &pinned(99)).is_empty());
    });
}

#[test]
fn the_newest_answer_to_an_event_counts() {
    each(|store| {
        let answer = |person: Author, answer, at_ms| {
            let row = AnswerRow { person, answer: Some(answer), guests: 2, at_ms };
            ArchiveChange::Answered(target(&ana(), "A", None), row)
        };
        write(
            store,
            vec![
                message(&ana(), None, "A", 10, "?"),
                answer(Some(ana()), Going::Going, 5),
                answer(Some(ana()), Going::Maybe, 7),
                answer(Some(ana()), Going::NotGoing, 6),
                answer(None, Going::Going, 8),
            ],
        );
        let details = store.message_details(&target(&ana(), "A", None)).unwrap().unwrap();
        let row = |person, answer, at_ms| AnswerRow { person, answer: Some(answer), guests: 2, at_ms };
        assert_eq!(details.answers, [row(Some(ana()), Going::Maybe, 7), row(None, Going::Going, 8)]);
    });
}

#[test]
fn a_call_is_no_message_that_the_phone_could_count_from() {
    each(|store| {
        let ArchiveChange::Message(call) = message(&ana(), None, "CALL", 5, "?") else { return };
        write(store, vec![ArchiveChange::Call(call), message(&ana(), None, "A", 10, "hi")]);
        assert_eq!(ids(store, &MessageQuery::default()), ["A", "CALL"]);
        assert_eq!(store.oldest_message(&ana()).unwrap().unwrap().message_id, "A");
    });
}

#[test]
fn past_members_are_known_by_group() {
    each(|store| {
        let group: Jid = "120363001@g.us".parse().unwrap();
        let row = |person: &str, removed, at| PastMemberRow { person: Some(Jid::lid(person)), removed, at };
        let left = |row| ArchiveChange::PastMember(group.clone(), row);
        write(
            store,
            vec![
                left(row("7", false, 5)),
                left(row("8", true, 6)),
                left(row("7", true, 9)),
                left(row("7", false, 3)),
            ],
        );
        assert_eq!(store.past_members(&group).unwrap(), [row("7", true, 9), row("8", true, 6)]);
        assert!(store.past_members(&ana()).unwrap().is_empty());
    });
}

#[test]
fn what_is_too_old_goes_step_by_step_with_all_that_was_done_to_it() {
    each(|store| {
        let other = Jid::lid("9");
        let pin = PinRow { sender: None, until: Some(100), at_ms: 5 };
        let reaction = ReactionRow { sender: None, emoji: Some("y".into()), at_ms: 6 };
        write(
            store,
            vec![
                message(&ana(), None, "A", 10, "old"),
                message(&ana(), None, "B", 20, "new"),
                message(&other, None, "C", 11, "old"),
                message(&other, None, "D", 12, "old"),
                ArchiveChange::Pinned(target(&other, "D", None), pin),
                ArchiveChange::Reaction(target(&other, "D", None), reaction),
            ],
        );
        assert_eq!(found_by(store, "old").len(), 3);
        assert!(store.trim_archive(20, 2).unwrap());
        assert!(!store.trim_archive(20, 2).unwrap());
        assert_eq!(ids(store, &MessageQuery::default()), ["B"]);
        assert!(found_by(store, "old").is_empty());
        // Nothing of it comes back with a message of the same name, and numbers that were free are indexed.
        write(store, vec![message(&other, None, "D", 30, "newer")]);
        let found = store.message_details(&target(&other, "D", None)).unwrap().unwrap().message;
        assert_eq!((found.pin, found.reactions.len()), (None, 0));
        assert_eq!(found_by(store, "newer"), ["D"]);
        assert_eq!(store.find_chats(&ChatQuery { limit: 9, ..ChatQuery::default() }).unwrap().len(), 2);
    });
}

#[test]
fn a_person_with_a_new_address_stays_one_chat_and_one_person() {
    each(|store| {
        let (phone, lid) = (Jid::pn("15550001"), Jid::lid("7"));
        let name = PersonRow { push_name: Some("Ana".into()), ..PersonRow::default() };
        write(
            store,
            vec![
                message(&phone, Some(phone.clone()), "A", 10, "old"),
                ArchiveChange::Person(phone.clone(), Box::new(name)),
                message(&lid, Some(lid.clone()), "B", 11, "new"),
                message(&lid, Some(lid.clone()), "A", 10, "old"),
                message(&phone, None, "C", 12, "mine"),
            ],
        );
        write(store, vec![ArchiveChange::Moved(phone.clone(), lid.clone())]);
        let chats = store.find_chats(&ChatQuery { limit: 9, ..ChatQuery::default() }).unwrap();
        assert_eq!(chats.len(), 1);
        assert_eq!((&chats[0].address, chats[0].name.as_deref()), (&lid, Some("Ana")));
        let by = |author: Author| MessageQuery { author: Some(author), ..MessageQuery::default() };
        assert_eq!(ids(store, &by(Some(lid.clone()))), ["B", "A"]);
        assert_eq!(ids(store, &MessageQuery::default()), ["C", "B", "A"]);
        assert!(ids(store, &by(Some(phone.clone()))).is_empty());
        assert_eq!(found_by(store, "old"), ["A"]);
        // Where there is nothing under the new address the row is only renamed.
        let third = Jid::lid("9");
        write(store, vec![ArchiveChange::Moved(lid.clone(), third.clone())]);
        assert_eq!(
            ids(store, &MessageQuery { chat: Some(third.clone()), ..MessageQuery::default() }).len(),
            3
        );
        write(store, vec![ArchiveChange::Moved(lid, third.clone()), message(&third, None, "D", 13, "x")]);
        assert_eq!(ids(store, &MessageQuery { chat: Some(third), ..MessageQuery::default() }).len(), 4);
    });
}

#[test]
fn reading_makes_unread_what_is_newer_only() {
    each(|store| {
        write(
            store,
            vec![
                message(&ana(), Some(ana()), "A", 10, "1"),
                message(&ana(), Some(ana()), "B", 11, "2"),
                message(&ana(), Some(ana()), "C", 12, "3"),
            ],
        );
        let unread = |store: &dyn Store| {
            let chats = store.find_chats(&ChatQuery { limit: 9, ..ChatQuery::default() }).unwrap();
            chats[0].unread
        };
        let read = |id: &str| ArchiveChange::Times {
            chat: ana(),
            message_ids: vec![id.to_owned()],
            who: None,
            times: Times { read_at: Some(20), ..Times::default() },
        };
        assert_eq!(unread(store), 3);
        write(store, vec![read("B")]);
        assert_eq!(unread(store), 1);
        write(store, vec![read("A"), read("unknown")]);
        assert_eq!(unread(store), 1, "it does not go up again");
        write(store, vec![message(&ana(), Some(ana()), "D", 13, "4"), read("D")]);
        assert_eq!(unread(store), 0);
    });
}

#[test]
fn history_does_not_change_what_is_known_of_a_chat_since() {
    each(|store| {
        let chat = Jid::group("1-2");
        let now = ChatRow { name: Some("now".into()), archived: Some(false), ..ChatRow::default() };
        let old = ChatRow {
            name: Some("then".into()),
            archived: Some(true),
            pinned_at: Some(5),
            unread: Some(2),
            latest_at: Some(50),
            history_end: Some(0),
            is_old: true,
            ..ChatRow::default()
        };
        write(
            store,
            vec![
                ArchiveChange::Chat(chat.clone(), Box::new(now)),
                ArchiveChange::Chat(chat.clone(), Box::new(old)),
            ],
        );
        let chats = store.find_chats(&ChatQuery { limit: 9, ..ChatQuery::default() }).unwrap();
        assert_eq!(chats[0].name.as_deref(), Some("now"));
        assert_eq!((chats[0].archived, chats[0].pinned_at, chats[0].unread), (false, Some(5), 2));
        assert_eq!((chats[0].position.timestamp, chats[0].history_end), (50, Some(0)));
        let named = |name: &str| ChatQuery { name: Some(name.into()), limit: 9, ..ChatQuery::default() };
        assert_eq!(store.find_chats(&named("NO")).unwrap().len(), 1);
        assert!(store.find_chats(&named("%")).unwrap().is_empty());
    });
}

#[test]
fn people_are_found_by_any_of_their_names_in_order() {
    each(|store| {
        let person = |user: &str, name: Option<&str>, push: Option<&str>| {
            let row = PersonRow {
                name: name.map(str::to_owned),
                push_name: push.map(str::to_owned),
                ..PersonRow::default()
            };
            ArchiveChange::Person(Jid::lid(user), Box::new(row))
        };
        write(
            store,
            vec![person("1", Some("cleo"), None), person("2", None, Some("Ana")), person("3", None, None)],
        );
        let all = ContactQuery { limit: 2, ..ContactQuery::default() };
        let first = store.find_contacts(&all).unwrap();
        assert_eq!(first.iter().map(|it| it.address.user()).collect::<Vec<_>>(), ["3", "2"]);
        let from = Some(first[1].row);
        let second = store.find_contacts(&ContactQuery { from, ..all.clone() }).unwrap();
        assert_eq!(second.iter().map(|it| it.address.user()).collect::<Vec<_>>(), ["1"]);
        let named = ContactQuery { name: Some("an".into()), ..all };
        assert_eq!(store.find_contacts(&named).unwrap().len(), 1);
    });
}

#[test]
fn another_account_does_not_see_it() {
    each(|store| {
        write(store, vec![message(&ana(), None, "A", 10, "hi")]);
        assert_eq!(found_by(store, "hi"), ["A"]);
        let owner = |phone: &str, lid: &str| ArchiveChange::Owner(Some(Jid::pn(phone)), Some(Jid::lid(lid)));
        write(store, vec![owner("15550001", "1")]);
        write(store, vec![owner("15550002", "1")]);
        assert_eq!(found_by(store, "hi"), ["A"], "the number changed, the account is the same");
        write(store, vec![owner("15550003", "3"), message(&ana(), None, "B", 11, "hi")]);
        assert_eq!(found_by(store, "hi"), ["B"]);
        assert_eq!(ids(store, &MessageQuery::default()), ["B"]);
    });
}
