//! Operations of the GraphQL interface about channels (features document §4.2). Where clients read an
//! answer under different names, it stands under each.

use serde_json::{Value, json};
use whimbrel_proto::mex;
use whimbrel_wire::Jid;

use super::super::Service;
use super::super::accounts::{AccountId, Space};
use super::By;
use super::json::{role, state_json};
use super::state::Channel;
use crate::stanza::Refusal;

/// Channels or people in one answer.
const MOST: u64 = 5_000;

impl Service {
    /// An operation about channels by its number; nothing if it is about something else.
    pub(in super::super) fn channel_graph(
        &mut self,
        by: By,
        id: &str,
        variables: &Value,
    ) -> Option<Result<Value, Refusal>> {
        let mut names = mex::named_by(id).map(|operation| operation.name);
        let first = names.next()?;
        // One number stands for two operations: they differ in whether they name a channel.
        let name = match (first, variables.get("newsletter_id").is_some()) {
            ("FetchAllNewslettersMetadata", true) => names.next().unwrap_or(first),
            _ => first,
        };
        self.channel_operation(by, name, variables)
    }

    /// An operation about channels by its name.
    pub(in super::super) fn channel_operation(
        &mut self,
        by: By,
        name: &str,
        variables: &Value,
    ) -> Option<Result<Value, Refusal>> {
        let about_channels = name.contains("Newsletter") || name.contains("PlaintextLinkPreview");
        about_channels.then(|| self.operate(by, name, variables))
    }

    /// Somebody does something on the phone.
    pub(crate) fn act_on_channel(
        &mut self,
        number: &str,
        name: &str,
        variables: &Value,
    ) -> Result<Value, Refusal> {
        let account = self.accounts.by_pn(number).ok_or_else(|| Refusal::code(404))?;
        let by = By { account, device: None };
        self.channel_operation(by, name, variables).unwrap_or_else(|| Err(Refusal::code(400)))
    }

    /// The hidden address of somebody.
    pub(crate) fn lid_of_number(&self, number: &str) -> Option<Jid> {
        self.accounts.bare(self.accounts.by_pn(number)?, Space::Lid)
    }

    fn operate(&mut self, by: By, name: &str, variables: &Value) -> Result<Value, Refusal> {
        let input = variables.get("input").unwrap_or(&Value::Null);
        let jid = || named(variables, "newsletter_id");
        let done = |jid: &Jid| json!({ "id": jid.to_string() });
        Ok(match name {
            "CreateNewsletter" => {
                let input = variables.get("newsletter_input").unwrap_or(input);
                let jid = self.create_channel(by, input)?;
                let channel = self.living_channel(&jid)?;
                json!({ "xwa2_newsletter_create": self.channel_json(channel, Some(by.account)) })
            }
            "FetchNewsletter" | "FetchNewsletterDehydrated" => {
                let viewer = variables.get("fetch_viewer_metadata") != Some(&Value::Bool(false));
                let found = self.found(input)?;
                let viewer = viewer.then_some(by.account);
                json!({ "xwa2_newsletter": found.map(|channel| self.channel_json(channel, viewer)) })
            }
            "FetchAllNewslettersMetadata" => {
                let mine = self.channels.iter().filter(|channel| channel.is_reader(by.account));
                let mine = mine.map(|channel| self.channel_json(channel, Some(by.account)));
                json!({ "xwa2_newsletter_subscribed": mine.collect::<Vec<_>>() })
            }
            "JoinNewsletter" => {
                self.follow(by, &jid()?)?;
                json!({ "xwa2_newsletter_join_v2": self.with_state(&jid()?)? })
            }
            "LeaveNewsletter" => {
                self.unfollow(by, &jid()?)?;
                json!({ "xwa2_newsletter_leave_v2": self.with_state(&jid()?)? })
            }
            "MuteNewsletter" => {
                self.mute_channel(by, &jid()?, "MUTE_ADMIN_ACTIVITY", true)?;
                json!({ "xwa2_newsletter_mute_v2": self.with_state(&jid()?)? })
            }
            "UnmuteNewsletter" => {
                self.mute_channel(by, &jid()?, "MUTE_ADMIN_ACTIVITY", false)?;
                json!({ "xwa2_newsletter_unmute_v2": self.with_state(&jid()?)? })
            }
            "UpdateNewsletterUserSetting" => {
                let jid = named(input, "newsletter_id")?;
                let word = |name| input.get(name).and_then(Value::as_str).unwrap_or_default();
                let muted = match word("value") {
                    "ON" => true,
                    "OFF" => false,
                    _ => return Err(Refusal::code(400)),
                };
                self.mute_channel(by, &jid, word("type"), muted)?;
                json!({ "xwa2_newsletter_update_user_setting": self.with_state(&jid)? })
            }
            "UpdateNewsletter" => {
                let updates = variables.get("updates").filter(|updates| updates.is_object());
                self.update_channel(by, &jid()?, updates.ok_or_else(|| Refusal::code(400))?)?;
                let channel = self.living_channel(&jid()?)?;
                json!({ "xwa2_newsletter_update": self.channel_json(channel, None) })
            }
            "DeleteNewsletter" => {
                self.delete_channel(by, &jid()?)?;
                json!({ "xwa2_newsletter_delete_v2": self.with_state(&jid()?)? })
            }
            "ChangeNewsletterOwner" => {
                self.change_owner(by, &jid()?, self.channel_person(variables)?)?;
                json!({ "xwa2_newsletter_change_owner": done(&jid()?) })
            }
            "DemoteNewsletterAdmin" => {
                self.demote_admin(by, &jid()?, self.channel_person(variables)?)?;
                let done = done(&jid()?);
                json!({ "xwa2_newsletter_admin_demote": done, "xwa2_newsletter_demote": done })
            }
            "CreateNewsletterAdminInvite" => {
                let until = self.invite_admin(by, &jid()?, self.channel_person(variables)?)?;
                let told = json!({ "id": jid()?.to_string(), "invite_expiration_time": until.to_string() });
                json!({ "xwa2_newsletter_admin_invite_create": told })
            }
            "AcceptNewsletterAdminInvite" => {
                self.accept_admin_role(by, &jid()?)?;
                json!({ "xwa2_newsletter_admin_invite_accept": done(&jid()?) })
            }
            "RevokeNewsletterAdminInvite" => {
                self.revoke_admin_invitation(by, &jid()?, self.channel_person(variables)?)?;
                json!({ "xwa2_newsletter_admin_invite_revoke": done(&jid()?) })
            }
            "FetchNewsletterAdminInfo" => {
                let channel = self.for_admins(by, &jid()?)?;
                json!({ "xwa2_newsletter_admin": {
                    "id": channel.jid.to_string(),
                    "admin_count": channel.admins.len() + 1,
                    "admin_profile": null,
                    "admin_settings": { "admin_profiles_enabled": false },
                } })
            }
            "FetchNewsletterAdminCapabilities" => {
                let channel = self.for_admins(by, &jid()?)?;
                let capabilities = ["INVITE_ADMINS_BUTTON", "PINNED_MESSAGES", "THREAD_MENU"];
                json!({ "xwa2_newsletter_admin": { "id": channel.jid.to_string(), "capabilities": capabilities } })
            }
            "FetchNewsletterPendingInvites" => {
                let channel = self.for_admins(by, &jid()?)?;
                let invited = channel
                    .invited
                    .keys()
                    .map(|person| json!({ "user": { "id": self.lid(*person), "pn": self.pn(*person) } }));
                let invited = json!({
                    "id": channel.jid.to_string(),
                    "pending_admin_invites": invited.collect::<Vec<_>>(),
                });
                let subscribers =
                    json!({ "id": channel.jid.to_string(), "subscribers": self.followers(channel, MOST) });
                json!({ "xwa2_newsletter_admin": invited, "xwa2_newsletter_subscribers": subscribers })
            }
            "FetchNewsletterFollowers" => {
                let jid = named(input, "newsletter_id").or_else(|_| jid())?;
                let channel = self.for_admins(by, &jid)?;
                let count = input.get("count").and_then(Value::as_u64).unwrap_or(MOST);
                let edges = self.followers(channel, count);
                json!({
                    "xwa2_newsletter_followers": { "id": jid.to_string(), "followers": edges },
                    "xwa2_newsletter_subscribers": { "id": jid.to_string(), "subscribers": edges },
                })
            }
            "FetchNewsletterPollVoters" => json!({ "voter_list": self.voters(by, input)? }),
            "FetchNewsletterMessageReactionSenderList" => {
                json!({ "xwa2_newsletters_reaction_sender_list": self.reaction_senders(by, input)? })
            }
            "NewsletterPinMessages" | "NewsletterUnpinMessages" => {
                let (jid, ids) = (jid()?, words(input, "message_ids"));
                let pins = name == "NewsletterPinMessages";
                self.pin_in_channel(by, &jid, &ids, pins)?;
                let channel = self.living_channel(&jid)?;
                let told = json!({ "id": jid.to_string(), "thread_metadata": self.thread_json(channel) });
                let root =
                    if pins { "xwa2_newsletter_pin_messages" } else { "xwa2_newsletter_unpin_messages" };
                json!({ root: told })
            }
            "FetchNewsletterDirectoryList" => {
                json!({ "xwa2_newsletters_directory_list": self.browse(input)? })
            }
            "FetchNewsletterDirectorySearchResults" => {
                json!({ "xwa2_newsletters_directory_search": self.search(input)? })
            }
            "FetchNewsletterDirectoryCategoriesPreview" => {
                json!({ "xwa2_newsletters_directory_category_preview": self.categories(input)? })
            }
            "FetchRecommendedNewsletters" => json!({ "xwa2_newsletters_recommended": self.browse(input)? }),
            "FetchSimilarNewsletters" => json!({ "xwa2_newsletters_similar": self.similar(input)? }),
            // What is known and not needed here is answered with nothing, as the service does at worst.
            _ => json!({ root_of(name): null }),
        })
    }

    /// The channel that a question names, by address or link.
    fn found(&self, input: &Value) -> Result<Option<&Channel>, Refusal> {
        let key = input.get("key").and_then(Value::as_str).ok_or_else(|| Refusal::code(400))?;
        match input.get("type").and_then(Value::as_str) {
            Some("JID") => {
                let jid: Jid = key.parse().map_err(|_| Refusal::code(400))?;
                Ok(self.channels.get(&jid))
            }
            Some("INVITE") => Ok(self.channels.by_invite(key)),
            _ => Err(Refusal::code(400)),
        }
    }

    fn with_state(&self, jid: &Jid) -> Result<Value, Refusal> {
        let channel = self.channels.get(jid).ok_or_else(|| Refusal::code(404))?;
        Ok(json!({ "id": jid.to_string(), "state": state_json(channel) }))
    }

    /// A channel whose admins ask for something that others are not told.
    fn for_admins(&self, by: By, jid: &Jid) -> Result<&Channel, Refusal> {
        let channel = self.living_channel(jid)?;
        if channel.is_admin(by.account) { Ok(channel) } else { Err(Refusal::code(403)) }
    }

    /// Somebody who is named by the hidden address, as the web client does.
    fn channel_person(&self, variables: &Value) -> Result<AccountId, Refusal> {
        let text = variables.get("user_id").and_then(Value::as_str).ok_or_else(|| Refusal::code(400))?;
        let jid: Jid = text.parse().map_err(|_| Refusal::code(400))?;
        if Space::of(&jid) != Some(Space::Lid) {
            return Err(Refusal::code(400));
        }
        self.accounts.find(&jid).ok_or_else(|| Refusal::code(404))
    }

    fn lid(&self, account: AccountId) -> Option<String> {
        self.accounts.bare(account, Space::Lid).map(|jid| jid.to_string())
    }

    fn pn(&self, account: AccountId) -> Option<String> {
        self.accounts.bare(account, Space::Pn).map(|jid| jid.to_string())
    }

    fn followers(&self, channel: &Channel, count: u64) -> Value {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let edges = channel.followers.iter().take(count).map(|(account, follower)| {
            let name = self.accounts.get(*account).map(|account| account.name.clone());
            json!({
                "node": {
                    "id": self.lid(*account),
                    "display_name": name,
                    "pn": self.pn(*account),
                    "username_info": null,
                },
                "follow_time": follower.since.to_string(),
                "role": role(channel, *account),
                "admin_profile": null,
            })
        });
        json!({ "edges": edges.collect::<Vec<_>>() })
    }

    fn voters(&self, by: By, input: &Value) -> Result<Value, Refusal> {
        let channel = self.for_admins(by, &named(input, "newsletter_id")?)?;
        let post = channel.post(number_of(input, "server_id")?).ok_or_else(|| Refusal::code(404))?;
        let limit = limit_of(input, "limit")?;
        let wanted = input.get("vote_hash").and_then(Value::as_str).unwrap_or_default();
        let hash = hex::decode(wanted).map_err(|_| Refusal::code(400))?;
        let voters = post.votes.iter().filter(|(_, (_, options))| options.contains(&hash));
        let voters = voters.take(limit).map(|(person, (time, _))| {
            json!({ "action_time": time.to_string(), "node": { "id": self.lid(*person) } })
        });
        let edges: Vec<Value> = voters.collect();
        Ok(json!({ "votes": [{ "vote_hash": wanted, "voter_list": { "edges": edges } }] }))
    }

    fn reaction_senders(&self, by: By, input: &Value) -> Result<Value, Refusal> {
        let channel = self.for_admins(by, &named(input, "id")?)?;
        let post = channel.post(number_of(input, "server_id")?).ok_or_else(|| Refusal::code(404))?;
        let mut codes: Vec<&String> = post.reactions.values().collect();
        codes.sort_unstable();
        codes.dedup();
        let reactions = codes.into_iter().map(|code| {
            let senders = post.reactions.iter().filter(|(_, used)| *used == code);
            let edges = senders.map(
                |(person, _)| json!({ "node": { "id": self.lid(*person), "profile_pic_direct_path": null } }),
            );
            json!({ "reaction_code": code, "sender_list": { "edges": edges.collect::<Vec<_>>() } })
        });
        Ok(json!({ "reactions": reactions.collect::<Vec<_>>() }))
    }
}

fn named(variables: &Value, key: &str) -> Result<Jid, Refusal> {
    let text = variables.get(key).and_then(Value::as_str).ok_or_else(|| Refusal::code(400))?;
    let jid: Jid = text.parse().map_err(|_| Refusal::code(400))?;
    if jid.is_newsletter() { Ok(jid) } else { Err(Refusal::code(400)) }
}

/// A number that is written as text.
fn number_of(input: &Value, key: &str) -> Result<u64, Refusal> {
    let told = input.get(key);
    let number = told.and_then(|told| told.as_u64().or_else(|| told.as_str()?.parse().ok()));
    number.ok_or_else(|| Refusal::code(400))
}

pub(super) fn limit_of(input: &Value, key: &str) -> Result<usize, Refusal> {
    let limit = input.get(key).and_then(Value::as_u64).filter(|limit| (1..=MOST).contains(limit));
    limit.and_then(|limit| usize::try_from(limit).ok()).ok_or_else(|| Refusal::code(400))
}

pub(super) fn words(input: &Value, key: &str) -> Vec<String> {
    let list = input.get(key).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Under which name an operation answers that the sandbox does nothing for.
fn root_of(name: &str) -> &'static str {
    match name {
        "FetchNewsletterEnforcements" => "xwa2_channel_enforcements",
        "FetchNewsletterInsights" => "xwa2_newsletter_admin_insights",
        "FetchNewsletterIsDomainPreviewable" => "xwa2_newsletter_message_integrity",
        "FetchNewsletterReports" => "xwa2_channels_reports",
        "FetchPlaintextLinkPreview" => "xwa2_newsletter_link_preview",
        "LogNewsletterExposures" => "xwa2_newsletter_log_exposures",
        "NewsletterAddPaidPartnershipLabel" => "xwa2_newsletter_label_paid_partnership",
        "NewsletterLabelAiContent" => "xwa2_newsletter_label_ai_content",
        "NewsletterQuestionResponseStateUpdate" => "xwa2_newsletter_question_response_state_update",
        _ => "xwa2_newsletter",
    }
}
