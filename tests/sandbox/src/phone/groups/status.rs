//! Statuses (delivery document §3.7): a phone posts to the people that it is told, and reacts to posts.

use whimbrel_proto::e2e::Message as Plain;
use whimbrel_signal::CiphertextMessage;
use whimbrel_wire::{Jid, Node};

use crate::phone::stanza::groups::GroupInfo;
use crate::phone::stanza::messages::{self, About};
use crate::phone::{Phone, PhoneError};

impl Phone {
    /// Posts a status to people given by numbers, and waits until the service has it. Returns its id.
    pub async fn post_status(&self, audience: &[&str], message: Plain) -> Result<String, PhoneError> {
        let mut members = vec![(self.state().lid.clone(), None)];
        for person in audience {
            members.push((self.resolve(person).await?, None));
        }
        let info = GroupInfo { by_lid: true, members };
        self.state().groups.known.insert(Jid::STATUS, info);
        self.deliver_to_group(&Jid::STATUS, message).await
    }

    /// Sends those who got the last status something else about it, such as that it is taken back.
    pub async fn follow_status(&self, message: Plain) -> Result<String, PhoneError> {
        self.deliver_to_group(&Jid::STATUS, message).await
    }

    /// Reacts to the status of a person: pairwise, for that person and the own companions.
    pub async fn react_to_status(&self, poster: &str, message: Plain) -> Result<String, PhoneError> {
        let poster = self.resolve(poster).await?;
        let id = self.state().message_id();
        let _order = self.inner.sending.lock().await;
        let own = self.state().lid.clone();
        let devices = self.devices(&poster, own).await?;
        self.ensure_sessions(&devices).await?;
        let stanza = {
            let mut state = self.state();
            state.keep(&id, &Jid::STATUS, &message, self.inner.clock.now(), false);
            let plaintext = whimbrel_proto::encode(&message);
            let mut copies: Vec<(Jid, CiphertextMessage)> = Vec::new();
            for device in devices {
                let address = state.people.session_address(&device);
                if let Ok(ciphertext) = state.seal(&address, &plaintext) {
                    copies.push((device, ciphertext));
                }
            }
            messages::direct(&id, &Jid::STATUS, None, copies, &About::of(&plaintext).of_status())
        };
        self.inner.line.post(&id, stanza).await?;
        Ok(id)
    }

    /// Posts in a channel, of which the account has to be an admin. Returns the post's id and number.
    pub async fn post_to_channel(
        &self,
        channel: &Jid,
        message: &Plain,
    ) -> Result<(String, Option<u64>), PhoneError> {
        let id = self.state().message_id();
        let content = whimbrel_proto::encode(message);
        let about = About::of(&content);
        let plaintext = about.body(Node::new("plaintext").bytes(content));
        let stanza = Node::new("message").attr("id", id.clone()).attr("to", channel);
        let ack = self.inner.line.post(&id, about.message(stanza).child(plaintext)).await?;
        Ok((id, ack.attr_u64("server_id")))
    }
}
