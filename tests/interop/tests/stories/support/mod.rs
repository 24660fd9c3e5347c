//! The stage on which the stories are told: a sandbox, phones, and devices of three makes.

mod circle;
mod device;
mod stage;
mod talk;
mod whimbrel;

use device::Heard;
use whimbrel::Whimbrel;

pub(crate) use circle::Circle;
pub(crate) use device::Device;
pub(crate) use stage::Stage;
pub(crate) use talk::Talk;

use std::time::Duration;

/// How long a story waits for a phone or the service. Devices bring their own deadline.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
