//! Getting a file from the hosts that may have it (media document §8): where a download breaks it goes
//! on, at the same host or the next one, and a file that is damaged at one host is fetched from
//! another.

use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use tokio::task::JoinHandle;
use whimbrel_crypto::media::{Expected, MediaError};

use super::address::{self, Host};
use super::failure;

use super::progress::Meter;
use super::sink::{Finished, Opening, Sink, SinkError};
use crate::connection::Route;
use crate::error::{Code, Error};
use crate::http::{self, Answer, Ask, HttpError};

/// How often a host is tried on that breaks without having got on, or is busy.
const TRIES: u32 = 3;
/// Redirects that are followed.
const REDIRECTS: u32 = 5;
/// Longest time that a host may ask to wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How much is decrypted at once.
const BATCH: usize = 192 * 1024;

/// Why no host gave the file, by what may help.
pub(super) enum Missing {
    /// It is gone: the phone may upload it again.
    Gone(u16),
    /// What the hosts have is not what the message announces.
    Wrong(MediaError),
    /// Nothing helps.
    Final(Error),
}

/// Why one attempt failed.
enum Failed {
    Missing(Missing),
    /// The host breaks or is busy: it, or another one, may be asked again after this time.
    Busy(Error, Option<Duration>),
    /// Another host may do it.
    Host(Error),
    /// The file is shorter than what is there of it.
    Beyond,
}

/// What is wanted.
pub(super) struct Fetch<'a> {
    pub(super) route: Route,
    pub(super) hosts: Vec<Host>,
    /// Hosts that redirects may lead to.
    pub(super) trusted: Vec<Host>,
    /// Path and query.
    pub(super) target: String,
    pub(super) opening: Opening,
    /// Longest that may come.
    pub(super) most: u64,
    /// Longest file.
    pub(super) most_of_file: u64,
    pub(super) meter: &'a Meter,
}

/// A file on its way in. What comes is worked on while more of it comes.
struct Intake {
    sink: State,
    received: u64,
}

enum State {
    Idle(Box<Sink>),
    Working(JoinHandle<std::io::Result<Sink>>),
    Lost,
}

impl Intake {
    async fn sink(&mut self) -> Result<Box<Sink>, Error> {
        match std::mem::replace(&mut self.sink, State::Lost) {
            State::Idle(sink) => Ok(sink),
            State::Working(working) => {
                let sink = working.await.map_err(failure::worker)?.map_err(failure::local)?;
                Ok(Box::new(sink))
            }
            State::Lost => Err(Error::new(Code::Internal, "the file's worker is gone")),
        }
    }

    /// Takes octets in; returns while they are worked on.
    async fn write(&mut self, chunks: Vec<Bytes>) -> Result<(), Error> {
        let mut sink = self.sink().await?;
        self.sink = State::Working(tokio::task::spawn_blocking(move || {
            sink.write(&chunks)?;
            Ok(*sink)
        }));
        Ok(())
    }

    async fn restart(&mut self, opening: &Opening) -> Result<(), Error> {
        let mut sink = self.sink().await?;
        sink.restart(opening).map_err(failure::local)?;
        self.sink = State::Idle(sink);
        self.received = 0;
        Ok(())
    }
}

impl Fetch<'_> {
    /// Fetches the file into a sink, which comes back if another path may help.
    pub(super) async fn run(&self, sink: Sink) -> Result<Finished, (Missing, Option<Sink>)> {
        let mut intake = Intake { sink: State::Idle(Box::new(sink)), received: 0 };
        let mut last = Error::new(Code::MediaUnreachable, "there is no host to fetch the file from");
        let mut wrong = None;
        for host in &self.hosts {
            match self.from(host, &mut intake).await {
                Ok(()) => {}
                Err(Failed::Missing(missing)) => {
                    return Err((missing, intake.sink().await.ok().map(|sink| *sink)));
                }
                Err(Failed::Busy(error, _) | Failed::Host(error)) => {
                    last = error;
                    continue;
                }
                Err(Failed::Beyond) => {
                    wrong.get_or_insert(MediaError::EncryptedHash);
                    continue;
                }
            }
            let sink = intake.sink().await.map_err(|error| (Missing::Final(error), None))?;
            match self.finish(*sink).await {
                Ok(finished) => return Ok(finished),
                Err(SinkError::TooLong) => return Err((Missing::Final(failure::too_large()), None)),
                Err(SinkError::Local(error)) => return Err((Missing::Final(failure::local(error)), None)),
                Err(SinkError::Wrong(error, sink)) => {
                    let elsewhere = match error {
                        MediaError::EncryptedHash | MediaError::TooShort => true,
                        // Nothing else tells whether it is what was uploaded.
                        MediaError::Mac => {
                            matches!(self.opening, Opening::Keys(_, Expected { file_enc_sha256: None, .. }))
                        }
                        _ => false,
                    };
                    // One host may have a damaged file; two have the one that was uploaded.
                    if !elsewhere || wrong.is_some() {
                        return Err((Missing::Wrong(error), Some(*sink)));
                    }
                    tracing::debug!(%error, "A media host has a damaged file.");
                    wrong = Some(error);
                    intake.sink = State::Idle(sink);
                    if let Err(error) = intake.restart(&self.opening).await {
                        return Err((Missing::Final(error), None));
                    }
                }
            }
        }
        let sink = intake.sink().await.ok().map(|sink| *sink);
        match wrong {
            Some(error) => Err((Missing::Wrong(error), sink)),
            None => Err((Missing::Final(last), None)),
        }
    }

    async fn finish(&self, sink: Sink) -> Result<Finished, SinkError> {
        let opening = match &self.opening {
            Opening::Keys(keys, expected) => Opening::Keys(keys.clone(), *expected),
            Opening::Plain(expected) => Opening::Plain(*expected),
        };
        let most = self.most_of_file;
        let finished = tokio::task::spawn_blocking(move || sink.finish(&opening, most)).await;
        finished.unwrap_or_else(|error| Err(SinkError::Local(std::io::Error::other(error))))
    }

    /// Fetches from one host what is still missing.
    async fn from(&self, host: &Host, intake: &mut Intake) -> Result<(), Failed> {
        let mut tries = 0;
        let mut restarted = false;
        loop {
            let before = intake.received;
            let failed = match self.attempt(host, intake).await {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            let (error, wait) = match failed {
                Failed::Busy(error, wait) => (error, wait),
                Failed::Beyond if !restarted && intake.received > 0 => {
                    restarted = true;
                    self.restart(intake).await?;
                    continue;
                }
                other => return Err(other),
            };
            if intake.received > before {
                tries = 0;
                continue;
            }
            tries += 1;
            if tries >= TRIES {
                return Err(Failed::Busy(error, wait));
            }
            let usual = Duration::from_secs(tries.into());
            tokio::time::sleep(wait.unwrap_or(usual).min(LONGEST_PAUSE)).await;
        }
    }

    async fn restart(&self, intake: &mut Intake) -> Result<(), Failed> {
        self.meter.set_done(0);
        intake.restart(&self.opening).await.map_err(|error| Failed::Missing(Missing::Final(error)))
    }

    async fn attempt(&self, host: &Host, intake: &mut Intake) -> Result<(), Failed> {
        let final_error = |error| Failed::Missing(Missing::Final(error));
        let wanted = intake.received;
        let mut answer = self.ask(host, (wanted > 0).then_some((wanted, None))).await?;
        let from = match (answer.status(), answer.part()) {
            (206, Some((from, _))) if from == wanted => from,
            (206, _) if wanted == 0 && answer.part().is_none() => 0,
            // The host knows no parts: what is there already is skipped.
            (200, _) => 0,
            (206, _) => return Err(Failed::Host(failure::refused(206))),
            (status, _) => return Err(refusal(status, answer.retry_after())),
        };
        let mut skip = wanted.saturating_sub(from);
        let mut coming = from;
        if let Some(length) = answer.length() {
            let total = from.saturating_add(length);
            if total > self.most {
                return Err(final_error(failure::too_large()));
            }
            self.meter.set_total(total);
        }
        let (mut batch, mut size) = (Vec::new(), 0_usize);
        let ended = loop {
            let mut piece = match answer.next().await {
                Ok(Some(piece)) => piece,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            coming = coming.saturating_add(piece.len() as u64);
            if coming > self.most {
                return Err(final_error(failure::too_large()));
            }
            let skipped = usize::try_from(skip).unwrap_or(usize::MAX).min(piece.len());
            skip = skip.saturating_sub(skipped as u64);
            let piece = piece.split_off(skipped);
            if piece.is_empty() {
                continue;
            }
            intake.received = intake.received.saturating_add(piece.len() as u64);
            self.meter.set_done(intake.received);
            size = size.saturating_add(piece.len());
            batch.push(piece);
            if size >= BATCH {
                intake.write(std::mem::take(&mut batch)).await.map_err(final_error)?;
                size = 0;
            }
        };
        if !batch.is_empty() {
            intake.write(batch).await.map_err(final_error)?;
        }
        ended.map_err(broken)
    }

    /// Asks a host, and whom it names instead.
    pub(super) async fn ask_host(
        &self,
        host: &Host,
        from: Option<(u64, Option<u64>)>,
    ) -> Result<Answer, Missing> {
        self.ask(host, from).await.map_err(|failed| match failed {
            Failed::Missing(missing) => missing,
            Failed::Busy(error, _) | Failed::Host(error) => Missing::Final(error),
            Failed::Beyond => Missing::Wrong(MediaError::EncryptedHash),
        })
    }

    async fn ask(&self, host: &Host, from: Option<(u64, Option<u64>)>) -> Result<Answer, Failed> {
        let mut at = (host.clone(), self.target.clone());
        for _ in 0..=REDIRECTS {
            let ask = Ask {
                method: Method::GET,
                host: at.0.place(),
                headers: address::HEADERS,
                target: &at.1,
                from,
                body: None,
            };
            let answer = http::send(&self.route, ask, || 0).await.map_err(broken)?;
            let status = answer.status();
            match status {
                200 | 206 => return Ok(answer),
                301 | 302 | 303 | 307 | 308 => {
                    let there = answer.location().and_then(address::split);
                    let there =
                        there.filter(|(host, path)| host.is_trusted(&self.trusted) && address::is_path(path));
                    at = there.ok_or_else(|| Failed::Host(failure::refused(status)))?;
                }
                _ => return Err(refusal(status, answer.retry_after())),
            }
        }
        Err(Failed::Host(failure::refused(302)))
    }
}

fn broken(error: HttpError) -> Failed {
    match error {
        // Who cannot be reached now is not reached a moment later; another host may be.
        HttpError::Connect(_) | HttpError::Address => Failed::Host(failure::unreachable(error)),
        HttpError::Broken(_) | HttpError::Silent => {
            Failed::Busy(failure::unreachable(error), Some(Duration::ZERO))
        }
    }
}

/// What a status means (§8.2).
fn refusal(status: u16, wait: Option<Duration>) -> Failed {
    match status {
        401 | 403 | 404 | 410 => Failed::Missing(Missing::Gone(status)),
        416 => Failed::Beyond,
        408 | 429 | 500..=506 | 508..=599 => {
            let mut error = failure::refused(status);
            if let Some(wait) = wait {
                error = error.with_retry_after(wait);
            }
            Failed::Busy(error, wait)
        }
        _ => Failed::Host(failure::refused(status)),
    }
}
