//! Groups that somebody made on a phone.

use whimbrel_sandbox::{Addressing, Group, NewGroup};

use crate::World;

impl World {
    /// A group that its creator made on the phone. `addressing`: how its members are addressed, if it
    /// matters.
    pub fn group(&self, creator: &str, members: &[&str], addressing: Option<Addressing>) -> Group {
        let new = NewGroup {
            creator: creator.to_owned(),
            subject: "Birds".to_owned(),
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            addressing,
        };
        self.sandbox.create_group(&new).unwrap()
    }
}
