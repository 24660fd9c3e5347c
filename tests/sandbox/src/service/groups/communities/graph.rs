//! Operations of the GraphQL interface about groups and communities (features document §2.4, §3).

use serde_json::{Value, json};
use whimbrel_wire::{Jid, Node};

use super::super::super::Service;
use super::super::super::accounts::DeviceId;
use super::super::super::mex::Answer;
use super::super::Actor;
use super::super::stanza::limited;
use super::super::state::{Group, Place};
use crate::stanza::Refusal;

const GROUP: &str = "xwa2_group_query_by_id";

impl Service {
    /// An operation about groups; one that is not known is refused.
    pub(in super::super::super) fn group_graph(
        &mut self,
        device: DeviceId,
        name: &str,
        variables: &Value,
    ) -> Answer {
        let actor = Actor::from(device);
        let input = variables.get("input").unwrap_or(variables);
        match name {
            "UpdateGroupProperty" => self.update_property(actor, variables),
            "GroupSuspensionAppeal" => self.appeal(actor, input),
            "TransferCommunityOwnership" => {
                let jid = named(input, "group_id")?;
                let update = input.get("role_updates").and_then(|updates| updates.get(0));
                let heir = update.and_then(|update| update.get("user_jid")).and_then(Value::as_str);
                let heir =
                    heir.and_then(|text| text.parse::<Jid>().ok()).ok_or_else(|| Refusal::code(400))?;
                let heir = self.accounts.find(&heir).ok_or_else(|| Refusal::code(404))?;
                self.transfer_community(actor, &jid, heir)?;
                Ok(("xwa2_group_update_users_role", json!({ "group_id": jid.to_string() })))
            }
            "FetchAllSubgroups" => {
                let community = self.community_for(device, &named(variables, "group_id")?)?;
                Ok((GROUP, self.subgroups(device, community)))
            }
            "QuerySubgroupParticipantCount" => {
                let community = self.community_for(device, &named(input, "group_jid")?)?;
                let node = |group: &Group| json!({ "id": group.jid().to_string(), "total_participants_count": group.members.len() });
                Ok((
                    GROUP,
                    json!({ "id": community.jid().to_string(), "sub_groups": self.edges(device, community, node) }),
                ))
            }
            "FetchSubgroupSuggestions" => {
                let community = self.community_for(device, &named(variables, "group_id")?)?;
                Ok((GROUP, self.suggestions(community)))
            }
            "FetchGroupIsInternal" => {
                let jid = named(variables, "id")?;
                let group = self.groups.find(&jid).ok_or_else(|| Refusal::code(404))?;
                if !group.is_member(device.account) {
                    return Err(Refusal::code(403));
                }
                Ok((GROUP, json!({ "id": jid.to_string(), "properties": { "internal": false } })))
            }
            _ => Err(Refusal::code(400)),
        }
    }

    fn update_property(&mut self, actor: Actor, variables: &Value) -> Answer {
        let jid = named(variables, "group_id")?;
        let group = self.groups.find(&jid).ok_or_else(|| Refusal::code(404))?;
        if !group.is_member(actor.account) {
            return Err(Refusal::code(403));
        }
        let update = variables.get("update").ok_or_else(|| Refusal::code(400))?;
        let word = |name: &'static str| {
            let word = update.get(name).and_then(Value::as_str)?;
            Some(Node::new(name).bytes(word.to_ascii_lowercase().into_bytes()))
        };
        let limit = update.get("limit_sharing").and_then(|limit| limit.get("limit_sharing_enabled"));
        let change = word("member_link_mode")
            .or_else(|| word("member_share_group_history_mode"))
            .or_else(|| limit.and_then(Value::as_bool).map(limited))
            .ok_or_else(|| Refusal::code(400))?;
        self.change_setting(actor, &jid, &change)?;
        Ok(("xwa2_group_update_property", json!({ "id": jid.to_string(), "state": "ACTIVE" })))
    }

    fn community_for(&self, device: DeviceId, jid: &Jid) -> Result<&Group, Refusal> {
        let group = self.groups.find(jid).ok_or_else(|| Refusal::code(404))?;
        if !group.is_member(device.account) {
            return Err(Refusal::code(403));
        }
        if group.community.is_some() { Ok(group) } else { Err(Refusal::code(400)) }
    }

    /// The groups of a community that somebody sees.
    fn edges(&self, device: DeviceId, community: &Group, node: impl Fn(&Group) -> Value) -> Value {
        let groups = self.groups.within(&community.id).into_iter();
        let visible = groups.filter(|group| !group.hidden || group.is_member(device.account));
        let edges: Vec<Value> = visible.map(|group| json!({ "node": node(group) })).collect();
        json!({ "edges": edges })
    }

    fn subgroups(&self, device: DeviceId, community: &Group) -> Value {
        let subject = |group: &Group| json!({ "value": group.subject, "creation_time": group.subject_time.to_string() });
        let announcements = self.groups.within(&community.id).into_iter();
        let announcements = announcements
            .filter(|group| group.place == Place::Announcements)
            .map(|group| json!({ "id": group.jid().to_string(), "subject": subject(group) }))
            .next();
        let node = |group: &Group| {
            let admin = group.is_admin(device.account);
            json!({
                "id": group.jid().to_string(),
                "subject": subject(group),
                "properties": {
                    "general_chat": group.place == Place::General,
                    "hidden_group": group.hidden,
                    "membership_approval_mode_enabled": group.approval,
                },
                "membership_approval_requests": admin.then(|| json!({ "total_count": group.waiting.len() })),
            })
        };
        let mut groups = self.edges(device, community, node);
        // It stands apart from the others.
        let apart = announcements.as_ref().and_then(|group| group.get("id")).cloned();
        if let (Some(apart), Some(edges)) = (apart, groups.get_mut("edges").and_then(Value::as_array_mut)) {
            edges.retain(|edge| edge.get("node").and_then(|node| node.get("id")) != Some(&apart));
        }
        json!({
            "id": community.jid().to_string(),
            "__typename": "XWA2Group",
            "default_sub_group": announcements,
            "sub_groups": groups,
        })
    }

    fn suggestions(&self, community: &Group) -> Value {
        let all = community.community.iter().flat_map(|community| &community.suggestions);
        let edges: Vec<Value> = all
            .map(|suggestion| {
                let creator = self.accounts.bare(suggestion.creator, community.mode());
                json!({ "node": {
                    "id": Jid::group(&suggestion.id).to_string(),
                    "subject": { "value": suggestion.subject },
                    "description": { "value": suggestion.description, "id": "1" },
                    "creator": { "id": creator.map(|jid| jid.to_string()) },
                    "creation_time": suggestion.time.to_string(),
                    "total_participants_count": 1,
                    "is_existing_group": false,
                    "hidden_group": false,
                } })
            })
            .collect();
        json!({
            "id": community.jid().to_string(),
            "__typename": "XWA2Group",
            "sub_group_suggestions": { "edges": edges },
        })
    }
}

/// The group that a variable names.
fn named(variables: &Value, key: &str) -> Result<Jid, Refusal> {
    let text = variables.get(key).and_then(Value::as_str).ok_or_else(|| Refusal::code(400))?;
    let jid =
        if text.contains('@') { text.parse().map_err(|_| Refusal::code(400))? } else { Jid::group(text) };
    if jid.is_group() { Ok(jid) } else { Err(Refusal::code(400)) }
}
