//! The tasks of a phone: one reads what comes in, one does the work that needs answers.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::mpsc;
use whimbrel_wire::{Jid, Node};

use super::records::{Receipt, ReceiptKind};
use super::stanza::link::{CodeStep, read_code_step};
use super::stanza::{acks, retry};
use super::state::{Job, Outcome};
use super::{Inner, Phone};
use super::{history, media};
use crate::AttachError;

/// Pause before a lost connection is made anew, doubled up to the second value.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// Reads stanzas until the connection ends, then connects again unless the phone shall be offline.
pub(super) async fn read(phone: Weak<Inner>, mut stanzas: mpsc::Receiver<Node>) {
    while let Some(node) = stanzas.recv().await {
        let Some(inner) = phone.upgrade() else { return };
        Phone { inner }.take(node).await;
    }
    let mut pause = RECONNECT.0;
    loop {
        let Some(phone) = phone.upgrade().map(|inner| Phone { inner }) else { return };
        phone.inner.line.close();
        if !phone.inner.wanted_online.load(Ordering::Relaxed) {
            return;
        }
        match phone.connect() {
            Err(super::PhoneError::Attach(AttachError::Stopped)) | Ok(()) => return,
            Err(error) => tracing::debug!(%error, "a phone could not connect again"),
        }
        drop(phone);
        tokio::time::sleep(pause).await;
        pause = RECONNECT.1.min(pause * 2);
    }
}

/// Does the jobs in the order in which they came up.
pub(super) async fn work(phone: Weak<Inner>, mut jobs: mpsc::UnboundedReceiver<Job>) {
    while let Some(job) = jobs.recv().await {
        let Some(inner) = phone.upgrade() else { return };
        let phone = Phone { inner };
        let done = match job {
            Job::Resend { wish, ack } => phone.answer_retry(&wish, ack).await,
            Job::Echo { chat, text } => phone.deliver_text(&chat, &text).await.map(|_| ()),
            Job::ShareKeys { device, ids } => phone.share_keys(&device, &ids).await,
            Job::SyncAppState { collections } => phone.sync_app_state(&collections).await,
            Job::UnlinkAll => phone.unlink_all().await,
            Job::Data { device, id, request } => phone.answer_data(&device, &id, &request).await,
            Job::UploadAgain { wanted } => phone.upload_again(&wanted).await,
            Job::HandOver { wanted } => phone.hand_over_again(&wanted).await,
            Job::MorePrekeys => phone.upload_prekeys().await,
            Job::PublishIndexes => phone.publish_indexes().await,
        };
        if let Err(error) = done {
            tracing::warn!(phone = phone.number(), %error, "a phone failed to react");
        }
    }
}

impl Phone {
    /// Takes one stanza.
    async fn take(&self, node: Node) {
        let outcome = match node.tag() {
            "iq" if node.attr_is("type", "result") || node.attr_is("type", "error") => {
                self.inner.line.answered(node);
                return;
            }
            "ack" => {
                self.inner.line.answered(node);
                return;
            }
            "iq" => Outcome { replies: vec![empty_result(&node)], ..Outcome::default() },
            "message" => self.state().message(&node),
            "receipt" => self.receipt(&node),
            "notification" if node.attr_is("type", "link_code_companion_reg") => self.code_step(&node),
            "notification" => self.state().notification(&node),
            "presence" | "chatstate" => return self.saw(&node),
            "call" => Outcome { replies: vec![acks::ack(&node)], ..Outcome::default() },
            _ => return,
        };
        if let Some(message) = outcome.shown {
            self.inner.messages.push(message);
        }
        if let Some(id) = outcome.file {
            self.inner.media_seen.push(id);
        }
        for reply in outcome.replies {
            if self.inner.line.send(reply).await.is_err() {
                return;
            }
        }
        for job in outcome.jobs {
            // The worker lives as long as the phone.
            let _ = self.inner.jobs.send(job);
        }
    }

    fn code_step(&self, node: &Node) -> Outcome {
        match read_code_step(node) {
            Some(CodeStep::Hello(hello)) => {
                self.inner.hellos.push(hello);
            }
            Some(CodeStep::Finish(finish)) => {
                self.inner.finishes.push(finish);
            }
            None => {}
        }
        Outcome { replies: vec![acks::ack(node)], ..Outcome::default() }
    }

    fn receipt(&self, node: &Node) -> Outcome {
        let ack = acks::ack(node);
        let kind = node.attr_text("type");
        let kind = ReceiptKind::parse(kind.as_deref());
        let from = node.attr_jid("from").unwrap_or(Jid::SERVER);
        let from = self.state().people.session_address(&from).to_string();
        let timestamp = node.attr_u64("t").unwrap_or_else(|| self.inner.clock.now());
        for id in acks::receipt_ids(node) {
            self.inner.receipts.push(Receipt { id, from: from.clone(), kind, timestamp });
        }
        match retry::read(node) {
            Some(wish) if kind == ReceiptKind::Retry => {
                Outcome { jobs: vec![Job::Resend { wish: Box::new(wish), ack }], ..Outcome::default() }
            }
            _ => {
                let wanted = media::read_request(node).map(Box::new);
                let piece = history::read_request(node).map(Box::new);
                let jobs = wanted.map(|wanted| Job::UploadAgain { wanted });
                let jobs =
                    jobs.or_else(|| piece.map(|wanted| Job::HandOver { wanted })).into_iter().collect();
                Outcome { replies: vec![ack], jobs, ..Outcome::default() }
            }
        }
    }
}

/// The answer to a request of the service, such as a ping.
fn empty_result(request: &Node) -> Node {
    let mut result = Node::new("iq").attr("to", Jid::SERVER).attr("type", "result");
    if let Some(id) = request.attr_value("id") {
        result.set_attr("id", id.clone().into_owned());
    }
    result
}

/// A weak handle for tasks that must not keep the phone alive.
pub(super) fn weak(phone: &Phone) -> Weak<Inner> {
    Arc::downgrade(&phone.inner)
}
