//! Linking an account to a phone.

use std::sync::Arc;
use std::time::Duration;

use whimbrel::CallOptions;

use crate::failure::{Failure, Problem};
use crate::hosting::Account;
use crate::hosting::state::{Link, ShownQr};

/// How long a first code may take.
const FIRST_CODE: Duration = Duration::from_secs(10);

/// Refuses to link what is linked.
fn demand_unlinked(account: &Account) -> Result<(), Failure> {
    match account.is_linked() {
        true => Err(Failure::new(Problem::Conflict, "the account is linked to a phone")),
        false => Ok(()),
    }
}

/// Begins linking by QR, or goes on with it, and waits for a code at most so long.
pub(crate) async fn qr(account: &Arc<Account>, patience: Duration) -> Result<ShownQr, Failure> {
    demand_unlinked(account)?;
    let shown = || account.state().qr.filter(|qr| qr.expires_at > crate::store::now_ms());
    if let Some(qr) = shown() {
        return Ok(qr);
    }
    let client = account.client.clone();
    let begun = tokio::spawn(async move {
        let mut options = CallOptions::default();
        options.timeout = Some(FIRST_CODE);
        client.link_with_qr(options).await
    });
    let now = crate::store::now_ms();
    let state = account.wait_state(patience, |state| {
        state.link == Link::Pairing || state.qr.as_ref().is_some_and(|qr| qr.expires_at > now)
    });
    if let Some(qr) = state.await.qr {
        return Ok(qr);
    }
    if begun.is_finished()
        && let Ok(Err(error)) = begun.await
    {
        return Err(error.into());
    }
    let failure = Failure::new(Problem::Unavailable, "there is no code yet");
    Err(failure.after(Duration::from_secs(2)))
}

/// Begins linking by a code that is typed on the phone with this number.
pub(crate) async fn code(account: &Arc<Account>, phone: &str) -> Result<String, Failure> {
    demand_unlinked(account)?;
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    if !(7..=15).contains(&digits.len()) {
        return Err(Failure::field("phone", "is not a phone number"));
    }
    let mut options = CallOptions::default();
    options.timeout = Some(FIRST_CODE);
    let code = account.client.link_with_code(&digits, options).await?.code;
    account.show_code(&code);
    Ok(code)
}

/// Ends the connection, and the link with it if there is none yet. The link of a linked account stays.
pub(crate) async fn stay_away(account: &Arc<Account>) -> Result<(), Failure> {
    account
        .change(|row| {
            row.settings.dialects.insert("stayAway".to_owned(), true.into());
        })
        .await?;
    account.client.disconnect();
    account
        .wait_state(Duration::from_secs(5), |state| {
            matches!(state.link, Link::Unlinked | Link::Offline | Link::Refused)
        })
        .await;
    Ok(())
}

/// Connects a linked account, and waits for it at most so long.
pub(crate) async fn connect(account: &Arc<Account>, patience: Duration) -> Result<Link, Failure> {
    if !account.is_linked() {
        return Err(Failure::new(Problem::NotLinked, "the account is not linked to a phone"));
    }
    account
        .change(|row| {
            row.settings.dialects.remove("stayAway");
        })
        .await?;
    let client = account.client.clone();
    tokio::spawn(async move {
        // Its events say what became of it.
        let _ = client.connect(CallOptions::default()).await;
    });
    let state =
        account.wait_state(patience, |state| matches!(state.link, Link::Online | Link::Refused)).await;
    Ok(state.link)
}

/// Connects a linked account anew.
pub(crate) async fn reconnect(account: &Arc<Account>, patience: Duration) -> Result<Link, Failure> {
    if account.is_linked() {
        account.client.disconnect();
    }
    connect(account, patience).await
}

/// Ends the link: the phone forgets this device. The account stays and can be linked again.
pub(crate) async fn unlink(account: &Arc<Account>) -> Result<(), Failure> {
    if !account.is_linked() {
        return Err(Failure::new(Problem::NotLinked, "the account is not linked to a phone"));
    }
    account.client.logout(CallOptions::default()).await?;
    account.wait_state(Duration::from_secs(5), |state| state.link == Link::Unlinked).await;
    Ok(())
}

/// A QR text as a PNG, eight pixels a module.
pub(crate) fn png(text: &str) -> Result<Vec<u8>, Failure> {
    const MODULE: u32 = 8;
    const QUIET: u32 = 4;
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::L);
    let code = code.map_err(|error| Failure::internal(&error))?;
    let modules = u32::try_from(code.width()).unwrap_or(0);
    let colours = code.to_colors();
    let width = (modules + 2 * QUIET) * MODULE;
    let dark = |x: u32, y: u32| {
        let (x, y) = ((x / MODULE).checked_sub(QUIET)?, (y / MODULE).checked_sub(QUIET)?);
        if x >= modules || y >= modules {
            return None;
        }
        colours.get(usize::try_from(y * modules + x).ok()?).filter(|colour| **colour == qrcode::Color::Dark)
    };
    let pixels: Vec<u8> = (0..width)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .map(|(x, y)| if dark(x, y).is_some() { 0 } else { 255 })
        .collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, width);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.map_err(|error| Failure::internal(&error))?;
    Ok(file)
}
