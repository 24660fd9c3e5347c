//! The service's directory of channels (features document §4.2).

use serde_json::Value;
use whimbrel_wire::Jid;

use super::address;
use super::channel::Channel;
use super::graph::{self, Graph};
use crate::client::Client;
use crate::error::{Code, Error};
use crate::messages::Unit;
use crate::options::CallOptions;

/// Channels in one answer.
const MOST: u32 = 100;

/// A page of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelPage {
    /// The channels.
    pub channels: Vec<Channel>,
    /// Where the next page begins; `None`: this is the last.
    pub next: Option<String>,
}

/// A category of the directory, with some of its channels.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelCategory {
    /// The service's word for it, such as `SPORTS`.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// Some channels of it.
    pub channels: Vec<Channel>,
}

/// What to look for in the directory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FindChannels {
    /// The service's word for an order of the directory: `RECOMMENDED`, `TRENDING`, `POPULAR`, `NEW`. Without
    /// meaning for a search.
    pub view: String,
    /// Countries by their codes of two letters; none: everywhere. Without meaning for a search.
    pub countries: Vec<String>,
    /// Categories by the service's words; none: all.
    pub categories: Vec<String>,
    /// At most so many, 1 to 100; default 25.
    pub limit: u32,
    /// Where to begin: [`ChannelPage::next`] of the page before.
    pub after: Option<String>,
}

impl Default for FindChannels {
    fn default() -> Self {
        Self {
            view: "RECOMMENDED".to_owned(),
            countries: Vec::new(),
            categories: Vec::new(),
            limit: 25,
            after: None,
        }
    }
}

impl Client {
    /// Goes through the service's directory of channels.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for a limit that is not between 1 and 100; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn browse_channels(
        &self,
        find: FindChannels,
        options: CallOptions,
    ) -> Result<ChannelPage, Error> {
        let operation = "browse_channels";
        limited(find.limit, operation)?;
        let FindChannels { view, countries, categories, limit, after } = find;
        let variables = graph::browse(&view, &countries, &categories, limit, after.as_deref());
        self.channel_page(operation, graph::BROWSE, variables, options).await
    }

    /// Searches the service's directory of channels for words.
    ///
    /// # Errors
    /// Those of [`browse_channels`](Self::browse_channels).
    pub async fn search_channels(
        &self,
        text: &str,
        find: FindChannels,
        options: CallOptions,
    ) -> Result<ChannelPage, Error> {
        let operation = "search_channels";
        limited(find.limit, operation)?;
        let variables = graph::search(text, &find.categories, find.limit, find.after.as_deref());
        self.channel_page(operation, graph::SEARCH, variables, options).await
    }

    /// Channels that the service recommends to this account.
    ///
    /// # Errors
    /// Those of [`browse_channels`](Self::browse_channels).
    pub async fn recommended_channels(
        &self,
        countries: &[String],
        limit: u32,
        options: CallOptions,
    ) -> Result<Vec<Channel>, Error> {
        let operation = "list_recommended_channels";
        limited(limit, operation)?;
        let variables = graph::recommended(countries, limit);
        Ok(self.channel_page(operation, graph::RECOMMENDED, variables, options).await?.channels)
    }

    /// Channels that are like one.
    ///
    /// # Errors
    /// Those of [`browse_channels`](Self::browse_channels), and [`Code::NotFound`].
    pub async fn similar_channels(
        &self,
        channel: &Jid,
        countries: &[String],
        limit: u32,
        options: CallOptions,
    ) -> Result<Vec<Channel>, Error> {
        let operation = "list_similar_channels";
        let channel = address(channel).map_err(|error| error.in_operation(operation))?;
        limited(limit, operation)?;
        let variables = graph::similar(&channel, countries, limit);
        Ok(self.channel_page(operation, graph::SIMILAR, variables, options).await?.channels)
    }

    /// Categories of the directory, each with some of its channels. `country` is a code of two letters;
    /// without categories all that there are.
    ///
    /// # Errors
    /// Those of [`browse_channels`](Self::browse_channels).
    pub async fn channel_categories(
        &self,
        country: &str,
        categories: &[String],
        limit_each: u32,
        options: CallOptions,
    ) -> Result<Vec<ChannelCategory>, Error> {
        let operation = "list_channel_categories";
        limited(limit_each, operation)?;
        let variables = graph::categories(categories, country, limit_each);
        let take = |_: &mut Unit<'_>, answer: Value| {
            let made = |(name, title, channels)| ChannelCategory { name, title, channels };
            Ok(graph::read_categories(&answer).map(|all| all.into_iter().map(made).collect()))
        };
        self.ask_graph(operation, options, graph::CATEGORIES, move |_| Ok(variables), take).await
    }

    async fn channel_page(
        &self,
        operation: &'static str,
        asked: Graph,
        variables: Value,
        options: CallOptions,
    ) -> Result<ChannelPage, Error> {
        let take = |_: &mut Unit<'_>, answer: Value| {
            Ok(graph::read_page(&answer).map(|(channels, next)| ChannelPage { channels, next }))
        };
        self.ask_graph(operation, options, asked, move |_| Ok(variables), take).await
    }
}

fn limited(limit: u32, operation: &'static str) -> Result<(), Error> {
    if (1..=MOST).contains(&limit) {
        return Ok(());
    }
    Err(Error::new(Code::InvalidArgument, "the limit is not between 1 and 100").in_operation(operation))
}
