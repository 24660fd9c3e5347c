//! The shape of a sound, for field `waveform` of a voice note (media document §11): 64 values from 0 to 100,
//! each how loud a slice is on average beside the loudest one.

mod opus;
mod packets;
mod pcm;

pub use packets::approximate_waveform;

use crate::ProbeError;
use crate::source::{Reader, Source};

/// How many values a waveform has.
pub const WAVEFORM: usize = 64;

/// The shape of a sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waveform {
    /// 64 values from 0 to 100.
    pub values: [u8; WAVEFORM],
    /// Whether it is that of the sound itself, and not guessed from the sizes of its packets.
    pub exact: bool,
}

/// The shape of Opus in Ogg or of PCM in WAV. A note of more than ten minutes, or one that is not decoded
/// to its end, is guessed from its packets. `None` where nothing can be said: then leave the field out.
///
/// # Errors
/// Those of [`probe`](crate::probe); [`ProbeError::Unknown`] for sounds of other formats.
pub fn waveform(source: &mut dyn Source) -> Result<Option<Waveform>, ProbeError> {
    let start: [u8; 4] = Reader::new(source).array(0)?;
    let exact = match &start {
        b"OggS" => opus::levels(&mut Reader::new(source))?,
        b"RIFF" => pcm::levels(&mut Reader::new(source))?,
        _ => return Err(ProbeError::Unknown),
    };
    match exact {
        Some(levels) => Ok(Some(Waveform { values: levels.values(), exact: true })),
        None if &start == b"OggS" => {
            let guessed = approximate_waveform(source)?;
            Ok(guessed.map(|values| Waveform { values, exact: false }))
        }
        None => Ok(None),
    }
}

/// How loud the slices of a sound are.
struct Levels {
    total: u64,
    at: u64,
    /// Sum of the absolute values, and their count.
    slices: [(u64, u64); WAVEFORM],
}

impl Levels {
    /// Of a sound of so many samples.
    fn new(total: u64) -> Self {
        Self { total: total.max(1), at: 0, slices: [(0, 0); WAVEFORM] }
    }

    /// Takes the next sample.
    fn take(&mut self, sample: i16) {
        // Never more than there are slices: `at` stays below `total` for all that count.
        let slice = self.at.saturating_mul(64) / self.total;
        if let Some((sum, count)) = usize::try_from(slice).ok().and_then(|slice| self.slices.get_mut(slice)) {
            *sum = sum.saturating_add(sample.unsigned_abs().into());
            *count = count.saturating_add(1);
        }
        self.at = self.at.saturating_add(1);
    }

    /// The values: means beside the greatest one, rounded down, as peers do. Silence is a flat line.
    fn values(&self) -> [u8; WAVEFORM] {
        // In 1024ths, so that quiet sounds have a shape too.
        let means = self.slices.map(|(sum, count)| sum.saturating_mul(1024) / count.max(1));
        let greatest = means.into_iter().max().unwrap_or(0);
        means.map(|mean| {
            let value = mean.saturating_mul(100).checked_div(greatest).unwrap_or(0);
            u8::try_from(value).unwrap_or(100)
        })
    }
}
