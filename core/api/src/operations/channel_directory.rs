//! The service's directory of channels.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error, FindChannels, parse_address};

use super::Operation;
use super::channels::{Channel, ChannelList};

/// Channels in an answer if nothing else is said.
const LIMIT: u32 = 25;

/// An order of the directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelView {
    /// What the service recommends.
    #[default]
    Recommended,
    /// What many follow just now.
    Trending,
    /// What many follow.
    Popular,
    /// What is new.
    New,
}

/// A page of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelPage {
    /// The channels.
    pub channels: Vec<Channel>,
    /// Where the next page begins; absent: this is the last.
    pub next: Option<String>,
}

impl From<whimbrel::ChannelPage> for ChannelPage {
    fn from(page: whimbrel::ChannelPage) -> Self {
        Self { channels: page.channels.iter().map(Into::into).collect(), next: page.next }
    }
}

/// Goes through the service's directory of channels.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BrowseChannels {
    /// In which order; what is recommended if it is absent.
    #[serde(default)]
    pub view: Option<ChannelView>,
    /// Countries by their codes of two letters; none: everywhere.
    #[serde(default)]
    pub countries: Vec<String>,
    /// Categories by the names that `list_channel_categories` tells; none: all.
    #[serde(default)]
    pub categories: Vec<String>,
    /// At most so many, 1 to 100; 25 if it is absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Where to begin: `next` of the page before.
    #[serde(default)]
    pub after: Option<String>,
}

impl Operation for BrowseChannels {
    const NAME: &'static str = "browse_channels";
    type Output = ChannelPage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ChannelPage, Error> {
        let mut find = FindChannels::default();
        find.view = match self.view.unwrap_or_default() {
            ChannelView::Recommended => "RECOMMENDED",
            ChannelView::Trending => "TRENDING",
            ChannelView::Popular => "POPULAR",
            ChannelView::New => "NEW",
        }
        .to_owned();
        find.countries = self.countries;
        find.categories = self.categories;
        find.limit = self.limit.unwrap_or(LIMIT);
        find.after = self.after;
        client.browse_channels(find, options).await.map(Into::into)
    }
}

/// Searches the service's directory of channels for words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SearchChannels {
    /// The words.
    pub text: String,
    /// Categories by the names that `list_channel_categories` tells; none: all.
    #[serde(default)]
    pub categories: Vec<String>,
    /// At most so many, 1 to 100; 25 if it is absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Where to begin: `next` of the page before.
    #[serde(default)]
    pub after: Option<String>,
}

impl Operation for SearchChannels {
    const NAME: &'static str = "search_channels";
    type Output = ChannelPage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ChannelPage, Error> {
        let mut find = FindChannels::default();
        find.categories = self.categories;
        find.limit = self.limit.unwrap_or(LIMIT);
        find.after = self.after;
        client.search_channels(&self.text, find, options).await.map(Into::into)
    }
}

/// Returns channels that the service recommends to this account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListRecommendedChannels {
    /// Countries by their codes of two letters; none: everywhere.
    #[serde(default)]
    pub countries: Vec<String>,
    /// At most so many, 1 to 100; 25 if it is absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

impl Operation for ListRecommendedChannels {
    const NAME: &'static str = "list_recommended_channels";
    type Output = ChannelList;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ChannelList, Error> {
        let limit = self.limit.unwrap_or(LIMIT);
        client.recommended_channels(&self.countries, limit, options).await.map(Into::into)
    }
}

/// Returns channels that are like one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListSimilarChannels {
    /// Address of the channel.
    #[schemars(extend("format" = "address"))]
    pub channel: String,
    /// Countries by their codes of two letters; none: everywhere.
    #[serde(default)]
    pub countries: Vec<String>,
    /// At most so many, 1 to 100; 25 if it is absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

impl Operation for ListSimilarChannels {
    const NAME: &'static str = "list_similar_channels";
    type Output = ChannelList;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ChannelList, Error> {
        let channel = parse_address(&self.channel)?;
        let limit = self.limit.unwrap_or(LIMIT);
        client.similar_channels(&channel, &self.countries, limit, options).await.map(Into::into)
    }
}

/// Returns the categories of the directory, each with some of its channels.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListChannelCategories {
    /// The country by its code of two letters.
    pub country: String,
    /// Only these, by the service's words; none: all.
    #[serde(default)]
    pub categories: Vec<String>,
    /// At most so many channels of each, 1 to 100; 25 if it is absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// A category of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelCategory {
    /// The service's word for it.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// Some channels of it.
    pub channels: Vec<Channel>,
}

/// Categories of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelCategories {
    /// The categories.
    pub categories: Vec<ChannelCategory>,
}

impl Operation for ListChannelCategories {
    const NAME: &'static str = "list_channel_categories";
    type Output = ChannelCategories;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ChannelCategories, Error> {
        let limit = self.limit.unwrap_or(LIMIT);
        let told = client.channel_categories(&self.country, &self.categories, limit, options).await?;
        let categories = told.into_iter().map(|category| ChannelCategory {
            name: category.name,
            title: category.title,
            channels: category.channels.iter().map(Into::into).collect(),
        });
        Ok(ChannelCategories { categories: categories.collect() })
    }
}
