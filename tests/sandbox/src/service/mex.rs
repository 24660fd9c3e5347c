//! The GraphQL interface: JSON in stanzas of `w:mex` (features document §4.1). The numbers of every client
//! that is known are in a table of `whimbrel-proto`.

use serde_json::{Value, json};
use whimbrel_proto::mex;
use whimbrel_wire::Node;

use super::Service;
use super::accounts::DeviceId;
use super::iq::Reply;
use crate::Restriction;
use crate::stanza::{self, Refusal};

/// What an operation answers: the name under which it does, and the content.
pub(super) type Answer = Result<(&'static str, Value), Refusal>;

impl Service {
    /// A question or change. Every one is answered; what is not known, with an error inside.
    pub(super) fn mex(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let query = request.child_named("query").ok_or_else(|| Refusal::code(400))?;
        let id = stanza::text(query, "query_id").ok_or_else(|| Refusal::code(400))?;
        let asked = query.content_bytes().and_then(|json| serde_json::from_slice::<Value>(json).ok());
        let variables = asked.and_then(|mut asked| asked.get_mut("variables").map(Value::take));
        let Some(variables) = variables.filter(Value::is_object) else { return Err(Refusal::code(400)) };
        let answer = match self.channel_graph(device.into(), &id, &variables) {
            Some(answer) => answer,
            None => {
                let name = mex::named_by(&id).next().map(|operation| operation.name);
                let answer = self.operation(device, name.unwrap_or_default(), &variables);
                answer.map(|(root, content)| json!({ root: content }))
            }
        };
        let body = match answer {
            Ok(data) => json!({ "data": data }),
            Err(refusal) => {
                let extensions = json!({
                    "error_code": refusal.code,
                    "is_retryable": false,
                    "severity": "CRITICAL",
                });
                json!({ "data": null, "errors": [{ "message": refusal.text, "extensions": extensions }] })
            }
        };
        Ok(Reply::Child(Node::new("result").text(body.to_string())))
    }

    fn operation(&mut self, device: DeviceId, name: &str, variables: &Value) -> Answer {
        if let Some(answer) = self.profile_graph(device, name, variables) {
            return answer;
        }
        match name {
            "FetchReachoutTimelock" => {
                let state = self.restriction_state(device.account, Restriction::ReachoutTimelock);
                Ok(("xwa2_fetch_account_reachout_timelock", state))
            }
            "FetchNewChatMessageCappingInfo" => {
                let state = self.restriction_state(device.account, Restriction::NewChatCap);
                Ok(("xwa2_message_capping_info", state))
            }
            _ => self.group_graph(device, name, variables),
        }
    }
}
