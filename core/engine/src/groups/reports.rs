//! Reports to a group's admins, and what else concerns its standing (features document §2.9).

use serde_json::Value;
use whimbrel_wire::Jid;

use super::exchange::invalid;
use super::group_address;
use super::stanza::reports as stanza;
use crate::client::Client;
#[cfg(doc)]
use crate::error::Code;
use crate::error::Error;
use crate::events::Identity;
use crate::options::CallOptions;

/// Messages in one report.
const MESSAGES: usize = 100;

/// A message that members reported to a group's admins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportedMessage {
    /// Its id.
    pub message_id: String,
    /// Who reported it, as far as the service tells.
    pub by: Vec<Identity>,
    /// When it was last reported, seconds since 1970; 0 if unknown.
    pub reported_at: i64,
}

/// A message that could not be reported.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnreportedMessage {
    /// Its id.
    pub message_id: String,
    /// The service's number: 403, 404 no such message, 423 or another one.
    pub refused: u16,
}

impl Client {
    /// Tells the service that this account knows of a group that somebody unknown put it into, and stays
    /// in it.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`]; [`Code::NotFound`]; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn confirm_group(&self, group: &Jid, options: CallOptions) -> Result<(), Error> {
        let operation = "confirm_group";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        self.ask_about_groups(
            operation,
            options,
            move |_| Ok(stanza::acknowledge(&group)),
            |_, _| Ok(Some(())),
        )
        .await
    }

    /// Reports messages of a group to its admins, at most 100. Returns those that could not be reported.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if the group does not have that; [`Code::NotFound`];
    /// [`Code::RateLimited`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn report_to_admins(
        &self,
        group: &Jid,
        messages: &[String],
        options: CallOptions,
    ) -> Result<Vec<UnreportedMessage>, Error> {
        let operation = "report_to_admins";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        if messages.is_empty() || messages.len() > MESSAGES || messages.iter().any(String::is_empty) {
            return Err(invalid("between 1 and 100 messages have to be named").in_operation(operation));
        }
        let request = stanza::report(&group, messages);
        self.ask_about_groups(
            operation,
            options,
            |_| Ok(request),
            |_, answer| {
                let failed = stanza::unreported(answer).into_iter();
                Ok(Some(
                    failed.map(|(message_id, refused)| UnreportedMessage { message_id, refused }).collect(),
                ))
            },
        )
        .await
    }

    /// Returns the messages of a group that were reported to its admins.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account is no admin; [`Code::NotFound`];
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn reported_messages(
        &self,
        group: &Jid,
        options: CallOptions,
    ) -> Result<Vec<ReportedMessage>, Error> {
        let operation = "list_reported_messages";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        self.ask_about_groups(
            operation,
            options,
            move |_| Ok(stanza::list(&group)),
            |unit, answer| {
                let Some(reports) = stanza::reported(answer) else { return Ok(None) };
                let mut told = Vec::with_capacity(reports.len());
                for stanza::Report { message_id, by, at } in reports {
                    let by = by.iter().map(|jid| unit.identity_of(jid)).collect::<Result<_, _>>()?;
                    told.push(ReportedMessage { message_id, by, reported_at: at });
                }
                Ok(Some(told))
            },
        )
        .await
    }

    /// Asks the service to lift the suspension of a group. What comes of it is announced, if it is.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Refused`], with the service's number 409 if somebody asked
    /// already; [`Code::Forbidden`]; [`Code::NotFound`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn appeal_group_suspension(
        &self,
        group: &Jid,
        reason: &str,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "appeal_group_suspension";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        let variables = stanza::appeal(&group, reason);
        let code = self
            .ask_graph(
                operation,
                options,
                stanza::APPEAL,
                |_| Ok(variables),
                |_, answer| Ok(answer.get("response_code").and_then(Value::as_str).map(str::to_owned)),
            )
            .await?;
        let status = match code.as_str() {
            "SUCCESS" => return Ok(()),
            "APPEAL_ALREADY_EXISTS" => 409,
            _ => 0,
        };
        Err(crate::connection::iq::refusal(status).in_operation(operation))
    }
}
