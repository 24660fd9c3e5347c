//! Looking communities up.

use whimbrel_wire::Jid;

use super::super::events::GroupSuggestion;
use super::super::{Group, group_address};
use super::stanza::{self, Listed};
use super::{CommunityGroup, GroupSize, told};
use crate::client::Client;
use crate::devices::identity::Source;
#[cfg(doc)]
use crate::error::Code;
use crate::error::Error;
use crate::events::Identity;
use crate::messages::Unit;
use crate::options::CallOptions;
use crate::store::StoreError;

impl Client {
    /// Returns the groups of a community that this account may see. With `details` also which of them are
    /// hidden, which want approval and how many wait for it, but not who made them.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account is not in it; [`Code::NotFound`];
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn community_groups(
        &self,
        community: &Jid,
        details: bool,
        options: CallOptions,
    ) -> Result<Vec<CommunityGroup>, Error> {
        let operation = "list_community_groups";
        let community = group_address(community).map_err(|error| error.in_operation(operation))?;
        if details {
            let variables = stanza::about(&community);
            return self
                .ask_graph(
                    operation,
                    options,
                    stanza::GROUPS,
                    |_| Ok(variables),
                    |unit, answer| {
                        stanza::listed_graph(&answer).map(|listed| groups(unit, listed)).transpose()
                    },
                )
                .await;
        }
        let request = stanza::groups(&community);
        self.ask_about_groups(
            operation,
            options,
            |_| Ok(request),
            |unit, answer| stanza::listed(answer).map(|listed| groups(unit, listed)).transpose(),
        )
        .await
    }

    /// Returns everybody who is in any group of a community.
    ///
    /// # Errors
    /// As [`community_groups`](Self::community_groups).
    pub async fn community_members(
        &self,
        community: &Jid,
        options: CallOptions,
    ) -> Result<Vec<Identity>, Error> {
        let operation = "list_community_members";
        let community = group_address(community).map_err(|error| error.in_operation(operation))?;
        let request = stanza::participants(&community);
        self.ask_about_groups(
            operation,
            options,
            |_| Ok(request),
            |unit, answer| {
                let Some(members) = stanza::everybody(answer) else { return Ok(None) };
                let mut people = Vec::with_capacity(members.len());
                for member in members {
                    if let Some(twin) = &member.twin {
                        unit.learn(&member.id, twin, Source::Seed)?;
                    }
                    people.push(unit.identity_of(&member.id)?);
                }
                Ok(Some(people))
            },
        )
        .await
    }

    /// Returns how many are in each group of a community.
    ///
    /// # Errors
    /// As [`community_groups`](Self::community_groups).
    pub async fn community_sizes(
        &self,
        community: &Jid,
        options: CallOptions,
    ) -> Result<Vec<GroupSize>, Error> {
        let operation = "count_community_members";
        let community = group_address(community).map_err(|error| error.in_operation(operation))?;
        let variables = stanza::sizes(&community);
        self.ask_graph(
            operation,
            options,
            stanza::SIZES,
            |_| Ok(variables),
            |_, answer| {
                let counted = stanza::counted(&answer);
                Ok(counted
                    .map(|all| all.into_iter().map(|(group, size)| GroupSize { group, size }).collect()))
            },
        )
        .await
    }

    /// Returns a group of a community that this account is not in. Not all members are listed.
    ///
    /// # Errors
    /// As [`community_groups`](Self::community_groups).
    pub async fn preview_community_group(
        &self,
        community: &Jid,
        group: &Jid,
        options: CallOptions,
    ) -> Result<Group, Error> {
        let operation = "preview_community_group";
        let checked = group_address(community).and_then(|jid| Ok((jid, group_address(group)?)));
        let (community, group) = checked.map_err(|error| error.in_operation(operation))?;
        self.preview_group(operation, options, stanza::preview(&community, &group)).await
    }

    /// Returns the groups that members suggest for a community.
    ///
    /// # Errors
    /// As [`community_groups`](Self::community_groups).
    pub async fn group_suggestions(
        &self,
        community: &Jid,
        options: CallOptions,
    ) -> Result<Vec<GroupSuggestion>, Error> {
        let operation = "list_group_suggestions";
        let community = group_address(community).map_err(|error| error.in_operation(operation))?;
        let variables = stanza::about(&community);
        self.ask_graph(
            operation,
            options,
            stanza::SUGGESTIONS,
            |_| Ok(variables),
            |unit, answer| stanza::suggested(&answer).map(|suggested| told(unit, suggested)).transpose(),
        )
        .await
    }
}

fn groups(unit: &mut Unit<'_>, listed: Vec<(Jid, Listed)>) -> Result<Vec<CommunityGroup>, StoreError> {
    let tell = |(id, listed): (Jid, Listed)| {
        Ok(CommunityGroup {
            id,
            subject: listed.subject,
            subject_changed_at: listed.subject_changed_at,
            created_at: listed.created_at,
            creator: listed.creator.map(|jid| unit.identity_of(&jid)).transpose()?,
            size: listed.size,
            is_announcements: listed.is_announcements,
            is_general_chat: listed.is_general_chat,
            is_hidden: listed.is_hidden,
            approval_required: listed.approval,
            waiting: listed.waiting,
        })
    };
    listed.into_iter().map(tell).collect()
}
