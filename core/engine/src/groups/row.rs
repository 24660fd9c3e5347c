//! What this device knows of a group, and its stored form.

use prost::Message as _;
use whimbrel_wire::{Jid, Server};

use super::switch::{GroupSetting, Switches};

/// How the members of a group are addressed (features document §2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Addressing {
    /// By phone number; groups made before 2025.
    #[default]
    PhoneNumber,
    /// By hidden id.
    Lid,
}

impl Addressing {
    /// As stanzas name it: `pn` or `lid`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PhoneNumber => "pn",
            Self::Lid => "lid",
        }
    }

    /// The inverse of [`name`](Self::name).
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "pn" => Some(Self::PhoneNumber),
            "lid" => Some(Self::Lid),
            _ => None,
        }
    }
}

/// What a member may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Nothing special.
    #[default]
    Member,
    /// Changes members and settings.
    Admin,
    /// An admin whom no other admin can remove: the creator or its successor.
    SuperAdmin,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its address as the group's stanzas have it.
    pub(crate) id: Jid,
    /// The same person's other address, LID or phone number, if the service told it.
    pub(crate) twin: Option<Jid>,
    pub(crate) role: Role,
}

impl Member {
    /// Its address by LID, if known.
    pub(crate) fn lid(&self) -> Option<&Jid> {
        [Some(&self.id), self.twin.as_ref()].into_iter().flatten().find(|jid| jid.is_lid())
    }

    /// Its address by phone number, if known.
    pub(crate) fn phone(&self) -> Option<&Jid> {
        [Some(&self.id), self.twin.as_ref()].into_iter().flatten().find(|jid| jid.is_pn())
    }

    /// Whether one of its addresses is this one.
    pub(crate) fn is(&self, jid: &Jid) -> bool {
        self.id.same_account(jid) || self.twin.as_ref().is_some_and(|twin| twin.same_account(jid))
    }

    /// Whether both are the same person, as far as their addresses tell.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.is(&other.id) || other.twin.as_ref().is_some_and(|twin| self.is(twin))
    }
}

/// The description of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Description {
    /// Names this version of it; the next one has to say which it replaces.
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) author: Option<Jid>,
    /// Seconds since 1970.
    pub(crate) changed_at: i64,
}

/// That nobody can join a group by its link for some time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrowthLock {
    /// The service's word for its reason, if it gave one.
    pub reason: Option<String>,
    /// When it ends, seconds since 1970, if the service said so.
    pub until: Option<i64>,
}

/// A group as the service last told it, with what notifications changed since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GroupRow {
    /// Empty for a group without a name.
    pub(crate) subject: String,
    pub(crate) subject_author: Option<Jid>,
    /// Seconds since 1970.
    pub(crate) subject_changed_at: i64,
    pub(crate) addressing: Addressing,
    pub(crate) members: Vec<Member>,
    pub(crate) creator: Option<Jid>,
    /// Seconds since 1970.
    pub(crate) created_at: i64,
    pub(crate) description: Option<Description>,
    /// What is on.
    pub(crate) switches: Switches,
    /// After how many seconds messages disappear; 0: never.
    pub(crate) ephemeral: u32,
    /// It is a community, not a chat.
    pub(crate) is_community: bool,
    /// The community that it belongs to.
    pub(crate) community: Option<Jid>,
    /// The group in which the admins of a community announce.
    pub(crate) is_announcements: bool,
    /// The chat of a whole community.
    pub(crate) is_general_chat: bool,
    /// Only its members see it in the community.
    pub(crate) is_hidden: bool,
    /// The service has suspended it.
    pub(crate) suspended: bool,
    /// Nobody can join by the link.
    pub(crate) growth_lock: Option<GrowthLock>,
    /// Members, as the service counts them, where the list is cut short; else 0.
    pub(crate) size: u32,
    /// Version of the list of members (`p_v_id`).
    pub(crate) version: Option<String>,
    /// When the service told it, seconds since 1970.
    pub(crate) fetched_at: i64,
    /// Something happened that could not be applied: ask before it is used.
    pub(crate) stale: bool,
}

impl GroupRow {
    /// A member, by either address.
    pub(crate) fn member(&self, jid: &Jid) -> Option<&Member> {
        self.members.iter().find(|member| member.is(jid))
    }
}

/// A row that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a group could not be read")]
pub(crate) struct UnreadableGroup;

/// Everything but the members. Field numbers are never reused.
#[derive(Clone, PartialEq, prost::Message)]
struct DetailsRow {
    #[prost(string, tag = "1")]
    subject: String,
    #[prost(string, optional, tag = "2")]
    subject_author: Option<String>,
    #[prost(int64, tag = "3")]
    subject_changed_at: i64,
    #[prost(bool, tag = "4")]
    by_lid: bool,
    #[prost(string, optional, tag = "5")]
    creator: Option<String>,
    #[prost(int64, tag = "6")]
    created_at: i64,
    #[prost(message, optional, tag = "7")]
    description: Option<DescriptionRow>,
    /// The first four settings stood alone before there were `switches`; only read.
    #[prost(bool, tag = "8")]
    announce: bool,
    #[prost(bool, tag = "9")]
    locked: bool,
    #[prost(bool, tag = "10")]
    approval: bool,
    #[prost(bool, tag = "11")]
    members_add: bool,
    #[prost(uint32, tag = "12")]
    ephemeral: u32,
    #[prost(bool, tag = "13")]
    is_community: bool,
    #[prost(string, optional, tag = "14")]
    community: Option<String>,
    #[prost(bool, tag = "15")]
    is_announcements: bool,
    #[prost(string, optional, tag = "16")]
    version: Option<String>,
    #[prost(uint32, tag = "17")]
    switches: u32,
    #[prost(bool, tag = "18")]
    is_general_chat: bool,
    #[prost(bool, tag = "19")]
    is_hidden: bool,
    #[prost(bool, tag = "20")]
    suspended: bool,
    #[prost(message, optional, tag = "21")]
    growth_lock: Option<GrowthLockRow>,
    #[prost(uint32, tag = "22")]
    size: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct GrowthLockRow {
    #[prost(string, optional, tag = "1")]
    reason: Option<String>,
    #[prost(int64, optional, tag = "2")]
    until: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct DescriptionRow {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    text: String,
    #[prost(string, optional, tag = "3")]
    author: Option<String>,
    #[prost(int64, tag = "4")]
    changed_at: i64,
}

impl GroupRow {
    /// The stored form of everything but the members and what says how fresh it is.
    pub(crate) fn encode_details(&self) -> Vec<u8> {
        let text = |jid: &Option<Jid>| jid.as_ref().map(ToString::to_string);
        DetailsRow {
            subject: self.subject.clone(),
            subject_author: text(&self.subject_author),
            subject_changed_at: self.subject_changed_at,
            by_lid: self.addressing == Addressing::Lid,
            creator: text(&self.creator),
            created_at: self.created_at,
            description: self.description.as_ref().map(|description| DescriptionRow {
                id: description.id.clone(),
                text: description.text.clone(),
                author: text(&description.author),
                changed_at: description.changed_at,
            }),
            announce: false,
            locked: false,
            approval: false,
            members_add: false,
            ephemeral: self.ephemeral,
            is_community: self.is_community,
            community: text(&self.community),
            is_announcements: self.is_announcements,
            version: self.version.clone(),
            switches: self.switches.bits(),
            is_general_chat: self.is_general_chat,
            is_hidden: self.is_hidden,
            suspended: self.suspended,
            growth_lock: self
                .growth_lock
                .as_ref()
                .map(|lock| GrowthLockRow { reason: lock.reason.clone(), until: lock.until }),
            size: self.size,
        }
        .encode_to_vec()
    }

    /// The stored form of the members, about 18 bytes each: role and kinds of address in one byte, then
    /// the addresses. Users of people are numbers and stored as such.
    pub(crate) fn encode_members(&self) -> Vec<u8> {
        let mut packed = Vec::with_capacity(self.members.len().saturating_mul(18));
        for member in &self.members {
            let role = match member.role {
                Role::Member => 0,
                Role::Admin => 1,
                Role::SuperAdmin => 2,
            };
            let twin = member.twin.as_ref().map_or(NO_ADDRESS, address_kind);
            packed.push(role | address_kind(&member.id) << 2 | twin << 4);
            put_address(&mut packed, &member.id);
            if let Some(twin) = &member.twin {
                put_address(&mut packed, twin);
            }
        }
        packed
    }

    /// The inverse of both; how fresh it is, is kept beside them.
    pub(crate) fn decode(
        details: &[u8],
        mut members: &[u8],
        fetched_at: i64,
        stale: bool,
    ) -> Result<Self, UnreadableGroup> {
        let details = DetailsRow::decode(details).map_err(|_| UnreadableGroup)?;
        let mut switches = Switches::from_bits(details.switches);
        for (setting, on) in [
            (GroupSetting::Announce, details.announce),
            (GroupSetting::Locked, details.locked),
            (GroupSetting::ApprovalRequired, details.approval),
            (GroupSetting::MembersMayAdd, details.members_add),
        ] {
            if on {
                switches.set(setting, true);
            }
        }
        let jid = |text: Option<String>| {
            text.map(|text| text.parse::<Jid>()).transpose().map_err(|_| UnreadableGroup)
        };
        let mut row = Self {
            subject: details.subject,
            subject_author: jid(details.subject_author)?,
            subject_changed_at: details.subject_changed_at,
            addressing: if details.by_lid { Addressing::Lid } else { Addressing::PhoneNumber },
            members: Vec::with_capacity(members.len() / 17),
            creator: jid(details.creator)?,
            created_at: details.created_at,
            description: match details.description {
                None => None,
                Some(description) => Some(Description {
                    id: description.id,
                    text: description.text,
                    author: jid(description.author)?,
                    changed_at: description.changed_at,
                }),
            },
            switches,
            ephemeral: details.ephemeral,
            is_community: details.is_community,
            community: jid(details.community)?,
            is_announcements: details.is_announcements,
            is_general_chat: details.is_general_chat,
            is_hidden: details.is_hidden,
            suspended: details.suspended,
            growth_lock: details
                .growth_lock
                .map(|lock| GrowthLock { reason: lock.reason, until: lock.until }),
            size: details.size,
            version: details.version,
            fetched_at,
            stale,
        };
        while let Some((flags, rest)) = members.split_first() {
            members = rest;
            row.members.push(Member {
                role: match flags & 3 {
                    0 => Role::Member,
                    1 => Role::Admin,
                    2 => Role::SuperAdmin,
                    _ => return Err(UnreadableGroup),
                },
                id: take_address(&mut members, flags >> 2 & 3)?.ok_or(UnreadableGroup)?,
                twin: take_address(&mut members, flags >> 4 & 3)?,
            });
        }
        Ok(row)
    }
}

const NO_ADDRESS: u8 = 0;
const LID_NUMBER: u8 = 1;
const PHONE_NUMBER: u8 = 2;
/// Whatever else there may be, such as bots.
const ANY_TEXT: u8 = 3;

/// The user as a number, if that is all there is to the address.
fn number(jid: &Jid) -> Option<u64> {
    let user = jid.user();
    let plain = !jid.has_device() && jid.integrator() == 0 && !user.starts_with('0');
    if plain && user.bytes().all(|byte| byte.is_ascii_digit()) { user.parse().ok() } else { None }
}

pub(super) fn address_kind(jid: &Jid) -> u8 {
    match (jid.server(), number(jid)) {
        (Server::Lid, Some(_)) => LID_NUMBER,
        (Server::Pn, Some(_)) => PHONE_NUMBER,
        _ => ANY_TEXT,
    }
}

pub(super) fn put_address(packed: &mut Vec<u8>, jid: &Jid) {
    match number(jid).filter(|_| address_kind(jid) != ANY_TEXT) {
        Some(number) => packed.extend(number.to_be_bytes()),
        None => {
            let text = jid.to_string();
            packed.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            packed.extend(text.as_bytes());
        }
    }
}

pub(super) fn take_address(packed: &mut &[u8], kind: u8) -> Result<Option<Jid>, UnreadableGroup> {
    let mut take = |count: usize| {
        let (taken, rest) = packed.split_at_checked(count).ok_or(UnreadableGroup)?;
        *packed = rest;
        Ok(taken)
    };
    match kind {
        NO_ADDRESS => Ok(None),
        ANY_TEXT => {
            let length: [u8; 4] = take(4)?.try_into().map_err(|_| UnreadableGroup)?;
            let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| UnreadableGroup)?;
            let text = std::str::from_utf8(take(length)?).map_err(|_| UnreadableGroup)?;
            text.parse().map(Some).map_err(|_| UnreadableGroup)
        }
        kind => {
            let number: [u8; 8] = take(8)?.try_into().map_err(|_| UnreadableGroup)?;
            let user = u64::from_be_bytes(number).to_string();
            Ok(Some(if kind == LID_NUMBER { Jid::lid(&user) } else { Jid::pn(&user) }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> Jid {
        text.parse().unwrap()
    }

    pub(crate) fn full() -> GroupRow {
        let member = |id: &str, twin: Option<&str>, role| Member { id: jid(id), twin: twin.map(jid), role };
        GroupRow {
            subject: "Birds 🐦".to_owned(),
            subject_author: Some(jid("999888777666555@lid")),
            subject_changed_at: 1_795_176_000,
            addressing: Addressing::Lid,
            members: vec![
                member("999888777666555@lid", Some("5511888888888@s.whatsapp.net"), Role::SuperAdmin),
                member("18446744073709551615@lid", None, Role::Admin),
                member("5511777777777@s.whatsapp.net", Some("1@lid"), Role::Member),
                member("867051314767696@bot", None, Role::Member),
                member("0123@lid", Some("00@s.whatsapp.net"), Role::Member),
            ],
            creator: Some(jid("999888777666555@lid")),
            created_at: -1,
            description: Some(Description {
                id: "D1".to_owned(),
                text: "about\nbirds".to_owned(),
                author: Some(jid("1@lid")),
                changed_at: 7,
            }),
            switches: Switches::from_bits(0b101_1010_1111),
            ephemeral: 86_400,
            is_community: true,
            community: Some(jid("120363049999999999@g.us")),
            is_announcements: true,
            is_general_chat: true,
            is_hidden: true,
            suspended: true,
            growth_lock: Some(GrowthLock { reason: Some("invite".to_owned()), until: Some(8) }),
            size: 2_000_000,
            version: Some("1795176000123456".to_owned()),
            fetched_at: 9,
            stale: true,
        }
    }

    #[test]
    fn a_group_is_read_as_it_was_written() {
        for row in [full(), GroupRow::default()] {
            let (details, members) = (row.encode_details(), row.encode_members());
            assert_eq!(GroupRow::decode(&details, &members, row.fetched_at, row.stale), Ok(row));
        }
    }

    #[test]
    fn settings_that_stood_alone_are_still_read() {
        let former = DetailsRow { announce: true, members_add: true, switches: 0, ..DetailsRow::default() };
        let row = GroupRow::decode(&former.encode_to_vec(), &[], 0, false).unwrap();
        let switches = Switches::default().with(GroupSetting::Announce).with(GroupSetting::MembersMayAdd);
        assert_eq!(row.switches, switches);
    }

    #[test]
    fn a_large_list_is_small_and_a_damaged_one_is_refused() {
        let members: Vec<Member> = (0..1024_u64)
            .map(|n| Member {
                id: Jid::lid(&(100_000_000_000_000 + n).to_string()),
                twin: Some(Jid::pn(&(15_550_000_000 + n).to_string())),
                role: Role::Member,
            })
            .collect();
        let row = GroupRow { members, ..GroupRow::default() };
        let packed = row.encode_members();
        assert_eq!(packed.len(), 1024 * 17);
        for length in [1, 9, 16, packed.len() - 1] {
            assert_eq!(GroupRow::decode(&[], &packed[..length], 0, false), Err(UnreadableGroup));
        }
        assert_eq!(GroupRow::decode(&[], &[0b0000_0111, 0, 0], 0, false), Err(UnreadableGroup));
        assert_eq!(GroupRow::decode(&[], &[3], 0, false), Err(UnreadableGroup));
        assert_eq!(GroupRow::decode(&[0xff], &[], 0, false), Err(UnreadableGroup));
    }

    #[test]
    fn members_are_known_by_either_address() {
        let row = full();
        let first = row.member(&jid("5511888888888@s.whatsapp.net")).unwrap();
        assert_eq!(first.id, jid("999888777666555@lid"));
        assert!(row.member(&jid("1:3@lid")).is_some() && row.member(&jid("2@lid")).is_none());
    }
}
