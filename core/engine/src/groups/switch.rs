//! What can be turned on and off in a group (features document §2.4).

use whimbrel_wire::{Node, NodeRef};

/// Something that is on or off in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum GroupSetting {
    /// Only admins may send.
    Announce,
    /// Only admins may change subject, description, picture and timer.
    Locked,
    /// Admins have to approve who joins.
    ApprovalRequired,
    /// Every member may add others, not only admins.
    MembersMayAdd,
    /// Every member may hand out the invitation link, not only admins.
    MembersMayInvite,
    /// Every member may hand earlier messages to new ones, not only admins.
    MembersMayShareHistory,
    /// What is said in it may not be exported or taken out.
    SharingLimited,
    /// Messages that were forwarded many times may not be sent to it.
    ForwardingLimited,
    /// New members get earlier messages.
    HistoryShared,
    /// Members may report messages to its admins.
    AdminReports,
    /// In a community: every member may make groups in it, not only admins.
    MembersMayCreateGroups,
}

/// All of them, in the order of their bits in the store: new ones are appended.
pub(crate) const ALL: [GroupSetting; 11] = [
    GroupSetting::Announce,
    GroupSetting::Locked,
    GroupSetting::ApprovalRequired,
    GroupSetting::MembersMayAdd,
    GroupSetting::MembersMayInvite,
    GroupSetting::MembersMayShareHistory,
    GroupSetting::SharingLimited,
    GroupSetting::ForwardingLimited,
    GroupSetting::HistoryShared,
    GroupSetting::AdminReports,
    GroupSetting::MembersMayCreateGroups,
];

/// How stanzas say that something is on or off.
enum Form {
    /// By one of two elements.
    Elements(&'static str, &'static str),
    /// By one of two words in an element.
    Words(&'static str, &'static str, &'static str),
    /// By an element with the state inside.
    Approval,
    /// Announced by an element; asked for over the GraphQL interface.
    Graph(&'static str),
}

impl GroupSetting {
    const fn form(self) -> Form {
        match self {
            Self::Announce => Form::Elements("announcement", "not_announcement"),
            Self::Locked => Form::Elements("locked", "unlocked"),
            Self::ApprovalRequired => Form::Approval,
            Self::MembersMayAdd => Form::Words("member_add_mode", "all_member_add", "admin_add"),
            Self::MembersMayInvite => Form::Words("member_link_mode", "all_member_link", "admin_link"),
            Self::MembersMayShareHistory => {
                Form::Words("member_share_group_history_mode", "all_member_share", "admin_share")
            }
            Self::SharingLimited => Form::Graph("limit_sharing_enabled"),
            Self::ForwardingLimited => Form::Elements("no_frequently_forwarded", "frequently_forwarded_ok"),
            Self::HistoryShared => Form::Elements("group_history", "no_group_history"),
            Self::AdminReports => Form::Elements("allow_admin_reports", "not_allow_admin_reports"),
            Self::MembersMayCreateGroups => {
                Form::Elements("allow_non_admin_sub_group_creation", "not_allow_non_admin_sub_group_creation")
            }
        }
    }

    /// The element that turns it on or off; `None` if that is asked for in another way.
    pub(crate) fn element(self, on: bool) -> Option<Node> {
        Some(match self.form() {
            Form::Elements(yes, no) => Node::new(if on { yes } else { no }),
            Form::Words(tag, yes, no) => Node::new(tag).text(if on { yes } else { no }),
            Form::Approval => approval(on),
            Form::Graph(_) => return None,
        })
    }

    /// What an element of an announcement says; `None` if it is about something else or not understood.
    pub(crate) fn announced(element: &NodeRef<'_>) -> Option<(Self, bool)> {
        ALL.into_iter().find_map(|setting| setting.said_by(element).map(|on| (setting, on)))
    }

    fn said_by(self, element: &NodeRef<'_>) -> Option<bool> {
        let tag = element.tag();
        match self.form() {
            Form::Elements(yes, _) if tag == yes => Some(true),
            Form::Elements(_, no) if tag == no => Some(false),
            Form::Words(name, yes, no) if tag == name => match element.content_text() {
                Some(word) if word == yes => Some(true),
                Some(word) if word == no => Some(false),
                _ => None,
            },
            Form::Approval if tag == "membership_approval_mode" => Some(is_on(element)),
            Form::Graph(name) if tag == name => Some(!element.attr_is("enabled", "false")),
            _ => None,
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Join approval, as requests say it. Both states are said: some read the element alone as "on", so
/// whoever turns it off names it only here.
pub(crate) fn approval(on: bool) -> Node {
    let state = if on { "on" } else { "off" };
    Node::new("membership_approval_mode").child(Node::new("group_join").attr("state", state))
}

/// Whether a join approval is on: its presence means so, unless it says otherwise. One client asks for
/// it under another name in communities.
fn is_on(mode: &NodeRef<'_>) -> bool {
    let join = mode.child_named("group_join").or_else(|| mode.child_named("community_join"));
    join.is_none_or(|join| !join.attr_is("state", "off"))
}

/// Which settings of a group are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Switches(u32);

impl Switches {
    /// As they were stored.
    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// As they are stored.
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// What the elements of a `<group>` say: what is not there is off.
    pub(crate) fn of_group(group: &NodeRef<'_>) -> Self {
        let mut switches = Self::default();
        for (setting, on) in group.child_nodes().iter().filter_map(GroupSetting::announced) {
            switches.set(setting, on);
        }
        switches
    }

    pub(crate) const fn has(self, setting: GroupSetting) -> bool {
        self.0 & setting.bit() != 0
    }

    pub(crate) const fn set(&mut self, setting: GroupSetting, on: bool) {
        if on {
            self.0 |= setting.bit();
        } else {
            self.0 &= !setting.bit();
        }
    }

    /// These and one more.
    #[cfg(test)]
    pub(crate) const fn with(mut self, setting: GroupSetting) -> Self {
        self.set(setting, true);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_announced_as_it_is_asked_for() {
        let mut bits = 0;
        for (index, setting) in ALL.into_iter().enumerate() {
            assert_eq!(setting.bit(), 1 << index);
            bits |= setting.bit();
            for on in [true, false] {
                match setting.element(on) {
                    Some(element) => assert_eq!(GroupSetting::announced(&element), Some((setting, on))),
                    None => assert_eq!(setting, GroupSetting::SharingLimited),
                }
            }
        }
        assert_eq!(bits.count_ones(), 11);
        let limited = Node::new("limit_sharing_enabled").attr("trigger", "1");
        assert_eq!(GroupSetting::announced(&limited), Some((GroupSetting::SharingLimited, true)));
        assert_eq!(GroupSetting::announced(&Node::new("member_add_mode").text("whoever")), None);
        assert_eq!(GroupSetting::announced(&Node::new("something")), None);
    }

    #[test]
    fn switches_are_set_one_by_one() {
        let mut switches = Switches::default().with(GroupSetting::Locked);
        switches.set(GroupSetting::AdminReports, true);
        switches.set(GroupSetting::Locked, false);
        assert!(switches.has(GroupSetting::AdminReports) && !switches.has(GroupSetting::Locked));
        assert_eq!(Switches::from_bits(switches.bits()), switches);
        let group = Node::new("group")
            .child(Node::new("locked"))
            .child(approval(false))
            .child(Node::new("member_link_mode").text("all_member_link"));
        let switches = Switches::of_group(&group);
        assert!(switches.has(GroupSetting::Locked) && switches.has(GroupSetting::MembersMayInvite));
        assert!(!switches.has(GroupSetting::ApprovalRequired));
    }
}
