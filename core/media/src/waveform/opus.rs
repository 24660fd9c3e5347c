//! Listening to Opus.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ruopus::OpusDecoder;

use super::{Levels, pcm};
use crate::ProbeError;
use crate::ogg;
use crate::source::Reader;

/// Most samples that are listened to, at Opus' rate: ten minutes, some seconds of work.
const MOST: u64 = 48_000 * 600;

/// How loud a sound is; `None` if it is long, empty or damaged.
pub(super) fn levels(reader: &mut Reader<'_>) -> Result<Option<Levels>, ProbeError> {
    let (_, skipped) = ogg::head(reader)?;
    let mut total = 0_u64;
    ogg::packets(reader, false, &mut |packet| {
        total = total.saturating_add(packet.samples.into());
        Ok(())
    })?;
    if total > MOST || total <= u64::from(skipped) {
        return Ok(None);
    }
    let mut levels = Levels::new(total.saturating_sub(skipped.into()));
    let mut skip = skipped;
    // Mono: two channels are mixed.
    let mut decoder = OpusDecoder::new(1);
    let mut whole = true;
    ogg::packets(reader, true, &mut |packet| {
        if !whole {
            return Ok(());
        }
        // The decoder is young. Should it stumble over a damaged packet, then only the waveform is lost.
        let decoded = catch_unwind(AssertUnwindSafe(|| decoder.decode_packet(&packet.content)));
        let Ok(Ok(samples)) = decoded else {
            whole = false;
            return Ok(());
        };
        for sample in samples {
            if skip > 0 {
                skip = skip.saturating_sub(1);
            } else {
                levels.take(pcm::rounded(sample));
            }
        }
        Ok(())
    })?;
    Ok(whole.then_some(levels))
}
