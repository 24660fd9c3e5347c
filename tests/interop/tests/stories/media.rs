//! Files that clients of different makes upload and download, through the sandbox's media hosts.

use whimbrel::media::{DownloadOptions, Media, MediaKind, MediaReference, MediaTarget, UploadOptions};
use whimbrel_interop::{MediaFile, Pair, Program};
use whimbrel_sandbox::phone::MediaToSend;

use crate::support::{DEADLINE, Stage};

/// Kinds, and lengths around those of blocks and pieces.
const FILES: [(MediaKind, usize); 11] = [
    (MediaKind::Image, 70_000),
    (MediaKind::Video, 3 << 20),
    (MediaKind::Gif, 65_536),
    (MediaKind::Ptv, 65_525),
    (MediaKind::Audio, 65_526),
    (MediaKind::Ptt, 17),
    (MediaKind::Document, 20 << 20),
    (MediaKind::Sticker, 16),
    (MediaKind::LinkThumbnail, 15),
    (MediaKind::Document, 1),
    (MediaKind::Image, 0),
];

fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let octets = (0..length).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    octets.collect()
}

/// A file of a peer, as ours refers to it.
fn ours(kind: MediaKind, file: &MediaFile) -> MediaReference {
    let octets = |text: &str| hex::decode(text).unwrap();
    let key: [u8; 32] = octets(&file.media_key).try_into().unwrap();
    let media = Media {
        url: Some(file.url.clone()),
        direct_path: Some(file.direct_path.clone()),
        key: Some(key.into()),
        sha256: Some(octets(&file.file_sha256)),
        encrypted_sha256: Some(octets(&file.file_enc_sha256)),
        length: Some(file.file_length),
        ..Media::default()
    };
    MediaReference::new(kind, media)
}

/// A file of ours, as peers refer to it.
fn theirs(reference: &MediaReference) -> MediaFile {
    let Media { url, direct_path, key, sha256, encrypted_sha256, length, .. } = reference.media.clone();
    MediaFile {
        url: url.unwrap_or_default(),
        direct_path: direct_path.unwrap(),
        media_key: hex::encode(key.unwrap().expose()),
        file_sha256: hex::encode(sha256.unwrap()),
        file_enc_sha256: hex::encode(encrypted_sha256.unwrap()),
        file_length: length.unwrap(),
    }
}

async fn files_go_both_ways(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, start) = stage.peer_by_tls(program, stage.new_store()).await;
    let media = format!("https://{}", stage.sandbox.media_hosts().remove(0));
    peer.start(&start.pair(Pair::Qr).media(media)).await.unwrap();
    ana.scan(&peer.qr().await.unwrap()).await.unwrap();
    peer.linked().await.unwrap();
    peer.connected().await.unwrap();
    peer.caught_up().await.unwrap();
    let device = stage.whimbrel(&ben).await;
    let client = device.as_client();

    for (number, (kind, length)) in FILES.into_iter().enumerate() {
        let (name, file) = (kind.name(), noise(length));
        let (up, down) = (stage.new_store(), stage.new_store());
        std::fs::write(&up, &file).unwrap();

        let uploaded = peer.upload_media(name, &up).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(uploaded.file_length, length as u64);
        let reference = ours(kind, &uploaded);
        let got = client.download(&reference, MediaTarget::Memory, DownloadOptions::default()).await.unwrap();
        assert!(got.bytes.unwrap() == file, "{name} from {program:?}");

        let uploaded = client.upload(file.clone(), kind, UploadOptions::default()).await.unwrap();
        let theirs = theirs(&uploaded.reference);
        peer.download_media(name, &theirs, &down).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(std::fs::read(&down).unwrap() == file, "{name} to {program:?}");
        println!("{number:>2} {name:<14} {length:>9} octets, both ways, {program:?}");
    }

    // What is gone the peer's phone uploads again, when its companion asks.
    let bytes = noise(5000);
    let picture = MediaToSend {
        kind: MediaKind::Image,
        mimetype: "image/jpeg".into(),
        bytes: bytes.clone(),
        caption: None,
    };
    let message = ana.media_message(&picture).unwrap();
    let image = message.image_message.clone().unwrap();
    let id = ana.send_message(ben.number(), message).await.unwrap();
    ben.wait_media(&id, DEADLINE).await.unwrap();
    let hex = |octets: Option<Vec<u8>>| hex::encode(octets.unwrap());
    let mut file = MediaFile {
        url: String::new(),
        direct_path: image.direct_path.unwrap(),
        media_key: hex(image.media_key),
        file_sha256: hex(image.file_sha256),
        file_enc_sha256: hex(image.file_enc_sha256),
        file_length: 5000,
    };
    stage.sandbox.expire_media(410);
    let down = stage.new_store();
    assert!(peer.download_media("image", &file, &down).await.is_err(), "the file is gone");
    file.direct_path = peer.ask_for_media(&file, &ben.lid().to_string(), &id, true).await.unwrap();
    peer.download_media("image", &file, &down).await.unwrap();
    assert!(std::fs::read(&down).unwrap() == bytes);
    peer.quit().await.unwrap();
    stage.finish();
}

#[tokio::test]
async fn files_go_between_whimbrel_and_baileys() {
    files_go_both_ways(Program::Baileys, "media-baileys").await;
}

#[tokio::test]
async fn files_go_between_whimbrel_and_whatsmeow() {
    files_go_both_ways(Program::Whatsmeow, "media-whatsmeow").await;
}
