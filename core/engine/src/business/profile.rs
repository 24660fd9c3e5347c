//! What businesses and bots say of themselves. The types.

use whimbrel_wire::Jid;

/// What a business says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BusinessProfile {
    /// Where it is.
    pub address: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Where it can be written to.
    pub email: Option<String>,
    /// Its websites.
    pub websites: Vec<String>,
    /// What it is, by the service's number and in words.
    pub categories: Vec<(String, String)>,
    /// The time zone of its hours, such as `America/Sao_Paulo`.
    pub timezone: Option<String>,
    /// When it is open.
    pub hours: Vec<BusinessHours>,
    /// What else is told, by name.
    pub options: Vec<(String, String)>,
}

/// When a business is open on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessHours {
    /// `sun`, `mon`, `tue`, `wed`, `thu`, `fri` or `sat`.
    pub day: String,
    /// `open_24h`, `specific_hours` or `appointment_only`.
    pub mode: String,
    /// Minutes after midnight, of specific hours.
    pub opens: Option<u32>,
    /// Minutes after midnight, of specific hours.
    pub closes: Option<u32>,
}

/// What shall be otherwise in this business's profile. `None`: as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProfileUpdate {
    /// Where it is.
    pub address: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Where it can be written to.
    pub email: Option<String>,
    /// Its websites, at most two.
    pub websites: Option<Vec<String>>,
    /// The time zone of its hours, and the hours.
    pub hours: Option<(String, Vec<BusinessHours>)>,
}

/// A bot that the service offers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bot {
    /// Its address.
    pub id: Jid,
    /// Which of its persons it is.
    pub persona: String,
}

/// What a bot says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BotProfile {
    /// Its address.
    pub id: Jid,
    /// Which of its persons it is.
    pub persona: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What it is.
    pub category: String,
    /// It is the one that the service offers first.
    pub is_default: bool,
    /// What one may begin with: an emoji and words.
    pub prompts: Vec<(String, String)>,
    /// What it can be told to do.
    pub commands: Vec<BotCommand>,
}

/// Something that a bot can be told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BotCommand {
    /// The word.
    pub name: String,
    /// What it does.
    pub description: String,
}
