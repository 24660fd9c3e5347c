//! Pictures of people and groups (features document §7.2, media document §15). The bytes are on the media
//! hosts, under addresses that need no key.

mod kept;

use whimbrel_wire::{Jid, Node};

use super::Service;
use super::accounts::{AccountId, DeviceId, Space};
use super::iq::Reply;
use crate::events::Event;
use crate::stanza::{self, Refusal};

use kept::Owner;
pub(super) use kept::{Picture, Pictures};

/// The service's number for a picture that is none, or too large.
const NO_PICTURE: u16 = 406;

impl Service {
    /// A device asks for a picture.
    pub(super) fn picture_query(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let target = request.attr_jid("target").ok_or_else(|| Refusal::code(400))?;
        let asked = request.child_named("picture").ok_or_else(|| Refusal::code(400))?;
        if stanza::plain(asked, "query") != Some("url") {
            return Err(Refusal::code(400));
        }
        let owner = self.picture_owner(&target).ok_or_else(|| Refusal::code(404))?;
        if owner == Owner::Person(device.account) && asked.child_named("tctoken").is_some() {
            // As clients report: a token for oneself is never answered.
            return Ok(Reply::Elsewhere);
        }
        let hidden = match &owner {
            Owner::Person(person) if *person != device.account => {
                self.needs_tokens(device.account) && !self.is_trusted(device.account, *person, asked)
            }
            _ => false,
        };
        if hidden || !self.shows_picture(&owner, device.account) {
            return Err(Refusal::code(401));
        }
        let picture = self.pictures.get(&owner).ok_or_else(|| Refusal::code(404))?;
        let known = stanza::text(asked, "id");
        if known.as_deref() == Some(picture.id.as_str()) {
            return Ok(Reply::Child(Node::new("picture").attr("status", "304")));
        }
        let full = stanza::plain(asked, "type") == Some("image");
        let hash = if full { &picture.full } else { &picture.preview };
        let path = self.shelf.path(hash).ok_or_else(|| Refusal::code(404))?;
        let host = self.first_media_host();
        let told = Node::new("picture")
            .attr("id", picture.id.clone())
            .attr("type", if full { "image" } else { "preview" })
            .attr("url", format!("https://{host}{path}"))
            .attr("direct_path", path);
        Ok(Reply::Child(told))
    }

    /// The entry of a group's picture in an answer about several; nothing if it has none.
    pub(super) fn group_picture(&self, group: &Jid, full: bool) -> Option<Node> {
        let picture = self.pictures.get(&Owner::Group(group.user().to_owned()))?;
        let path = self.shelf.path(if full { &picture.full } else { &picture.preview })?;
        let host = self.first_media_host();
        Some(
            Node::new("picture")
                .attr("jid", group.clone())
                .attr("id", picture.id.clone())
                .attr("type", if full { "image" } else { "preview" })
                .attr("url", format!("https://{host}{path}"))
                .attr("direct_path", path),
        )
    }

    /// A device sets a picture, or removes it.
    pub(super) fn picture_change(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let target = request.attr_jid("target");
        let picture = match request.child_named("picture") {
            Some(picture) => Some(picture.content_bytes().ok_or_else(|| Refusal::code(NO_PICTURE))?.to_vec()),
            None => None,
        };
        let id = self.change_picture(device.account, Some(device), target.as_ref(), picture)?;
        Ok(id.map_or(Reply::Empty, |id| Reply::Child(Node::new("picture").attr("id", id))))
    }

    /// Somebody sets or removes a picture, on a device or on a phone of a test. The id of the new one.
    pub(crate) fn change_picture_of(
        &mut self,
        number: &str,
        group: Option<&Jid>,
        picture: Option<Vec<u8>>,
    ) -> Result<Option<String>, Refusal> {
        let account = self.accounts.by_pn(number).ok_or_else(|| Refusal::code(404))?;
        self.change_picture(account, None, group, picture)
    }

    fn change_picture(
        &mut self,
        account: AccountId,
        device: Option<DeviceId>,
        target: Option<&Jid>,
        picture: Option<Vec<u8>>,
    ) -> Result<Option<String>, Refusal> {
        let owner = match target {
            None => Owner::Person(account),
            Some(target) => self.picture_owner(target).ok_or_else(|| Refusal::code(404))?,
        };
        self.may_change_picture(&owner, account, target)?;
        let id = match picture {
            Some(jpeg) => {
                let id = self.next_id();
                let made = Picture::keep(&self.shelf, id, &jpeg);
                let made = made.ok_or_else(|| Refusal::code(NO_PICTURE))?;
                let id = made.id.clone();
                self.pictures.put(owner.clone(), made);
                Some(id)
            }
            None if !self.pictures.remove(&owner) => return Ok(None),
            None => None,
        };
        self.log(Event::PictureChanged {
            of: self.picture_name(&owner),
            by: self.accounts.get(account).map(|account| account.pn.clone()).unwrap_or_default(),
            id: id.clone(),
        });
        self.tell_picture(&owner, account, device, id.as_deref());
        Ok(id)
    }

    fn may_change_picture(
        &self,
        owner: &Owner,
        account: AccountId,
        target: Option<&Jid>,
    ) -> Result<(), Refusal> {
        match owner {
            Owner::Person(person) if *person == account => Ok(()),
            Owner::Person(_) => Err(Refusal::code(403)),
            Owner::Group(_) => {
                let group = target.and_then(|target| self.groups.find(target));
                let group = group.ok_or_else(|| Refusal::code(404))?;
                if !group.is_member(account) {
                    Err(Refusal::code(403))
                } else if group.is_locked() && !group.is_admin(account) {
                    Err(Refusal::code(401))
                } else {
                    Ok(())
                }
            }
        }
    }

    fn picture_owner(&self, target: &Jid) -> Option<Owner> {
        if target.is_group() {
            return self.groups.find(target).map(|_| Owner::Group(target.user().to_owned()));
        }
        self.accounts.find(target).map(Owner::Person)
    }

    fn picture_name(&self, owner: &Owner) -> String {
        match owner {
            Owner::Group(id) => format!("{id}@g.us"),
            Owner::Person(person) => {
                self.accounts.get(*person).map(|account| account.pn.clone()).unwrap_or_default()
            }
        }
    }

    /// Whether somebody may see a picture: members those of groups, and people what the owner's setting says.
    fn shows_picture(&self, owner: &Owner, asking: AccountId) -> bool {
        match owner {
            Owner::Group(id) => self.groups.get(id).is_some_and(|group| group.is_member(asking)),
            Owner::Person(person) => self.sees(*person, "profile", asking),
        }
    }

    /// Tells those who may see it, and the account's other devices.
    fn tell_picture(&mut self, owner: &Owner, author: AccountId, except: Option<DeviceId>, id: Option<&str>) {
        let people: Vec<AccountId> = match owner {
            Owner::Group(group) => match self.groups.get(group) {
                Some(group) => group.members().collect(),
                None => return,
            },
            Owner::Person(person) => {
                let contacts = self.accounts.get(*person).map(|account| account.contacts.clone());
                let seen = |contact: &AccountId| self.shows_picture(owner, *contact);
                let contacts = contacts.unwrap_or_default().into_iter().filter(seen);
                contacts.chain([*person]).collect()
            }
        };
        let from = match owner {
            Owner::Group(group) => Jid::parse(&format!("{group}@g.us")).ok(),
            Owner::Person(person) => self.accounts.bare(*person, Space::Pn),
        };
        let (Some(from), Some(author)) = (from, self.accounts.bare(author, Space::Pn)) else { return };
        let child = Node::new(if id.is_some() { "set" } else { "delete" })
            .attr("jid", from.clone())
            .attr_opt("id", id.map(str::to_owned))
            .attr("author", author);
        for person in people {
            let (from, child) = (from.clone(), child.clone());
            self.notify_account(person, except, |service| {
                service.notification("picture", from.clone()).child(child.clone())
            });
        }
    }
}
