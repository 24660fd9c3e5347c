//! The directory of channels: those that a test put into it (features document §4.2).

use serde_json::{Value, json};
use whimbrel_wire::Jid;

use super::super::Service;
use super::graph::{limit_of, words};
use super::state::Channel;
use crate::stanza::Refusal;

impl Service {
    /// Lists a channel in the directory under a category. Tells whether there is such a channel.
    pub(crate) fn list_in_directory(&mut self, jid: &Jid, category: &str, verified: bool) -> bool {
        let Some(channel) = self.channels.get_mut(jid) else { return false };
        channel.category = Some(category.to_owned());
        channel.verified = verified;
        true
    }

    /// Listed channels that fit, the most followed first.
    fn listed(&self, fits: impl Fn(&Channel) -> bool) -> Vec<&Channel> {
        let listed = self.channels.iter().filter(|channel| !channel.deleted && channel.category.is_some());
        let mut found: Vec<&Channel> = listed.filter(|channel| fits(channel)).collect();
        found.sort_by(|a, b| b.followers.len().cmp(&a.followers.len()).then_with(|| a.jid.cmp(&b.jid)));
        found
    }

    fn page(&self, found: &[&Channel], input: &Value) -> Result<Value, Refusal> {
        let start = match input.get("start_cursor").and_then(Value::as_str) {
            None | Some("") => 0,
            Some(cursor) => cursor.parse::<usize>().map_err(|_| Refusal::code(400))?,
        };
        let limit = limit_of(input, "limit")?;
        let end = found.len().min(start.saturating_add(limit));
        let part = found.get(start..end).unwrap_or_default();
        let result: Vec<Value> = part.iter().map(|channel| self.channel_json(channel, None)).collect();
        Ok(json!({
            "page_info": {
                "hasNextPage": end < found.len(),
                "hasPreviousPage": start > 0,
                "startCursor": start.to_string(),
                "endCursor": end.to_string(),
            },
            "result": result,
        }))
    }

    pub(super) fn browse(&self, input: &Value) -> Result<Value, Refusal> {
        let filters = input.get("filters").unwrap_or(&Value::Null);
        let categories = words(filters, "categories");
        let found = self.listed(|channel| in_category(channel, &categories));
        self.page(&found, input)
    }

    pub(super) fn search(&self, input: &Value) -> Result<Value, Refusal> {
        let text = input.get("search_text").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        let categories = words(input, "categories");
        let found = self.listed(|channel| {
            in_category(channel, &categories) && channel.name.text.to_lowercase().contains(&text)
        });
        self.page(&found, input)
    }

    pub(super) fn similar(&self, input: &Value) -> Result<Value, Refusal> {
        let jid =
            input.get("newsletter_id").and_then(Value::as_str).and_then(|text| text.parse::<Jid>().ok());
        let like = self.living_channel(&jid.ok_or_else(|| Refusal::code(400))?)?;
        let found = self.listed(|channel| channel.category == like.category && channel.jid != like.jid);
        self.page(&found, input)
    }

    pub(super) fn categories(&self, input: &Value) -> Result<Value, Refusal> {
        let (wanted, each) = (words(input, "categories"), limit_of(input, "per_category_limit")?);
        let mut all: Vec<&String> =
            self.listed(|_| true).into_iter().filter_map(|channel| channel.category.as_ref()).collect();
        all.sort_unstable();
        all.dedup();
        all.retain(|category| wanted.is_empty() || wanted.contains(category));
        let preview = |category: &&String| {
            let found = self.listed(|channel| channel.category.as_ref() == Some(category));
            let found = found.into_iter().take(each).map(|channel| self.channel_json(channel, None));
            json!({
                "category": category,
                "category_title": category.to_lowercase(),
                "newsletters": found.collect::<Vec<_>>(),
            })
        };
        Ok(json!({ "result": all.iter().map(preview).collect::<Vec<_>>() }))
    }
}

fn in_category(channel: &Channel, wanted: &[String]) -> bool {
    wanted.is_empty() || channel.category.as_ref().is_some_and(|category| wanted.contains(category))
}
