//! Operations by which a binding proves its marshalling, without a network.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Code, Error};

use super::{Done, Operation};

/// Returns what it was given, in every shape of value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DebugEcho {
    /// Text, with any character.
    pub text: String,
    /// An integer up to 2^53.
    pub number: i64,
    /// An integer beyond 2^53, as decimal text.
    pub large: String,
    /// A truth value.
    pub flag: bool,
    /// A list of lists.
    pub nested: Vec<Vec<i64>>,
    /// Something that may be absent.
    #[serde(default)]
    pub nothing: Option<String>,
    /// One of a few words.
    pub choice: DebugChoice,
}

/// One of a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DebugChoice {
    /// The first.
    First,
    /// The second.
    Second,
}

impl Operation for DebugEcho {
    const NAME: &'static str = "debug_echo";
    type Output = Self;

    async fn run(self, _: &Client, _: CallOptions) -> Result<Self, Error> {
        Ok(self)
    }
}

/// Fails with a chosen code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DebugFail {
    /// Number of the code.
    pub code: u16,
}

impl Operation for DebugFail {
    const NAME: &'static str = "debug_fail";
    type Output = Done;

    async fn run(self, _: &Client, _: CallOptions) -> Result<Done, Error> {
        let code = Code::ALL.iter().find(|code| code.number() == self.code);
        let code =
            code.ok_or_else(|| Error::new(Code::InvalidArgument, "there is no error code of that number"))?;
        Err(Error::new(*code, "failed as asked"))
    }
}
