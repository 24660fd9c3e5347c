//! The shape of a voice note, guessed from the sizes of its packets: where the sound is not decoded, because
//! the note is long or damaged.
//!
//! Where the rate may vary, as in what phones and nearly all other recorders write, a packet is the larger
//! the more there is to hear in it: silence takes a few octets, speech some dozens. The shape follows
//! speech and pauses well and loudness roughly. Nothing is guessed where the rate is constant.

use crate::ProbeError;
use crate::ogg;
use crate::source::{Reader, Source};

use super::WAVEFORM;

/// The largest count of samples for which packets are looked at: six hours.
const MAX_SAMPLES: u64 = 48_000 * 3600 * 6;

/// What is known of one of the 64 parts.
#[derive(Clone, Copy, Default)]
struct Part {
    /// Octets, times the samples that they stand for here.
    weighted: u64,
    samples: u64,
}

/// The shape of a voice note, guessed from the sizes of its packets: 64 values from 0 to 100.
/// [`waveform`](crate::waveform) uses it where it cannot listen.
/// `None` if it has no packets, or all have the same size: then leave the field out.
///
/// # Errors
/// Those of [`probe`](crate::probe); [`ProbeError::Unknown`] for anything but Opus in Ogg.
pub fn approximate_waveform(source: &mut dyn Source) -> Result<Option<[u8; WAVEFORM]>, ProbeError> {
    let reader = &mut Reader::new(source);
    let mut total = 0_u64;
    ogg::packets(reader, false, &mut |packet| {
        total = total.saturating_add(packet.samples.into());
        if total > MAX_SAMPLES { Err(ProbeError::TooComplex) } else { Ok(()) }
    })?;
    if total == 0 {
        return Ok(None);
    }
    let mut parts = [Part::default(); WAVEFORM];
    let mut start = 0;
    ogg::packets(reader, false, &mut |packet| {
        let end = start + u64::from(packet.samples);
        // The size for the same time: packets may differ in length.
        let density = u64::from(packet.size).saturating_mul(2880) / u64::from(packet.samples.max(1));
        let number_of = |sample: u64| usize::try_from(sample.saturating_mul(64) / total).unwrap_or(0);
        let (first, last) = (number_of(start), number_of(end.saturating_sub(1)));
        for part in parts.iter_mut().take(last.saturating_add(1)).skip(first) {
            part.weighted = part.weighted.saturating_add(density.saturating_mul(packet.samples.into()));
            part.samples = part.samples.saturating_add(packet.samples.into());
        }
        start = end;
        Ok(())
    })?;
    let levels = parts.map(|part| part.weighted / part.samples.max(1));
    let greatest = levels.into_iter().max().unwrap_or(0);
    let least = levels.into_iter().min().unwrap_or(0);
    let spread = greatest.saturating_sub(least);
    // Less than an eighth is the noise of a rate that was meant to be constant.
    if spread.saturating_mul(8) < greatest || greatest == 0 {
        return Ok(None);
    }
    Ok(Some(levels.map(|level| u8::try_from(level.saturating_sub(least) * 100 / spread).unwrap_or(100))))
}
