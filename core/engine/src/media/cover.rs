//! Bringing the large picture of a business to a media host: it is not sealed, and the host's word on it is
//! shown to the service (features document §10.1).

use std::sync::Arc;

use tokio::time::Instant;
use whimbrel_content::MediaKind;

use super::progress::Meter;
use super::seal::{self, Destination, Manner};
use super::store::{self, Posted};
use crate::client::Inner;
use crate::error::{Code, Error};
use crate::events::MediaDirection;

/// Uploads a JPEG.
pub(crate) async fn post_cover(
    client: &Arc<Inner>,
    jpeg: Vec<u8>,
    deadline: Instant,
) -> Result<Posted, Error> {
    let manner = Manner {
        kind: MediaKind::Image,
        destination: Destination::CoverPhotos,
        first_frame_length: None,
        key: None,
    };
    let sealed = seal::seal(client, jpeg.into(), &manner).await?;
    let meter = Arc::new(Meter::new(Arc::clone(client), MediaDirection::Upload, None, None));
    meter.set_total(sealed.blob_length);
    let stored = store::store(client, &sealed, &manner, &meter, deadline).await?;
    stored.posted.ok_or_else(|| {
        Error::new(Code::MediaRefused, "the media host did not say how the picture is to be named")
    })
}
