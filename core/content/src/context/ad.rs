//! Advertisements, and how a sender came to write (messages document §6.5). Businesses depend on
//! these values, so they are handed on as they are.

use whimbrel_proto::e2e::ContextInfo;
use whimbrel_proto::e2e::context_info::ExternalAdReplyInfo;

/// An advertisement, or a card that looks like one (`externalAdReply`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ad {
    /// Heading.
    pub title: Option<String>,
    /// Words.
    pub body: Option<String>,
    /// 0 none, 1 picture, 2 video.
    pub media_type: Option<i32>,
    /// Where a small picture is.
    pub thumbnail_url: Option<String>,
    /// A small picture, JPEG.
    pub thumbnail: Option<Vec<u8>>,
    /// Where the advertised picture or video is.
    pub media_url: Option<String>,
    /// What kind of thing the source is, such as `ad` or `post`.
    pub source_type: Option<String>,
    /// Its id.
    pub source_id: Option<String>,
    /// Where it is.
    pub source_url: Option<String>,
    /// The app that it was seen in.
    pub source_app: Option<String>,
    /// Names the click.
    pub click_id: Option<String>,
    /// Given by the advertiser.
    pub reference: Option<String>,
    /// Clients draw the picture large.
    pub large: bool,
    /// Clients say that it is an advertisement.
    pub attributed: bool,
}

impl Ad {
    pub(crate) fn read(ad: ExternalAdReplyInfo) -> Self {
        Self {
            title: ad.title,
            body: ad.body,
            media_type: ad.media_type,
            thumbnail_url: ad.thumbnail_url,
            thumbnail: ad.thumbnail,
            media_url: ad.media_url,
            source_type: ad.source_type,
            source_id: ad.source_id,
            source_url: ad.source_url,
            source_app: ad.source_app,
            click_id: ad.ctwa_clid,
            reference: ad.r#ref,
            large: ad.render_larger_thumbnail.unwrap_or_default(),
            attributed: ad.show_ad_attribution.unwrap_or_default(),
        }
    }

    pub(crate) fn write(&self) -> ExternalAdReplyInfo {
        ExternalAdReplyInfo {
            title: self.title.clone(),
            body: self.body.clone(),
            media_type: self.media_type,
            thumbnail_url: self.thumbnail_url.clone(),
            thumbnail: self.thumbnail.clone(),
            media_url: self.media_url.clone(),
            source_type: self.source_type.clone(),
            source_id: self.source_id.clone(),
            source_url: self.source_url.clone(),
            source_app: self.source_app.clone(),
            ctwa_clid: self.click_id.clone(),
            r#ref: self.reference.clone(),
            render_larger_thumbnail: self.large.then_some(true),
            show_ad_attribution: self.attributed.then_some(true),
            ..ExternalAdReplyInfo::default()
        }
    }
}

/// How a sender came to write.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversion {
    /// Where from, such as `FB_Ads`.
    pub source: Option<String>,
    /// Data of the advertisement.
    pub data: Option<Vec<u8>>,
    /// Seconds since the click.
    pub delay_seconds: Option<u32>,
    /// Where the chat was opened from.
    pub entry_source: Option<String>,
    /// The app in which it was.
    pub entry_app: Option<String>,
    /// Seconds since it was opened.
    pub entry_delay_seconds: Option<u32>,
    /// Signals of the click, opaque.
    pub signals: Option<String>,
    /// Payload of the click, opaque.
    pub payload: Option<Vec<u8>>,
}

impl Conversion {
    pub(crate) fn take(context: &mut ContextInfo) -> Option<Box<Self>> {
        let conversion = Self {
            source: context.conversion_source.take(),
            data: context.conversion_data.take(),
            delay_seconds: context.conversion_delay_seconds.take(),
            entry_source: context.entry_point_conversion_source.take(),
            entry_app: context.entry_point_conversion_app.take(),
            entry_delay_seconds: context.entry_point_conversion_delay_seconds.take(),
            signals: context.ctwa_signals.take(),
            payload: context.ctwa_payload.take(),
        };
        (conversion != Self::default()).then(|| Box::new(conversion))
    }

    pub(crate) fn put(&self, context: &mut ContextInfo) {
        context.conversion_source.clone_from(&self.source);
        context.conversion_data.clone_from(&self.data);
        context.conversion_delay_seconds = self.delay_seconds;
        context.entry_point_conversion_source.clone_from(&self.entry_source);
        context.entry_point_conversion_app.clone_from(&self.entry_app);
        context.entry_point_conversion_delay_seconds = self.entry_delay_seconds;
        context.ctwa_signals.clone_from(&self.signals);
        context.ctwa_payload.clone_from(&self.payload);
    }
}
