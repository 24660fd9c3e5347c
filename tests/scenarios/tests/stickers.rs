//! Packs of stickers: made, sent, downloaded and taken apart; and what single ones say of their pack.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use whimbrel::appstate::Action;
use whimbrel::content::Content;
use whimbrel::content::compose::Draft;
use whimbrel::content::kinds::media::{Image, Media};
use whimbrel::content::kinds::sticker::Sticker;
use whimbrel::events::{EventKind, HistoryKind};
use whimbrel::media::{DownloadOptions, MediaKind, MediaReference, MediaTarget, UploadOptions};
use whimbrel::stickers::{NewSticker, NewStickerPack, StickerInfo};
use whimbrel::{Client, Code, SendOptions};
use whimbrel_proto::sync_action::sync_action_value::RemoveRecentStickerAction;
use whimbrel_sandbox::phone::Past;
use whimbrel_scenarios::{ANNA, BEN, DEADLINE, World, next_kind, next_message, pn, quiet};

/// A picture of one pixel.
fn webp() -> Vec<u8> {
    STANDARD.decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==").unwrap()
}

fn folder(world: &World, name: &str) -> PathBuf {
    world.store(name)
}

/// A pack of two stickers in files.
fn pack(world: &World) -> NewStickerPack {
    let path = folder(world, "finch.webp");
    fs::write(&path, webp()).unwrap();
    let mut finch = NewSticker::new(path);
    finch.emojis = vec!["🐦".to_owned(), "🙂".to_owned()];
    finch.accessibility_label = Some("a finch".to_owned());
    let mut pack = NewStickerPack::default();
    pack.name = "Birds".to_owned();
    pack.publisher = Some("Anna".to_owned());
    pack.description = Some("seen in autumn".to_owned());
    pack.stickers = vec![finch, NewSticker::new(webp())];
    pack
}

async fn download(client: &Client, reference: &MediaReference, to: &Path) {
    let target = MediaTarget::Path(to.to_owned());
    client.download(reference, target, DownloadOptions::default()).await.unwrap();
}

#[tokio::test]
async fn a_pack_is_made_sent_and_taken_apart() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let mut events = ben.events().unwrap();
    let made = anna.make_sticker_pack(pack(&world), UploadOptions::default()).await.unwrap();
    anna.send(&pn(BEN), Draft::new(made.clone()), SendOptions::default()).await.unwrap();
    let told = next_message(&mut events).await;
    assert_eq!(told.content, made);
    let Content::StickerPack(told) = told.content else { panic!("no pack: {told:?}") };
    assert_eq!((told.name.as_str(), told.publisher.as_deref()), ("Birds", Some("Anna")));
    assert_eq!(told.tray_icon, Some(format!("{}.webp", told.id)));
    assert_eq!(told.stickers[0].emojis, ["🐦", "🙂"]);
    assert_eq!(told.stickers[0].accessibility_label.as_deref(), Some("a finch"));

    // Its picture has the same key, and words of its own to derive from it.
    let preview = told.preview.clone().unwrap();
    let media = Media {
        direct_path: preview.direct_path,
        sha256: preview.sha256,
        encrypted_sha256: preview.encrypted_sha256,
        key: told.media.key.clone(),
        ..Media::default()
    };
    let file = folder(&world, "preview.jpg");
    download(&ben, &MediaReference::new(MediaKind::StickerPackThumbnail, media), &file).await;
    let picture = fs::read(file).unwrap();
    assert_eq!(told.image_data_hash, Some(STANDARD.encode(Sha256::digest(&picture))));
    assert!(picture.starts_with(&[0xff, 0xd8]), "a JPEG");

    let (archive, stickers) = (folder(&world, "pack.zip"), folder(&world, "stickers"));
    let reference = MediaReference::new(MediaKind::StickerPack, told.media.clone());
    download(&ben, &reference, &archive).await;
    let unpacked = ben.unpack_sticker_pack(archive, &stickers).await.unwrap();
    assert_eq!(unpacked.len(), 3);
    for (sticker, item) in unpacked.iter().zip(&told.stickers) {
        assert_eq!((&sticker.name, sticker.path.clone()), (&item.file_name, stickers.join(&item.file_name)));
        let info = sticker.info.clone().unwrap();
        assert_eq!((info.id, info.name), (Some(told.id.clone()), Some("Birds".to_owned())));
        assert_eq!((&info.emojis, &info.accessibility_text), (&item.emojis, &item.accessibility_label));
    }
    let length: u64 = unpacked.iter().take(2).map(|it| fs::metadata(&it.path).unwrap().len()).sum();
    assert_eq!(told.size, Some(length));
    assert_eq!(fs::read_dir(&stickers).unwrap().count(), 3, "nothing temporary is left");
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_is_no_pack_is_neither_made_nor_taken_apart() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let made = async |edit: fn(&mut NewStickerPack)| {
        let mut pack = pack(&world);
        edit(&mut pack);
        anna.make_sticker_pack(pack, UploadOptions::default()).await.unwrap_err().code()
    };
    assert_eq!(made(|pack| pack.name.clear()).await, Code::InvalidArgument);
    assert_eq!(made(|pack| pack.stickers.clear()).await, Code::InvalidArgument);
    assert_eq!(made(|pack| pack.id = Some("../birds".to_owned())).await, Code::InvalidArgument);
    assert_eq!(
        made(|pack| pack.stickers.push(NewSticker::new(b"no picture".to_vec()))).await,
        Code::MediaUnsupported
    );
    assert_eq!(made(|pack| pack.stickers.push(NewSticker::new(vec![0; 2 << 20]))).await, Code::MediaTooLarge);
    assert_eq!(made(|pack| pack.stickers[0].file = PathBuf::from("/none").into()).await, Code::FileFailed);

    // Two stickers, the second of which would lie beside the folder.
    let mut archive =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/sticker_pack/elsewhere"))
            .unwrap();
    let stickers = folder(&world, "none");
    let error = anna.unpack_sticker_pack(archive.clone(), &stickers).await.unwrap_err();
    assert_eq!(error.code(), Code::MediaUnsupported);
    archive.truncate(30);
    let error = anna.unpack_sticker_pack(archive, &stickers).await.unwrap_err();
    assert_eq!(error.code(), Code::MediaUnsupported);
    assert!(!stickers.exists(), "nothing is written");
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_sticker_says_to_which_pack_it_belongs() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let mut options = UploadOptions::default();
    options.sticker = Some(StickerInfo {
        name: Some("Birds".to_owned()),
        publisher: Some("Anna".to_owned()),
        emojis: vec!["🐦".to_owned()],
        ..StickerInfo::default()
    });
    let content = anna.attach(Content::Sticker(Sticker::default()), webp(), options.clone()).await.unwrap();
    let Content::Sticker(sticker) = &content else { panic!("no sticker") };
    assert_eq!((sticker.width, sticker.height), (Some(1), Some(1)));
    let reference = MediaReference::new(MediaKind::Sticker, sticker.media.clone());
    let file = folder(&world, "sticker.webp");
    download(&anna, &reference, &file).await;
    let found = anna.describe(file).await.unwrap();
    assert_eq!(found.sticker, options.sticker);
    assert_eq!((found.width, found.mimetype.as_str()), (Some(1), "image/webp"));
    let error = anna.attach(Content::Sticker(Sticker::default()), b"GIF89a".to_vec(), options.clone()).await;
    assert_eq!(error.unwrap_err().code(), Code::MediaUnsupported);
    let image = Content::Image(Image::default());
    assert_eq!(anna.attach(image, webp(), options).await.unwrap_err().code(), Code::InvalidArgument);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn stickers_that_were_used_lately_are_listed_sent_and_forgotten() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let phone = world.sandbox.phone(ANNA).await.unwrap();
    phone.remember(Past { extras: true, chats: 2, messages: 2, ..Past::default() });
    world.link(&client, ANNA).await;
    next_kind(&mut events, |event| match event {
        EventKind::History(sync) if sync.kind == HistoryKind::Other => Some(()),
        _ => None,
    })
    .await;
    let recent = client.recent_stickers().await.unwrap();
    let [latest, other] = recent.as_slice() else { panic!("two of them: {recent:?}") };
    assert!(latest.sent_at_ms > other.sent_at_ms, "the latest first");
    // It is sent as it is, and the one who gets it can open it.
    let (ben, _) = world.linked(&engine, BEN).await;
    let mut at_ben = ben.events().unwrap();
    let draft = Draft::new(Content::Sticker(latest.clone()));
    client.send(&pn(BEN), draft, SendOptions::default()).await.unwrap();
    let told = next_message(&mut at_ben).await;
    let Content::Sticker(sticker) = told.content else { panic!("no sticker: {told:?}") };
    let path = folder(&world, "recent.webp");
    download(&ben, &MediaReference::new(MediaKind::Sticker, sticker.media), &path).await;
    assert_eq!(fs::read(&path).unwrap(), vec![1; 64]);

    // The phone takes one off the list; it is known of a restart.
    let hash = STANDARD.encode(other.media.sha256.as_deref().unwrap());
    let value = RemoveRecentStickerAction { last_sticker_sent_ts: other.sent_at_ms };
    let action = Action::RemoveRecentSticker { file_hash: hash, value: Box::new(value) };
    phone.set_app_state(&[action]).await.unwrap();
    next_kind(&mut events, |event| match event {
        EventKind::StateChanged(change) => {
            matches!(change.action, Action::RemoveRecentSticker { .. }).then_some(())
        }
        _ => None,
    })
    .await;
    client.close(DEADLINE).await.unwrap();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    assert_eq!(client.recent_stickers().await.unwrap(), recent[..1]);
    world.assert_no_findings();
}
