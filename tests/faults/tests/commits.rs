//! A host killed at one point: when something is durable and what follows from it has not happened.
//! One test for each row of the pairing document's table (§13.2), but for the keys of app state (row 13).
#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is the report of a failed test")]

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use whimbrel_faults::Folder;
use whimbrel_sandbox::phone::{Past, Phone, PhoneError, Receipt, ReceiptKind, StateChange};
use whimbrel_sandbox::{DeviceState, Event, Fault, FaultRule, Jid, Options, Sandbox, StanzaMatch};
use whimbrel_wire::Node;

const DEADLINE: Duration = Duration::from_secs(30);
const OWNER: &str = "15550001000";
const FRIEND: &str = "15550002000";

/// The first companion of the owner.
const FIRST: &str = "15550001000:1";

/// The program does not stop by itself.
const ON: (&str, &str) = ("-", "after");

struct Story {
    sandbox: Sandbox,
    owner: Phone,
    folder: Folder,
}

struct Program {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Story {
    async fn begin(name: &str) -> Self {
        let options = Options { seed: 20_261_121, strict: true, ..Options::default() };
        let sandbox = Sandbox::start(options).await.unwrap();
        let owner = sandbox.phone(OWNER).await.unwrap();
        let folder = Folder::new(&format!("commits-{name}")).unwrap();
        std::fs::write(folder.file("ca.pem"), sandbox.ca_pem()).unwrap();
        Self { sandbox, owner, folder }
    }

    /// Starts the program, which stops `.1` (before or after) the step `.0` is durable.
    fn start(&self, (step, moment): (&str, &str), work: &[&str]) -> Program {
        let root: String =
            self.sandbox.noise_root().public_key.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut process = Command::new(env!("CARGO_BIN_EXE_halting"))
            .arg(self.folder.file("store"))
            .args([&self.sandbox.ws_url(), &root, step, moment])
            .args(work)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Program { process, lines }
    }

    /// A link, with the program that made it killed.
    async fn linked(name: &str) -> Self {
        let story = Self::begin(name).await;
        let mut program = story.start(ON, &[]);
        story.owner.scan(&program.next("qr ").await).await.unwrap();
        program.next("online").await;
        story.wait(|event| matches!(event, Event::PrekeysUploaded { .. })).await;
        program.kill(&story).await;
        story
    }

    /// Lets the phone scan a code, while the companion may be killed.
    fn scanning(&self, text: String) -> JoinHandle<Result<Jid, PhoneError>> {
        let phone = self.owner.clone();
        tokio::spawn(async move { phone.scan(&text).await })
    }

    async fn wait(&self, predicate: impl FnMut(&Event) -> bool) {
        self.sandbox.events().wait_for(predicate, DEADLINE).await.unwrap();
    }

    fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.sandbox.events().after(0).iter().filter(|(_, event)| wanted(event)).count()
    }

    fn device(&self) -> DeviceState {
        self.sandbox.state().devices.into_iter().find(|device| device.device == FIRST).unwrap()
    }

    /// What holds wherever somebody was killed.
    fn end(&self) {
        assert_eq!(self.sandbox.violations(), [], "a message key was used twice");
        let findings = self.sandbox.findings();
        assert!(findings.is_empty(), "the service found fault with: {findings:?}");
    }
}

impl Program {
    /// The rest of the next line that begins so.
    async fn next(&mut self, start: &str) -> String {
        let mut seen = Vec::new();
        let searching = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if let Some(rest) = line.strip_prefix(start) {
                    return rest.to_owned();
                }
                seen.push(line);
            }
            panic!("the program ended by itself");
        };
        match tokio::time::timeout(DEADLINE, searching).await {
            Ok(rest) => rest,
            Err(_) => panic!("no line began with {start:?}; there were {seen:?}"),
        }
    }

    /// Waits until the program stops at its step, and kills it there.
    async fn die(mut self, story: &Story) {
        self.next("at ").await;
        self.kill(story).await;
    }

    /// Kills the program, and waits until the service knows that its device has gone.
    async fn kill(mut self, story: &Story) {
        self.process.kill().await.unwrap();
        let is_away = || {
            let devices = story.sandbox.state().devices;
            !devices.iter().any(|device| device.device.starts_with(&format!("{OWNER}:")) && device.connected)
        };
        let log = story.sandbox.events();
        let mut newest = 0;
        while !is_away() {
            let seen = log.wait_after(newest, DEADLINE).await;
            newest = seen.last().unwrap_or_else(|| panic!("the connection of a killed process stays")).0;
        }
    }
}

/// The public Noise key in a code.
fn noise(code: &str) -> &str {
    code.rsplit(',').nth(3).unwrap()
}

/// The secret in a code.
fn secret(code: &str) -> &str {
    code.rsplit(',').nth(1).unwrap()
}

fn linking(fault: Fault, stanza: StanzaMatch) -> FaultRule {
    FaultRule::new(fault).device("linking").stanza(stanza)
}

fn is_upload(event: &Event) -> bool {
    matches!(event, Event::PrekeysUploaded { device, .. } if device == FIRST)
}

#[tokio::test]
async fn row_1_a_device_keeps_its_keys_before_anybody_has_seen_them() {
    let story = Story::begin("1").await;
    let mut first = story.start(("keys", "after"), &[]);
    let made = first.next("at keys ").await;
    assert_eq!(story.count(|event| matches!(event, Event::Registering { .. })), 0);
    first.kill(&story).await;
    let mut second = story.start(ON, &[]);
    let code = second.next("qr ").await;
    assert_eq!(noise(&code), made);
    story.owner.scan(&code).await.unwrap();
    second.next("online").await;
    story.end();
}

#[tokio::test]
async fn row_2_a_new_secret_is_durable_before_its_code_is_shown() {
    let story = Story::begin("2").await;
    let ready = |event: &Event| matches!(event, Event::ReadyToLink { .. });
    let mut first = story.start(ON, &[]);
    let shown = first.next("qr ").await;
    story.wait(ready).await;
    first.kill(&story).await;
    // A secret that was on show is replaced before the next refs are acknowledged …
    story.start(("secret", "after"), &[]).die(&story).await;
    assert_eq!(story.count(ready), 1);
    let mut third = story.start(ON, &[]);
    let code = third.next("qr ").await;
    assert_eq!(noise(&shown), noise(&code));
    assert_ne!(secret(&shown), secret(&code));
    assert!(matches!(story.owner.scan(&shown).await, Err(PhoneError::Refused { code: 404, .. })));
    story.owner.scan(&code).await.unwrap();
    third.next("online").await;
    story.end();
}

#[tokio::test]
async fn row_2_a_secret_that_the_service_asks_for_is_durable_before_it_is_told() {
    let story = Story::begin("2b").await;
    let mut first = story.start(("secret", "after"), &[]);
    let shown = first.next("qr ").await;
    let refresh = Node::new("notification")
        .attr("type", "companion_reg_refresh")
        .attr("from", Jid::SERVER)
        .attr("id", "88001")
        .child(Node::new("companion_reg_refresh"));
    assert_eq!(story.sandbox.inject_into_linking(&refresh), 1);
    first.die(&story).await;
    let mut second = story.start(ON, &[]);
    let code = second.next("qr ").await;
    assert_ne!(secret(&shown), secret(&code));
    // Asked again: shown at once, and the code from before opens nothing.
    assert_ne!(story.sandbox.inject_into_linking(&refresh), 0);
    let renewed = second.next("qr ").await;
    assert_ne!(secret(&code), secret(&renewed));
    story.owner.scan(&renewed).await.unwrap();
    second.next("online").await;
    story.end();
}

#[tokio::test]
async fn row_3_a_code_to_be_typed_dies_with_its_process() {
    let story = Story::begin("3").await;
    let mut first = story.start(ON, &["code", OWNER]);
    let lost = first.next("code ").await;
    first.kill(&story).await;
    let mut second = story.start(ON, &["code", OWNER]);
    let code = second.next("code ").await;
    assert_ne!(lost, code);
    assert!(matches!(story.owner.enter_code(&lost).await, Err(PhoneError::Code(_))));
    story.owner.enter_code(&code).await.unwrap();
    second.next("online").await;
    story.end();
}

#[tokio::test]
async fn row_4_a_secret_that_was_derived_from_a_code_links_nothing_on_its_own() {
    let story = Story::begin("4").await;
    let mut first = story.start(("secret", "after"), &["code", OWNER]);
    let lost = first.next("code ").await;
    let phone = story.owner.clone();
    let typing = tokio::spawn(async move { phone.enter_code(&lost).await });
    first.die(&story).await;
    // The phone would wait for a minute, and then say that it did not work.
    assert!(!typing.is_finished());
    typing.abort();
    assert_eq!(story.count(|event| matches!(event, Event::Linked { .. })), 0);
    let mut second = story.start(ON, &["code", OWNER]);
    let code = second.next("code ").await;
    story.owner.enter_code(&code).await.unwrap();
    second.next("online").await;
    story.end();
}

#[tokio::test]
async fn row_5_a_secret_for_a_link_by_passkey_links_nothing_on_its_own() {
    let story = Story::begin("5").await;
    let mut first = story.start(("secret", "after"), &[]);
    let shown = first.next("qr ").await;
    assert_eq!(story.sandbox.demand_passkey(true), 1);
    let link = story.owner.continue_passkey(&story.sandbox).await.unwrap();
    assert_eq!(first.next("compare ").await, link.code());
    let finishing = tokio::spawn(link.finish());
    first.die(&story).await;
    assert!(!finishing.is_finished());
    finishing.abort();
    let mut second = story.start(ON, &[]);
    let code = second.next("qr ").await;
    assert_ne!(secret(&shown), secret(&code));
    story.owner.scan(&code).await.unwrap();
    second.next("online").await;
    story.end();
}

#[tokio::test]
async fn row_6_a_link_that_was_never_signed_is_given_up_at_the_login() {
    let story = Story::begin("6").await;
    let mut first = story.start(("link", "after"), &[]);
    let shown = first.next("qr ").await;
    let scanning = story.scanning(shown.clone());
    first.die(&story).await;
    assert!(matches!(scanning.await.unwrap(), Err(PhoneError::Refused { code: 404, .. })));
    assert_eq!(story.count(|event| matches!(event, Event::Linked { .. })), 0);
    // Nothing is shown before the service has said that it does not know the device.
    let mut second = story.start(ON, &[]);
    assert_eq!(second.next("link failed ").await, "refused");
    let code = second.next("qr ").await;
    assert_ne!(noise(&shown), noise(&code), "keys that were given up are not used again");
    story.owner.scan(&code).await.unwrap();
    second.next("online").await;
    story.end();
}

#[tokio::test]
async fn row_6_a_proof_that_is_not_durable_was_never_there() {
    let story = Story::begin("6b").await;
    let mut first = story.start(("link", "before"), &[]);
    let shown = first.next("qr ").await;
    let scanning = story.scanning(shown.clone());
    first.die(&story).await;
    assert!(matches!(scanning.await.unwrap(), Err(PhoneError::Refused { code: 404, .. })));
    let mut second = story.start(ON, &[]);
    let code = second.next("qr ").await;
    assert_eq!(noise(&shown), noise(&code));
    story.owner.scan(&code).await.unwrap();
    second.next("online").await;
    story.end();
}

#[tokio::test]
async fn row_7_a_link_without_its_restart_logs_in() {
    let story = Story::begin("7").await;
    story.sandbox.add_fault(linking(Fault::Swallow, StanzaMatch::tag("stream:error")));
    let mut first = story.start(ON, &[]);
    story.owner.scan(&first.next("qr ").await).await.unwrap();
    story.wait(|event| matches!(event, Event::FaultApplied { .. })).await;
    first.kill(&story).await;
    assert_eq!(story.count(|event| matches!(event, Event::LoggedIn { device, .. } if device == FIRST)), 0);
    let mut second = story.start(ON, &[]);
    second.next("linked").await;
    second.next("online").await;
    story.end();
}

#[tokio::test]
async fn row_8_prekeys_that_never_left_are_no_loss() {
    let story = Story::begin("8").await;
    let mut first = story.start(("prekeys", "after"), &[]);
    story.owner.scan(&first.next("qr ").await).await.unwrap();
    first.die(&story).await;
    assert_eq!(story.count(is_upload), 0);
    let mut second = story.start(ON, &[]);
    story.wait(is_upload).await;
    let friend = story.sandbox.phone(FRIEND).await.unwrap();
    friend.send_text(OWNER, "hello").await.unwrap();
    assert!(second.next("message ").await.ends_with("hello"));
    assert_eq!((story.count(is_upload), story.device().reused_prekeys), (1, 0));
    story.end();
}

#[tokio::test]
async fn row_9_prekeys_whose_arrival_was_not_heard_of_are_never_offered_again() {
    let story = Story::begin("9").await;
    let upload = StanzaMatch::request("encrypt").kind("set").child("registration");
    story.sandbox.add_fault(FaultRule::new(Fault::SwallowAnswer).device(FIRST).stanza(upload));
    let mut first = story.start(ON, &[]);
    story.owner.scan(&first.next("qr ").await).await.unwrap();
    story.wait(is_upload).await;
    first.kill(&story).await;
    // Written with one of them, while nobody is there.
    let friend = story.sandbox.phone(FRIEND).await.unwrap();
    friend.send_text(OWNER, "hello").await.unwrap();
    let mut second = story.start(ON, &[]);
    // The service is asked before it delivers, and has enough of them: it gets no others.
    assert!(second.next("message ").await.ends_with("hello"));
    assert_eq!((story.count(is_upload), story.device().reused_prekeys), (1, 0));
    story.end();
}

#[tokio::test]
async fn row_10_a_staged_key_that_never_left_is_offered_after_the_restart() {
    let story = Story::linked("10").await;
    story.sandbox.clock().advance(Duration::from_secs(28 * 24 * 3600));
    story.start(("staged", "after"), &[]).die(&story).await;
    assert_eq!(story.device().signed_prekey, 1);
    // The present one goes on.
    let friend = story.sandbox.phone(FRIEND).await.unwrap();
    friend.send_text(OWNER, "hello").await.unwrap();
    let mut third = story.start(ON, &[]);
    assert!(third.next("message ").await.ends_with("hello"));
    story.wait(|event| matches!(event, Event::SignedPrekeyRotated { id: 2, .. })).await;
    story.end();
}

#[tokio::test]
async fn row_10_a_staged_key_opens_messages_before_its_arrival_is_heard_of() {
    let story = Story::linked("10b").await;
    story.sandbox.clock().advance(Duration::from_secs(28 * 24 * 3600));
    let rotate = StanzaMatch::request("encrypt").child("rotate");
    story.sandbox.add_fault(FaultRule::new(Fault::SwallowAnswer).device(FIRST).stanza(rotate));
    let rotated = |event: &Event| matches!(event, Event::SignedPrekeyRotated { id: 2, .. });
    let second = story.start(ON, &[]);
    story.wait(rotated).await;
    second.kill(&story).await;
    let friend = story.sandbox.phone(FRIEND).await.unwrap();
    friend.send_text(OWNER, "hello").await.unwrap();
    let mut third = story.start(ON, &[]);
    assert!(third.next("message ").await.ends_with("hello"));
    // The same key again, under the same id.
    let mut count = 0;
    story
        .wait(|event| {
            count += usize::from(rotated(event));
            count == 2
        })
        .await;
    assert_eq!(story.device().reused_prekeys, 0);
    story.end();
}

async fn killed_while_sending(name: &str, step: &str) {
    let story = Story::linked(name).await;
    let friend = story.sandbox.phone(FRIEND).await.unwrap();
    let work = ["send", FRIEND, "OUT-1", "hello"];
    story.start((step, "after"), &work).die(&story).await;
    assert_eq!(story.count(|event| matches!(event, Event::Accepted { device, .. } if device == FIRST)), 0);
    // The host that lost its memory asks for the same once more.
    let mut third = story.start(ON, &work);
    third.next("sent OUT-1").await;
    assert_eq!(friend.next_message(DEADLINE).await.unwrap().id, "OUT-1");
    let sent = |event: &Event| matches!(event, Event::Accepted { device, .. } if device == FIRST);
    assert_eq!(story.count(sent), 1);
    assert_eq!(friend.messages_after(0, Duration::ZERO).await.len(), 1);
    story.end();
}

#[tokio::test]
async fn row_11_an_accepted_message_leaves_after_the_restart() {
    killed_while_sending("11", "accepted").await;
}

#[tokio::test]
async fn row_11_a_composed_message_leaves_once_under_its_id_and_another_ratchet_step() {
    killed_while_sending("11b", "composed").await;
}

async fn killed_while_receiving(name: &str, moment: &str) {
    let story = Story::linked(name).await;
    let friend = story.sandbox.phone(FRIEND).await.unwrap();
    let id = friend.send_text(OWNER, "hello").await.unwrap();
    let settled = |event: &Event| matches!(event, Event::Settled { device, id: of, .. } if device == FIRST && *of == id);
    story.start(("received", moment), &[]).die(&story).await;
    assert_eq!(story.count(settled), 0);
    let mut third = story.start(ON, &[]);
    let told = third.next("message ").await;
    assert!(told.ends_with("hello"));
    story.wait(settled).await;
    third.kill(&story).await;
    // The host has not taken the event, so it gets it again: the same one, and no other.
    friend.send_text(OWNER, "goodbye").await.unwrap();
    let mut fourth = story.start(ON, &[]);
    assert_eq!(fourth.next("message ").await, told);
    assert!(fourth.next("message ").await.ends_with("goodbye"));
    story.end();
}

#[tokio::test]
async fn row_12_a_message_that_is_durable_is_confirmed_when_it_comes_again_and_told_once() {
    killed_while_receiving("12", "after").await;
}

#[tokio::test]
async fn row_12_a_message_that_is_not_durable_comes_again() {
    killed_while_receiving("12b", "before").await;
}

/// A phone with a history of 1000 messages, whose last piece has all of them.
async fn killed_in_the_history(name: &str, step: (&str, &str), uploaded: bool) {
    let story = Story::begin(name).await;
    story.owner.remember(Past { chats: 5, messages: 200, uploaded, ..Past::default() });
    let mut first = story.start(step, &[]);
    story.owner.scan(&first.next("qr ").await).await.unwrap();
    first.die(&story).await;
    let told = || {
        let receipts = story.owner.receipts_after(0, Duration::ZERO);
        async move {
            let history = |receipt: &Receipt| receipt.kind == ReceiptKind::HistorySync;
            let ids = receipts.await.into_iter().filter(|(_, receipt)| history(receipt));
            ids.map(|(_, receipt)| receipt.id).collect::<BTreeSet<String>>().len()
        }
    };
    // Three that every phone sends, the newest messages, names, and all messages.
    assert!(told().await < 6, "a piece was called done before it was durable");
    let mut second = story.start(ON, &[]);
    let recent = second.next("history Recent ").await;
    assert!(recent.starts_with("1000 None "), "{recent}");
    assert_eq!(second.next("archive ").await, "1000");
    let (mut seen, end) = (0, tokio::time::Instant::now() + DEADLINE);
    while told().await < 6 {
        let left = end.saturating_duration_since(tokio::time::Instant::now());
        let more = story.owner.receipts_after(seen, left).await;
        seen = more.last().unwrap_or_else(|| panic!("the phone is not told of a piece")).0;
    }
    second.kill(&story).await;
    // The event is the same one when it is offered again, and there is no other for the piece.
    let friend = story.sandbox.phone(FRIEND).await.unwrap();
    friend.send_text(OWNER, "hello").await.unwrap();
    let mut third = story.start(ON, &[]);
    let mut again = Vec::new();
    while let Ok(Some(line)) = tokio::time::timeout(DEADLINE, third.lines.next_line()).await.unwrap() {
        if let Some(told) = line.strip_prefix("history Recent ") {
            again.push(told.to_owned());
        }
        if line.starts_with("message ") {
            break;
        }
    }
    assert_eq!(again, [recent]);
    story.end();
}

#[tokio::test]
async fn row_14_a_piece_that_is_announced_but_not_durable_is_announced_again() {
    killed_in_the_history("14", ("announced=3", "before"), true).await;
}

#[tokio::test]
async fn row_14_an_announced_piece_is_read_after_the_restart() {
    killed_in_the_history("14b", ("announced=3", "after"), true).await;
    killed_in_the_history("14c", ("announced=3", "after"), false).await;
}

#[tokio::test]
async fn row_14_a_piece_is_read_on_where_it_was_durable() {
    killed_in_the_history("14d", ("history-read=100", "before"), true).await;
    killed_in_the_history("14e", ("history-read=100", "after"), true).await;
}

#[tokio::test]
async fn row_14_a_piece_that_was_read_is_told_of_after_the_restart() {
    killed_in_the_history("14f", ("history-done=1000", "before"), true).await;
}

#[tokio::test]
async fn row_14_the_phone_is_told_of_a_piece_after_the_restart() {
    killed_in_the_history("14g", ("history-done=1000", "after"), true).await;
}

#[tokio::test]
async fn row_15_what_a_change_of_app_state_means_for_the_account_is_durable_with_it() {
    for (name, moment) in [("15", "before"), ("15b", "after")] {
        let story = Story::linked(name).await;
        story.start(("state-written", moment), &["name", "Anna Knot"]).die(&story).await;
        // The name is with the service, and nobody says it again: it has to be known here as well.
        let renamed = |change: &StateChange| !change.own && change.index[0] == "setting_pushName";
        story.owner.wait_app_state(renamed, DEADLINE).await.unwrap();
        let mut third = story.start(ON, &[]);
        assert_eq!(third.next("written ").await, "None Anna Knot");
        assert_eq!(story.owner.app_state_violations(), Vec::<String>::new());
        story.end();
    }
}

#[tokio::test]
async fn row_16_a_wish_to_leave_outlives_the_process() {
    let story = Story::linked("16").await;
    story.start(("logging-out", "after"), &["logout"]).die(&story).await;
    let gone = |event: &Event| matches!(event, Event::Unlinked { device } if device == FIRST);
    assert_eq!(story.count(gone), 0);
    let mut third = story.start(ON, &[]);
    assert!(third.next("logged out ").await.starts_with("host"));
    story.wait(gone).await;
    story.end();
}

#[tokio::test]
async fn row_17_the_end_of_a_link_is_told_after_the_restart() {
    for (name, removed) in [("17", false), ("17b", true)] {
        let story = Story::linked(name).await;
        let work: &[&str] = if removed { &[] } else { &["logout"] };
        let mut second = story.start(("ended", "after"), work);
        if removed {
            second.next("online").await;
            story.owner.unlink(1).await.unwrap();
        }
        second.die(&story).await;
        let mut third = story.start(ON, &[]);
        let told = third.next("logged out ").await;
        assert!(told.starts_with(if removed { "removed" } else { "host" }), "{told}");
        third.kill(&story).await;
        // Until the host has taken it, and always the same.
        let mut fourth = story.start(ON, &[]);
        assert_eq!(fourth.next("logged out ").await, told);
        story.end();
    }
}
