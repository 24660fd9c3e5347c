//! Votes, and how they are counted (messages document §7.4).

use std::collections::BTreeMap;

use whimbrel_proto::e2e::message::PollVoteMessage;
use whimbrel_wire::Jid;

use crate::key::Key;
use crate::kinds::poll::{OptionHash, Poll, option_hash};

/// Somebody voted. It replaces what the same person voted before.
#[derive(Clone, Debug, PartialEq)]
pub struct Vote {
    /// The poll's message.
    pub target: Key,
    /// Hashes of the options; none: the vote is taken back.
    pub selected: Vec<OptionHash>,
    /// The sender's time, in milliseconds since 1970.
    pub sent_at_ms: Option<i64>,
}

impl Vote {
    /// What is no hash is left out.
    pub(crate) fn read(target: Key, vote: PollVoteMessage, sent_at_ms: Option<i64>) -> Self {
        let selected = vote.selected_options.into_iter().filter_map(|hash| hash.try_into().ok());
        Self { target, selected: selected.collect(), sent_at_ms }
    }

    pub(crate) fn write(&self) -> PollVoteMessage {
        PollVoteMessage { selected_options: self.selected.iter().map(|hash| hash.to_vec()).collect() }
    }

    /// The options that it names, as far as the poll has them.
    #[must_use]
    pub fn options<'p>(&self, poll: &'p Poll) -> Vec<&'p str> {
        let chosen = poll.options.iter().filter(|option| self.selected.contains(&option_hash(option)));
        chosen.map(String::as_str).collect()
    }
}

/// The votes of a poll, by voter. Whoever calls has one address for each person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    votes: BTreeMap<Jid, (i64, Vec<OptionHash>)>,
}

/// Who voted for an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionVotes {
    /// The option; `None` for one that the poll does not have, which may have been added since.
    pub option: Option<String>,
    /// Its hash.
    pub hash: OptionHash,
    /// Who voted for it, in the order of their addresses.
    pub voters: Vec<Jid>,
}

impl Tally {
    /// Counts a vote. Returns whether it changed anything: an older one does not, and neither does
    /// one for more options than the poll lets select.
    pub fn add(&mut self, poll: &Poll, voter: &Jid, vote: &Vote) -> bool {
        let mut selected = vote.selected.clone();
        selected.sort_unstable();
        selected.dedup();
        let allowed = usize::try_from(poll.selectable).unwrap_or(usize::MAX);
        if allowed != 0 && selected.len() > allowed {
            return false;
        }
        let at = vote.sent_at_ms.unwrap_or_default();
        let voter = voter.to_bare();
        if self.votes.get(&voter).is_some_and(|(before, _)| *before > at) {
            return false;
        }
        self.votes.insert(voter, (at, selected));
        true
    }

    /// Who voted for what: the poll's options in their order, then those that it does not have.
    #[must_use]
    pub fn result(&self, poll: &Poll) -> Vec<OptionVotes> {
        let mut by_hash: BTreeMap<OptionHash, Vec<Jid>> = BTreeMap::new();
        for (voter, (_, selected)) in &self.votes {
            for hash in selected {
                by_hash.entry(*hash).or_default().push(voter.clone());
            }
        }
        let mut result: Vec<OptionVotes> = poll
            .options
            .iter()
            .map(|option| {
                let hash = option_hash(option);
                let voters = by_hash.remove(&hash).unwrap_or_default();
                OptionVotes { option: Some(option.clone()), hash, voters }
            })
            .collect();
        result.extend(by_hash.into_iter().map(|(hash, voters)| OptionVotes { option: None, hash, voters }));
        result
    }

    /// How many people have a vote.
    #[must_use]
    pub fn voters(&self) -> usize {
        self.votes.values().filter(|(_, selected)| !selected.is_empty()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(options: &[&str], at: i64) -> Vote {
        let selected = options.iter().map(|option| option_hash(option)).collect();
        Vote { target: Key::default(), selected, sent_at_ms: Some(at) }
    }

    #[test]
    fn the_newest_vote_of_everybody_counts() {
        let poll = Poll {
            name: "?".to_owned(),
            options: vec!["Yes".to_owned(), "No".to_owned()],
            selectable: 1,
            ..Poll::default()
        };
        let (ana, ben) = (Jid::lid("1"), Jid::lid("2"));
        let mut tally = Tally::default();
        assert!(tally.add(&poll, &ana, &vote(&["Yes"], 5)));
        assert!(tally.add(&poll, &ben.with_device(3), &vote(&["Later"], 1)));
        assert!(!tally.add(&poll, &ana, &vote(&["No"], 4)));
        assert!(!tally.add(&poll, &ana, &vote(&["Yes", "No"], 9)));
        let counted = |tally: &Tally| -> Vec<(Option<String>, usize)> {
            tally.result(&poll).into_iter().map(|votes| (votes.option, votes.voters.len())).collect()
        };
        let some = |option: &str| Some(option.to_owned());
        assert_eq!(counted(&tally), [(some("Yes"), 1), (some("No"), 0), (None, 1)]);
        assert!(tally.add(&poll, &ben, &vote(&[], 6)));
        assert_eq!((counted(&tally), tally.voters()), (vec![(some("Yes"), 1), (some("No"), 0)], 1));
        assert_eq!(vote(&["No", "Later"], 0).options(&poll), ["No"]);
    }
}
