//! Subject, description and switches of groups (features document §2.4).

use whimbrel_wire::{Jid, Node};

use super::super::Service;
use super::super::accounts::Space;
use super::stanza::{add_mode, approval, limited, link_mode, share_mode, text};
use super::state::{Description, Group};
use super::{Actor, DESCRIPTION_LIMIT, SUBJECT_LIMIT};
use crate::stanza::{self, Refusal};

/// Switches that only exist or not, with the element that ends them.
const SWITCHES: [(&str, &str); 4] = [
    ("no_frequently_forwarded", "frequently_forwarded_ok"),
    ("group_history", "no_group_history"),
    ("allow_admin_reports", "not_allow_admin_reports"),
    ("allow_non_admin_sub_group_creation", "not_allow_non_admin_sub_group_creation"),
];

/// Lives of messages that can be chosen, in seconds.
const LIVES: [u32; 4] = [0, 86_400, 604_800, 7_776_000];

impl Service {
    /// Changes one thing about a group. A value that it has already is no change, and nobody is told.
    pub(super) fn change_setting(&mut self, actor: Actor, jid: &Jid, asked: &Node) -> Result<(), Refusal> {
        let group = self.groups.find(jid).ok_or_else(|| Refusal::code(404))?;
        let for_all = matches!(asked.tag(), "subject" | "description" | "ephemeral" | "not_ephemeral");
        if (!for_all || group.locked) && !group.is_admin(actor.account) {
            return Err(Refusal::code(403));
        }
        let Some(told) = self.apply_setting(actor, jid, asked)? else { return Ok(()) };
        let people: Vec<_> = self.groups.find(jid).map(|group| group.members().collect()).unwrap_or_default();
        self.log_group(jid, told.tag(), actor.account, &[]);
        self.tell_members(jid, actor.account, actor.device, people, &told);
        Ok(())
    }

    /// Changes the state; returns what members are told, nothing if nothing changed.
    fn apply_setting(&mut self, actor: Actor, jid: &Jid, asked: &Node) -> Result<Option<Node>, Refusal> {
        match asked.tag() {
            "subject" => return self.change_subject(actor, jid, asked),
            "description" => return self.change_description(actor, jid, asked),
            _ => {}
        }
        let group = self.groups.get_mut(jid.user()).ok_or_else(|| Refusal::code(404))?;
        let word = asked.content_text().unwrap_or_default().to_owned();
        let (changed, told) = match asked.tag() {
            "locked" => (!std::mem::replace(&mut group.locked, true), Node::new("locked")),
            "unlocked" => (std::mem::replace(&mut group.locked, false), Node::new("unlocked")),
            "announcement" => announce(group, true),
            "not_announcement" => announce(group, false),
            "ephemeral" | "not_ephemeral" => ephemeral(group, asked)?,
            "member_add_mode" => {
                let admins = choice(&word, add_mode)?;
                let former = std::mem::replace(&mut group.admins_add, admins);
                (former != admins, text("member_add_mode", add_mode(admins)))
            }
            "member_link_mode" => {
                let admins = choice(&word, link_mode)?;
                let former = std::mem::replace(&mut group.admins_link, admins);
                (former != admins, text("member_link_mode", link_mode(admins)))
            }
            "member_share_group_history_mode" => {
                let admins = choice(&word, share_mode)?;
                let former = std::mem::replace(&mut group.members_share, !admins);
                (former == admins, text("member_share_group_history_mode", share_mode(admins)))
            }
            "limit_sharing_enabled" => {
                let on = !asked.attr_is("enabled", "false");
                (std::mem::replace(&mut group.sharing_limited, on) != on, limited(on))
            }
            "membership_approval_mode" => {
                // One client asks for it under another name in communities.
                let join = asked.child_named("group_join").or_else(|| asked.child_named("community_join"));
                let state = join.and_then(|join| stanza::plain(join, "state"));
                let on = match state {
                    Some("on") => true,
                    Some("off") => false,
                    _ => return Err(Refusal::code(400)),
                };
                if let Some(community) = &mut group.community {
                    community.approval = on;
                }
                let former = std::mem::replace(&mut group.approval, on);
                (former != on, approval(if on { "on" } else { "off" }))
            }
            tag => {
                let Some((name, _)) = SWITCHES.iter().find(|(on, off)| tag == *on || tag == *off) else {
                    return Err(Refusal::code(501));
                };
                if *name == "allow_non_admin_sub_group_creation" && group.community.is_none() {
                    return Err(Refusal::code(400));
                }
                let changed =
                    if tag == *name { group.switches.insert(name) } else { group.switches.remove(name) };
                (changed, Node::new(tag.to_owned()))
            }
        };
        Ok(changed.then_some(told))
    }

    fn change_subject(&mut self, actor: Actor, jid: &Jid, asked: &Node) -> Result<Option<Node>, Refusal> {
        let subject = asked.content_text().unwrap_or_default().to_owned();
        if subject.chars().count() > SUBJECT_LIMIT {
            return Err(Refusal::code(406));
        }
        let now = self.now;
        let group = self.groups.get_mut(jid.user()).ok_or_else(|| Refusal::code(404))?;
        if group.subject == subject {
            return Ok(None);
        }
        group.subject.clone_from(&subject);
        group.subject_time = now;
        group.subject_owner = actor.account;
        let mode = group.mode();
        let told = Node::new("subject")
            .attr("subject", subject)
            .attr_opt("s_o", self.accounts.bare(actor.account, mode))
            .attr_opt("s_o_pn", self.accounts.bare(actor.account, Space::Pn).filter(|_| mode == Space::Lid))
            .attr("s_t", now);
        Ok(Some(told))
    }

    fn change_description(&mut self, actor: Actor, jid: &Jid, asked: &Node) -> Result<Option<Node>, Refusal> {
        let (now, fresh) = (self.now, self.next_id());
        let group = self.groups.get_mut(jid.user()).ok_or_else(|| Refusal::code(404))?;
        let present = group.description.as_ref().map(|description| description.id.clone());
        // Whoever changes what he has not read is told so.
        if stanza::text(asked, "prev") != present {
            return Err(Refusal::code(409));
        }
        let id = stanza::text(asked, "id").unwrap_or(fresh);
        if asked.attr_true("delete") {
            group.description = None;
            let told = Node::new("description").attr("id", id).child(Node::new("delete"));
            return Ok(present.map(|_| told));
        }
        let body = asked.child_text("body").ok_or_else(|| Refusal::code(400))?.to_owned();
        if body.chars().count() > DESCRIPTION_LIMIT {
            return Err(Refusal::code(406));
        }
        let told = Node::new("description")
            .attr("id", id.clone())
            .child(Node::new("body").bytes(body.clone().into_bytes()));
        group.description = Some(Description { id, body, author: actor.account, time: now });
        Ok(Some(told))
    }
}

fn announce(group: &mut Group, on: bool) -> (bool, Node) {
    let changed = std::mem::replace(&mut group.announce, on) != on;
    group.announce_version += u64::from(changed);
    let tag = if on { "announcement" } else { "not_announcement" };
    (changed, Node::new(tag).attr("v_id", group.announce_version))
}

fn ephemeral(group: &mut Group, asked: &Node) -> Result<(bool, Node), Refusal> {
    let life = match asked.tag() {
        "ephemeral" => asked.attr_u32("expiration").ok_or_else(|| Refusal::code(400))?,
        _ => 0,
    };
    if !LIVES.contains(&life) {
        return Err(Refusal::code(406));
    }
    let changed = std::mem::replace(&mut group.ephemeral, life) != life;
    let told = match life {
        0 => Node::new("not_ephemeral"),
        life => Node::new("ephemeral").attr("expiration", life),
    };
    Ok((changed, told))
}

/// Which of two words was said.
fn choice(word: &str, name: fn(bool) -> &'static str) -> Result<bool, Refusal> {
    [true, false].into_iter().find(|admins| name(*admins) == word).ok_or_else(|| Refusal::code(400))
}
