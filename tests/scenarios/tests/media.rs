//! Files: up to the media hosts, down from them, and what goes wrong on the way.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::io::Cursor;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use whimbrel::events::{EventKind, MediaDirection};
use whimbrel::media::{
    DownloadOptions, MediaKind, MediaReference, MediaSource, MediaTarget, Progress, ReadOptions, Transferred,
    UploadOptions,
};
use whimbrel::{Cancel, Client, Code, Engine, Error, SendOptions};
use whimbrel_content::Content;
use whimbrel_content::compose::Draft;
use whimbrel_content::kinds::media::{Audio, Document, Image};
use whimbrel_content::kinds::text::Text;
use whimbrel_sandbox::phone::{MediaRetry, MediaToSend, Phone, SwitchChange};
use whimbrel_sandbox::{AppStatePace, Event, MediaFault, MediaFaultRule, MediaRequest};
use whimbrel_scenarios::proxies::{Kind, Proxy};
use whimbrel_scenarios::{ANNA, BEN, DEADLINE, World, next_kind, quiet};

/// A client on a sandbox.
struct Scene {
    world: World,
    engine: Engine,
    client: Client,
    phone: Phone,
}

impl Scene {
    async fn set() -> Self {
        let world = World::start().await;
        // The files of app state would take the faults that are meant for others.
        world.sandbox.set_app_state_pace(AppStatePace { snapshots: false, ..AppStatePace::default() });
        let engine = world.engine();
        let (client, phone) = world.linked(&engine, ANNA).await;
        Self { world, engine, client, phone }
    }

    fn fault(&self, request: MediaRequest, fault: MediaFault) {
        self.world.sandbox.add_media_fault(MediaFaultRule::once(request, fault));
    }

    fn fault_at(&self, host: usize, times: u32, request: MediaRequest, fault: MediaFault) {
        self.world.sandbox.add_media_fault(MediaFaultRule { request, host: Some(host), times, fault });
    }

    async fn upload(&self, bytes: &[u8], kind: MediaKind) -> MediaReference {
        let source = bytes.to_vec();
        self.client.upload(source, kind, UploadOptions::default()).await.unwrap().reference
    }

    async fn download(&self, reference: &MediaReference) -> Result<File, Error> {
        download(&self.client, reference).await
    }

    /// Where the uploads went on that the hosts got.
    fn uploads(&self) -> Vec<(usize, u64, u64)> {
        let events = self.world.sandbox.events().after(0);
        let uploads = events.into_iter().filter_map(|(_, event)| match event {
            Event::MediaUploaded { host, length, resumed_from, .. } => Some((host, length, resumed_from)),
            _ => None,
        });
        uploads.collect()
    }

    /// Where the downloads began that the hosts answered.
    fn downloads(&self) -> Vec<(usize, u64)> {
        let events = self.world.sandbox.events().after(0);
        let downloads = events.into_iter().filter_map(|(_, event)| match event {
            Event::MediaDownloaded { host, from, .. } => Some((host, from)),
            _ => None,
        });
        downloads.collect()
    }

    async fn end(self) {
        self.world.assert_no_findings();
        self.engine.close(DEADLINE).await.unwrap();
    }
}

/// The bytes of a file, which are too many to be printed.
struct File(Vec<u8>);

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl<T: AsRef<[u8]>> PartialEq<T> for File {
    fn eq(&self, other: &T) -> bool {
        self.0 == other.as_ref()
    }
}

async fn download(client: &Client, reference: &MediaReference) -> Result<File, Error> {
    let downloaded = client.download(reference, MediaTarget::Memory, DownloadOptions::default()).await?;
    Ok(File(downloaded.bytes.unwrap().to_vec()))
}

/// Bytes that do not repeat in the lengths of blocks and pieces.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let octets = (0..length).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    octets.collect()
}

fn status(status: u16) -> MediaFault {
    MediaFault::Status { status, retry_after_s: Some(0) }
}

#[tokio::test]
async fn files_of_every_kind_and_length_come_back_as_they_were() {
    let scene = Scene::set().await;
    let (other, _) = scene.world.linked(&scene.engine, BEN).await;
    let kinds = [
        MediaKind::Image,
        MediaKind::Video,
        MediaKind::Gif,
        MediaKind::Ptv,
        MediaKind::Audio,
        MediaKind::Ptt,
        MediaKind::Document,
        MediaKind::Sticker,
        MediaKind::LinkThumbnail,
        MediaKind::StickerPack,
        MediaKind::StickerPackThumbnail,
        MediaKind::ImageThumbnail,
    ];
    for (kind, length) in
        kinds.into_iter().zip([0, 1, 15, 16, 17, 65_525, 65_536, 65_537, 100, 131_072, 7, 9])
    {
        let file = noise(length);
        let uploaded = scene.client.upload(file.clone(), kind, UploadOptions::default()).await.unwrap();
        assert_eq!(uploaded.streaming_sidecar.is_some(), kind.has_sidecar(), "{kind:?}");
        let media = &uploaded.reference.media;
        assert_eq!(media.length, Some(length as u64));
        assert_eq!(media.mimetype.as_deref(), Some("application/octet-stream"));
        let hash: [u8; 32] = media.encrypted_sha256.clone().unwrap().try_into().unwrap();
        let blob = scene.world.sandbox.media_file(&hash).unwrap();
        assert_eq!(blob.len(), length / 16 * 16 + 26);
        // Whoever has the text has the file.
        let reference: MediaReference = uploaded.reference.to_text().parse().unwrap();
        assert_eq!(download(&other, &reference).await.unwrap(), file, "{kind:?}");
        let without_path = MediaReference {
            media: whimbrel::media::Media { direct_path: None, ..reference.media.clone() },
            ..reference
        };
        assert_eq!(download(&other, &without_path).await.unwrap(), file, "by the address alone");
    }
    scene.end().await;
}

#[tokio::test]
async fn sources_and_targets_are_files_memory_and_streams() {
    let scene = Scene::set().await;
    let file = noise(1_500_000);
    let path = scene.world.store("song.bin");
    std::fs::write(&path, &file).unwrap();
    let reader: Box<dyn std::io::Read + Send> = Box::new(Cursor::new(file.clone()));
    for source in [MediaSource::from(path), MediaSource::from(file.clone()), MediaSource::Reader(reader)] {
        let uploaded =
            scene.client.upload(source, MediaKind::Document, UploadOptions::default()).await.unwrap();
        let target = scene.world.store("down.bin");
        let got = scene
            .client
            .download(&uploaded.reference, MediaTarget::Path(target.clone()), DownloadOptions::default())
            .await
            .unwrap();
        assert_eq!((got.length, got.bytes, got.moved), (1_500_000, None, None));
        assert!(std::fs::read(&target).unwrap() == file, "the file at the path");
        let written = Written::default();
        let writer = MediaTarget::Writer(Box::new(written.clone()));
        scene.client.download(&uploaded.reference, writer, DownloadOptions::default()).await.unwrap();
        assert!(*written.0.lock().unwrap() == file, "the file in the writer");
    }
    let missing =
        scene.client.upload(scene.world.store("none"), MediaKind::Image, UploadOptions::default()).await;
    assert_eq!(missing.unwrap_err().code(), Code::FileFailed);
    let reference = scene.upload(b"short", MediaKind::Image).await;
    let nowhere = MediaTarget::Path(scene.world.store("no/such/folder"));
    let refused = scene.client.download(&reference, nowhere, DownloadOptions::default()).await;
    assert_eq!(refused.unwrap_err().code(), Code::FileFailed);
    assert_no_leftovers(&scene.world);
    scene.end().await;
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// No temporary file stands beside those of the host.
fn assert_no_leftovers(world: &World) {
    let folder = world.store("x");
    for entry in std::fs::read_dir(folder.parent().unwrap()).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(!name.to_string_lossy().ends_with(".part"), "{name:?} was left");
    }
}

#[tokio::test]
async fn an_upload_that_is_cut_twice_goes_on_where_it_was() {
    let scene = Scene::set().await;
    let file = noise(6 << 20);
    scene.fault(MediaRequest::Upload, MediaFault::Cut { bytes: 1 << 20 });
    scene.fault(MediaRequest::Upload, MediaFault::Cut { bytes: 2 << 20 });
    let reference = scene.upload(&file, MediaKind::Video).await;
    let length = (6 << 20) + 26;
    assert_eq!(scene.uploads(), [(0, length, 3 << 20)]);
    assert!(scene.download(&reference).await.unwrap() == file);
    scene.end().await;
}

#[tokio::test]
async fn what_the_hosts_have_is_not_sent_again() {
    let scene = Scene::set().await;
    let file = noise(5 << 20);
    // The host has all of it when the answer is lost: it says so when it is asked.
    scene.fault(MediaRequest::Upload, MediaFault::Nonsense { body: "{}".to_owned() });
    let reference = scene.upload(&file, MediaKind::Document).await;
    assert_eq!(scene.uploads().len(), 1);
    let complete = |event: &Event| matches!(event, Event::MediaAsked { held: None, .. });
    assert_eq!(scene.world.count(complete), 1);
    assert!(scene.download(&reference).await.unwrap() == file);
    scene.end().await;
}

#[tokio::test]
async fn a_download_that_is_cut_twice_goes_on_where_it_was() {
    let scene = Scene::set().await;
    let file = noise(3 << 20);
    let reference = scene.upload(&file, MediaKind::Video).await;
    scene.fault(MediaRequest::Download, MediaFault::Cut { bytes: 1 << 20 });
    scene.fault(MediaRequest::Download, MediaFault::Cut { bytes: 100_000 });
    assert!(scene.download(&reference).await.unwrap() == file);
    let begun = scene.downloads();
    assert_eq!(begun.len(), 3);
    assert!(
        begun.iter().all(|(host, _)| *host == 0) && begun.is_sorted_by(|one, next| one.1 < next.1),
        "{begun:?}"
    );
    // Hosts that know no parts send the whole again, and it is still the same file.
    scene.fault(MediaRequest::Download, MediaFault::Cut { bytes: 1 << 20 });
    scene.fault(MediaRequest::Download, MediaFault::IgnoreRange);
    assert!(scene.download(&reference).await.unwrap() == file);
    scene.fault(MediaRequest::Download, MediaFault::Chunked);
    assert!(scene.download(&reference).await.unwrap() == file);
    scene.end().await;
}

#[tokio::test]
async fn another_host_stands_in() {
    let scene = Scene::set().await;
    let file = noise(300_000);
    scene.world.sandbox.set_media_host_down(0, true);
    let reference = scene.upload(&file, MediaKind::Image).await;
    assert_eq!(scene.uploads(), [(1, 300_026, 0)]);
    assert!(scene.download(&reference).await.unwrap() == file);
    assert_eq!(scene.downloads(), [(1, 0)]);
    scene.world.sandbox.set_media_host_down(0, false);

    for code in [500, 503, 507] {
        scene.fault_at(0, 3, MediaRequest::Any, status(code));
        let reference = scene.upload(&noise(code.into()), MediaKind::Image).await;
        assert_eq!(scene.uploads().last().unwrap().0, 1, "{code}");
        assert_eq!(scene.download(&reference).await.unwrap(), noise(code.into()));
        scene.world.sandbox.clear_media_faults();
    }
    // A download that breaks at one host goes on at the other one.
    scene.fault_at(0, 1, MediaRequest::Download, MediaFault::Cut { bytes: 200_000 });
    scene.fault_at(0, 9, MediaRequest::Download, status(404 + 11));
    assert!(scene.download(&reference).await.unwrap() == file);
    assert!(scene.downloads().last().unwrap().1 > 0);
    scene.world.sandbox.clear_media_faults();

    let hosts = scene.world.sandbox.media_hosts();
    let location = format!("https://{}{}", hosts[1], reference.media.direct_path.clone().unwrap());
    scene.fault_at(0, 1, MediaRequest::Download, MediaFault::Redirect { location });
    assert!(scene.download(&reference).await.unwrap() == file);
    assert_eq!(scene.downloads().last().unwrap().0, 1);
    scene.end().await;
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let scene = Scene::set().await;
    scene.upload(b"first", MediaKind::Image).await;
    scene.world.sandbox.revoke_media_tokens();
    scene.upload(b"second", MediaKind::Image).await;
    let refused = |event: &Event| matches!(event, Event::MediaRefused { status: 403, .. });
    assert_eq!(scene.world.count(refused), 1);
    scene.fault_at(0, 2, MediaRequest::Upload, status(401));
    let failed = scene.client.upload(b"third".to_vec(), MediaKind::Image, UploadOptions::default()).await;
    let failed = failed.unwrap_err();
    assert_eq!((failed.code(), failed.service_status()), (Code::MediaRefused, 401));
    scene.end().await;
}

#[tokio::test]
async fn what_a_host_refuses_for_good_is_told_with_its_number() {
    let scene = Scene::set().await;
    scene.world.sandbox.set_media_limit(1000);
    let upload = |bytes: Vec<u8>| scene.client.upload(bytes, MediaKind::Image, UploadOptions::default());
    let failed = upload(noise(2000)).await.unwrap_err();
    assert_eq!((failed.code(), failed.service_status()), (Code::MediaTooLarge, 413));
    for code in [400, 404, 415] {
        scene.fault(MediaRequest::Upload, status(code));
        let failed = upload(noise(20)).await.unwrap_err();
        assert_eq!((failed.code(), failed.service_status()), (Code::MediaRefused, code));
    }
    let history = scene.client.upload(vec![1], MediaKind::PaymentBackground, UploadOptions::default()).await;
    assert_eq!(history.unwrap_err().code(), Code::InvalidArgument);
    scene.end().await;
}

#[tokio::test]
async fn a_file_that_is_not_what_was_announced_is_given_to_nobody() {
    let scene = Scene::set().await;
    let file = noise(400_000);
    let reference = scene.upload(&file, MediaKind::Image).await;
    // One damaged host does no harm.
    scene.fault_at(0, 1, MediaRequest::Download, MediaFault::Flip { at: 300_000 });
    assert!(scene.download(&reference).await.unwrap() == file);
    scene.fault_at(0, 1, MediaRequest::Download, MediaFault::Truncate { bytes: 100_000 });
    assert!(scene.download(&reference).await.unwrap() == file);

    let target = scene.world.store("picture.jpg");
    std::fs::write(&target, b"what was there").unwrap();
    let changed = |edit: fn(&mut MediaReference)| {
        let mut other = reference.clone();
        edit(&mut other);
        other
    };
    let cases: [(Code, Option<MediaFault>, MediaReference); 6] = [
        (Code::MediaCorrupt, Some(MediaFault::Flip { at: 0 }), reference.clone()),
        (Code::MediaCorrupt, Some(MediaFault::Truncate { bytes: 12 }), reference.clone()),
        (Code::MediaNotAuthentic, None, changed(|other| other.media.key = Some([7; 32].into()))),
        (Code::MediaNotAuthentic, None, changed(|other| other.kind = MediaKind::Video)),
        (Code::MediaMismatch, None, changed(|other| other.media.sha256 = Some(vec![7; 32]))),
        (
            Code::MediaNotAuthentic,
            Some(MediaFault::Flip { at: 5 }),
            changed(|other| other.media.encrypted_sha256 = None),
        ),
    ];
    for (code, fault, reference) in cases {
        for host in 0..2 {
            if let Some(fault) = &fault {
                scene.fault_at(host, 1, MediaRequest::Download, fault.clone());
            }
        }
        let to = MediaTarget::Path(target.clone());
        let failed = scene.client.download(&reference, to, DownloadOptions::default()).await.unwrap_err();
        assert_eq!(failed.code(), code);
        assert_eq!(std::fs::read(&target).unwrap(), b"what was there");
        scene.world.sandbox.clear_media_faults();
    }
    for wrong in [
        changed(|other| other.media.key = None),
        changed(|other| other.media.key = Some(whimbrel_content::Secret::new(vec![1]))),
        changed(|other| other.media.sha256 = Some(vec![1])),
        changed(|other| other.media.direct_path = Some("//elsewhere.example/x".to_owned())),
        changed(|other| {
            other.media.direct_path = None;
            other.media.url = None;
        }),
    ] {
        assert_eq!(scene.download(&wrong).await.unwrap_err().code(), Code::InvalidArgument);
    }
    let mut options = DownloadOptions::default();
    options.max_length = 399_999;
    let long = scene.client.download(&reference, MediaTarget::Memory, options).await;
    assert_eq!(long.unwrap_err().code(), Code::MediaTooLarge);
    // Encrypted, files of up to 15 octets have the same length.
    let short = scene.upload(b"nine long", MediaKind::Image).await;
    for (most, fits) in [(8, false), (9, true)] {
        let mut options = DownloadOptions::default();
        options.max_length = most;
        let to = MediaTarget::Path(target.clone());
        assert_eq!(scene.client.download(&short, to, options).await.is_ok(), fits, "{most}");
    }
    scene.fault(MediaRequest::Download, MediaFault::ClaimLength { length: 3 << 30 });
    assert_eq!(scene.download(&reference).await.unwrap_err().code(), Code::MediaTooLarge);
    assert_no_leftovers(&scene.world);
    scene.end().await;
}

/// A file that the account's phone sent, as its companion refers to it.
async fn sent_by_phone(scene: &Scene) -> (MediaReference, Vec<u8>) {
    let ben = scene.world.sandbox.phone(BEN).await.unwrap();
    let bytes = noise(70_000);
    let media = MediaToSend {
        kind: MediaKind::Image,
        mimetype: "image/jpeg".into(),
        bytes: bytes.clone(),
        caption: None,
    };
    let message = scene.phone.media_message(&media).unwrap();
    let image = message.image_message.clone().unwrap();
    let id = scene.phone.send_message(BEN, message).await.unwrap();
    ben.wait_media(&id, DEADLINE).await.unwrap();
    let media = whimbrel::media::Media {
        direct_path: image.direct_path,
        key: image.media_key.map(whimbrel_content::Secret::new),
        sha256: image.file_sha256,
        encrypted_sha256: image.file_enc_sha256,
        length: image.file_length,
        ..whimbrel::media::Media::default()
    };
    let message = whimbrel_content::key::Key::own(&ben.jid(), &id);
    (MediaReference::of(MediaKind::Image, media, message), bytes)
}

#[tokio::test]
async fn the_phone_uploads_again_what_is_gone() {
    let scene = Scene::set().await;
    let (reference, bytes) = sent_by_phone(&scene).await;
    assert!(scene.download(&reference).await.unwrap() == bytes);
    for gone in [404, 410, 403] {
        scene.world.sandbox.expire_media(gone);
        let downloaded =
            scene.client.download(&reference, MediaTarget::Memory, DownloadOptions::default()).await.unwrap();
        assert!(downloaded.bytes.unwrap() == bytes, "{gone}");
        let moved = downloaded.moved.unwrap();
        assert_ne!(moved.media.direct_path, reference.media.direct_path);
        assert!(scene.download(&moved).await.unwrap() == bytes, "{gone}");
    }
    // When its time is over the hosts are not even asked.
    let before = scene.downloads().len();
    scene.world.sandbox.clock().advance(Duration::from_secs(40 * 86_400));
    scene.world.sandbox.expire_media(410);
    let many = (0..3).map(|_| scene.download(&reference));
    for downloaded in futures_util::future::join_all(many).await {
        assert!(downloaded.unwrap() == bytes);
    }
    assert!(scene.downloads().len() > before);

    scene.world.sandbox.expire_media(410);
    let mut options = DownloadOptions::default();
    options.ask_phone = false;
    let failed = scene.client.download(&reference, MediaTarget::Memory, options).await.unwrap_err();
    assert_eq!((failed.code(), failed.service_status()), (Code::MediaGone, 403));
    let nameless = MediaReference { message: None, ..reference };
    assert_eq!(scene.download(&nameless).await.unwrap_err().code(), Code::MediaGone);
    scene.end().await;
}

#[tokio::test]
async fn a_phone_that_cannot_help_says_so() {
    let scene = Scene::set().await;
    let (reference, bytes) = sent_by_phone(&scene).await;
    scene.world.sandbox.expire_media(410);
    for (how, code) in [
        (MediaRetry::NotFound, Code::MediaGone),
        (MediaRetry::GeneralError, Code::PhoneNoAnswer),
        (MediaRetry::ErrorNode, Code::PhoneNoAnswer),
        (MediaRetry::OtherMessage, Code::PhoneNoAnswer),
    ] {
        scene.phone.set_switches(SwitchChange { media_retry: Some(how), ..SwitchChange::default() });
        assert_eq!(scene.download(&reference).await.unwrap_err().code(), code, "{how:?}");
    }
    scene
        .phone
        .set_switches(SwitchChange { media_retry: Some(MediaRetry::Upload), ..SwitchChange::default() });
    let mut other_key = reference.clone();
    other_key.media.key = Some([7; 32].into());
    assert_eq!(scene.download(&other_key).await.unwrap_err().code(), Code::MediaGone);
    let mut unknown = reference.clone();
    unknown.message.as_mut().unwrap().id = "3EB0UNKNOWN".to_owned();
    assert_eq!(scene.download(&unknown).await.unwrap_err().code(), Code::MediaGone);

    // A phone that is offline answers later, and that counts for the next call.
    scene.phone.go_offline().await;
    let mut options = DownloadOptions::default();
    options.timeout = Some(Duration::from_millis(500));
    let late = scene.client.download(&reference, MediaTarget::Memory, options).await;
    assert_eq!(late.unwrap_err().code(), Code::TimedOut);
    scene.phone.go_online().await.unwrap();
    assert!(scene.download(&reference).await.unwrap() == bytes);
    scene.end().await;
}

#[tokio::test]
async fn transfers_are_watched_and_cancelled() {
    let scene = Scene::set().await;
    let file = noise(1 << 20);
    let mut events = scene.client.events().unwrap();
    let (progress, cancel) = (Progress::default(), Cancel::default());
    let mut options = UploadOptions::default();
    options.progress = Some(progress.clone());
    options.cancel = Some(cancel.clone());
    options.transfer = Some("up".to_owned());
    scene.fault(MediaRequest::Upload, MediaFault::Stall { bytes: 200_000 });
    let client = scene.client.clone();
    let source = file.clone();
    let upload = tokio::spawn(async move { client.upload(source, MediaKind::Video, options).await });
    let begun = tokio::time::timeout(DEADLINE, progress.changed(Transferred::default())).await.unwrap();
    assert_eq!(begun.total, (1 << 20) + 26);
    let told = next_kind(&mut events, |kind| match kind {
        EventKind::MediaProgress(told) => Some(told.clone()),
        _ => None,
    })
    .await;
    assert_eq!(
        (told.transfer.as_str(), told.direction, told.total),
        ("up", MediaDirection::Upload, begun.total)
    );
    scene.world.wait(|event| matches!(event, Event::FaultApplied { .. })).await;
    cancel.cancel();
    let cancelled = upload.await.unwrap().unwrap_err();
    assert_eq!((cancelled.code(), cancelled.outcome()), (Code::Cancelled, whimbrel::Outcome::NotSent));

    let reference = scene.upload(&file, MediaKind::Video).await;
    let (progress, cancel) = (Progress::default(), Cancel::default());
    let mut options = DownloadOptions::default();
    options.progress = Some(progress.clone());
    options.cancel = Some(cancel.clone());
    let target = scene.world.store("film.mp4");
    scene.fault(MediaRequest::Download, MediaFault::Stall { bytes: 300_000 });
    let (client, to, of) = (scene.client.clone(), MediaTarget::Path(target.clone()), reference.clone());
    let running = tokio::spawn(async move { client.download(&of, to, options).await });
    let mut seen = Transferred::default();
    while seen.done == 0 {
        seen = tokio::time::timeout(DEADLINE, progress.changed(seen)).await.unwrap();
    }
    cancel.cancel();
    assert_eq!(running.await.unwrap().unwrap_err().code(), Code::Cancelled);
    assert!(!target.exists());
    let mut options = DownloadOptions::default();
    options.progress = Some(progress.clone());
    scene.client.download(&reference, MediaTarget::Memory, options).await.unwrap();
    assert_eq!(progress.now().done, progress.now().total);
    scene.end().await;
}

#[tokio::test]
async fn parts_are_read_and_checked() {
    let scene = Scene::set().await;
    let file = noise(300_000);
    let uploaded =
        scene.client.upload(file.clone(), MediaKind::Video, UploadOptions::default()).await.unwrap();
    for sidecar in [None, uploaded.streaming_sidecar.clone()] {
        for part in [0..1, 15..17, 65_520..65_553, 100_000..200_000, 299_999..300_000, 0..300_000] {
            for whole in [false, true] {
                if whole {
                    scene.fault(MediaRequest::Download, MediaFault::IgnoreRange);
                }
                let mut options = ReadOptions::default();
                options.streaming_sidecar = sidecar.clone();
                let read = scene.client.read_media(&uploaded.reference, part.clone(), options).await.unwrap();
                let wanted = part.start as usize..part.end as usize;
                assert!(read.bytes == file[wanted], "{part:?}");
                assert_eq!(read.verified, sidecar.is_some());
            }
        }
    }
    let mut options = ReadOptions::default();
    options.streaming_sidecar = uploaded.streaming_sidecar.clone();
    scene.fault(MediaRequest::Download, MediaFault::Flip { at: 66_000 });
    let changed = scene.client.read_media(&uploaded.reference, 65_600..65_700, options.clone()).await;
    assert_eq!(changed.unwrap_err().code(), Code::MediaCorrupt);
    let beyond = scene.client.read_media(&uploaded.reference, 299_999..400_000, options).await;
    assert_eq!(beyond.unwrap_err().code(), Code::InvalidArgument);
    scene.end().await;
}

#[tokio::test]
async fn a_file_is_put_into_a_message_with_what_is_known_of_it() {
    let scene = Scene::set().await;
    let ben = scene.world.sandbox.phone(BEN).await.unwrap();
    let path = scene.world.store("report.xyz");
    std::fs::write(&path, noise(5000)).unwrap();
    let document = Content::Document(Document { caption: Some("here".to_owned()), ..Document::default() });
    let attached = scene.client.attach(document, path, UploadOptions::default()).await.unwrap();
    let Content::Document(document) = &attached else { panic!("it is a document still") };
    assert_eq!(document.file_name.as_deref(), Some("report.xyz"));
    assert_eq!(document.media.mimetype.as_deref(), Some("application/octet-stream"));
    let sent = scene.client.send(&ben.jid(), Draft::new(attached), SendOptions::default()).await.unwrap();
    let opened = ben.wait_media(&sent.message_id, DEADLINE).await.unwrap();
    assert_eq!((opened.kind, opened.mimetype.as_str()), (MediaKind::Document, "application/octet-stream"));
    assert!(opened.bytes == noise(5000));

    // A GIF of one pixel, by its header.
    let gif =
        b"GIF89a\x01\x00\x02\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x02\x00\x00\x02\x02D\x01\x00;".to_vec();
    let image = Content::Image(Image::default());
    let attached = scene.client.attach(image, gif, UploadOptions::default()).await.unwrap();
    let Content::Image(image) = attached else { panic!("it is a picture still") };
    assert_eq!((image.width, image.height), (Some(1), Some(2)));
    assert_eq!(image.media.mimetype.as_deref(), Some("image/gif"));

    let voice = Content::Voice(Audio::default());
    let unknown = scene.client.attach(voice, noise(99), UploadOptions::default()).await;
    assert_eq!(unknown.unwrap_err().code(), Code::MediaUnsupported);
    let text = Content::Text(Text::new("words".to_owned()));
    let none = scene.client.attach(text, noise(99), UploadOptions::default()).await;
    assert_eq!(none.unwrap_err().code(), Code::InvalidArgument);
    scene.end().await;
}

#[tokio::test]
async fn files_go_through_the_clients_proxy() {
    let world = World::start().await;
    let engine = world.engine();
    let proxy = Proxy::start(Kind::Socks(true)).await.unwrap();
    let mut options = quiet();
    let url = format!("socks5://bob:pw@{}", proxy.address());
    options.proxy = Some(whimbrel::Proxy::parse(&url).unwrap());
    let client = engine.open(world.store("proxied"), options).unwrap();
    world.link(&client, ANNA).await;
    let uploaded = client.upload(noise(99), MediaKind::Image, UploadOptions::default()).await.unwrap();
    assert_eq!(download(&client, &uploaded.reference).await.unwrap(), noise(99));
    let host = world.sandbox.media_hosts()[0].clone();
    assert_eq!(proxy.asked().iter().filter(|asked| **asked == host).count(), 2);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_client_without_its_connection_still_downloads() {
    let scene = Scene::set().await;
    let reference = scene.upload(b"stays", MediaKind::Image).await;
    scene.client.disconnect();
    assert_eq!(scene.download(&reference).await.unwrap(), b"stays");
    scene.end().await;
}

#[tokio::test]
async fn channels_get_files_that_are_not_encrypted() {
    let scene = Scene::set().await;
    let mut options = UploadOptions::default();
    options.newsletter = true;
    let uploaded = scene.client.upload(noise(1000), MediaKind::Image, options).await.unwrap();
    let media = &uploaded.reference.media;
    assert!(media.key.is_none() && media.encrypted_sha256.is_none() && uploaded.handle.is_some());
    assert_eq!(scene.download(&uploaded.reference).await.unwrap(), noise(1000));
    let mut other = uploaded.reference.clone();
    other.media.sha256 = Some(vec![1; 32]);
    let failed = scene.download(&other).await.unwrap_err();
    // Its hash is in the request, and the host has no such file there.
    assert_eq!(failed.code(), Code::MediaGone);
    scene.end().await;
}
