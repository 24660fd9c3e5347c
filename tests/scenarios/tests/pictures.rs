//! Pictures of people and groups: set, looked up, read, removed, and changes by others.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test reports")]

use whimbrel::events::{EventKind, PictureChanged};
use whimbrel::media::MediaTarget;
use whimbrel::pictures::{FoundPicture, Picture, PictureOptions, PictureSize};
use whimbrel::{CallOptions, Client, Code, Engine, EventStream, Jid};
use whimbrel_media::{Media, ThumbnailOptions, probe, square};
use whimbrel_sandbox::Event;
use whimbrel_sandbox::phone::Phone;
use whimbrel_scenarios::{ANNA, BEN, DEADLINE, World, next_kind, pn, send};

/// Files of other programs, of which none is square and none a JPEG.
const GIF: &[u8] = include_bytes!("../../vectors/media/animated.gif");
const WEBP: &[u8] = include_bytes!("../../vectors/media/lossy.webp");
const AVIF: &[u8] = include_bytes!("../../vectors/media/picture.avif");

/// Anna and Ben have engines beside their phones.
struct Scene {
    world: World,
    engine: Engine,
    anna: Client,
    ben: Client,
    /// What Ben's client is told.
    told: EventStream,
    phone: Phone,
}

impl Scene {
    async fn set() -> Self {
        let world = World::start().await;
        let engine = world.engine();
        let (anna, anna_phone) = world.linked(&engine, ANNA).await;
        let (ben, _) = world.linked(&engine, BEN).await;
        let told = ben.events().unwrap();
        Self { world, engine, anna, ben, told, phone: anna_phone }
    }

    async fn end(self) {
        self.world.assert_no_findings();
        self.engine.close(DEADLINE).await.unwrap();
    }
}

async fn found(client: &Client, owner: &Jid, size: PictureSize) -> FoundPicture {
    client.picture(owner, size, PictureOptions::default()).await.unwrap()
}

async fn existing(client: &Client, owner: &Jid) -> Picture {
    match found(client, owner, PictureSize::Full).await {
        FoundPicture::Picture(picture) => picture,
        other => panic!("no picture but {other:?}"),
    }
}

async fn read(client: &Client, owner: &Jid, size: PictureSize) -> Vec<u8> {
    let read = client.download_picture(owner, size, MediaTarget::Memory, CallOptions::default()).await;
    read.unwrap().unwrap().bytes.unwrap().to_vec()
}

fn edges(jpeg: &[u8]) -> (u32, u32) {
    match probe(&mut &*jpeg).unwrap() {
        Media::Image(image) => (image.width, image.height),
        other => panic!("no picture but {other:?}"),
    }
}

async fn changed(told: &mut EventStream) -> PictureChanged {
    next_kind(told, |kind| match kind {
        EventKind::PictureChanged(changed) => Some(changed.clone()),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_picture_of_any_form_becomes_a_square_that_others_see() {
    let mut scene = Scene::set().await;
    assert_eq!(found(&scene.ben, &pn(ANNA), PictureSize::Preview).await, FoundPicture::None);
    // Whom Anna wrote to is told of her picture.
    send(&scene.anna, &pn(BEN), "hello").await;
    let id = scene.anna.set_picture(None, GIF.to_vec(), CallOptions::default()).await.unwrap();
    let told = changed(&mut scene.told).await;
    assert_eq!(told.id.as_deref(), Some(id.as_str()));
    assert_eq!(told.owner.phone, Some(pn(ANNA)));
    assert_eq!(told.author.unwrap().phone, Some(pn(ANNA)));
    assert!(told.timestamp > 0);

    let picture = existing(&scene.ben, &pn(ANNA)).await;
    assert_eq!(picture.id, id);
    let mut known = PictureOptions::default();
    known.known_id = Some(id.clone());
    let again = scene.ben.picture(&pn(ANNA), PictureSize::Full, known).await.unwrap();
    assert_eq!(again, FoundPicture::Unchanged);
    let bytes = read(&scene.ben, &pn(ANNA), PictureSize::Full).await;
    assert_eq!(edges(&bytes), (40, 40), "the middle of 60 by 40");

    // Onto the disk, and another one, as its new id says.
    let path = scene.world.store("anna.jpg");
    let second = scene.anna.set_picture(None, WEBP.to_vec(), CallOptions::default()).await.unwrap();
    assert_ne!(second, id);
    assert_eq!(changed(&mut scene.told).await.id, Some(second.clone()));
    let target = MediaTarget::Path(path.clone());
    let read = scene.ben.download_picture(&pn(ANNA), PictureSize::Full, target, CallOptions::default()).await;
    assert_eq!(read.unwrap().unwrap().id, second);
    assert_eq!(edges(&std::fs::read(&path).unwrap()), (40, 40));

    scene.anna.remove_picture(None, CallOptions::default()).await.unwrap();
    let removed = changed(&mut scene.told).await;
    assert_eq!((removed.id, removed.owner.phone), (None, Some(pn(ANNA))));
    assert_eq!(found(&scene.ben, &pn(ANNA), PictureSize::Full).await, FoundPicture::None);
    let target = MediaTarget::Memory;
    let none = scene.ben.download_picture(&pn(ANNA), PictureSize::Full, target, CallOptions::default()).await;
    assert_eq!(none.unwrap(), None);
    // A second time there is none to be removed, which is as wanted.
    scene.anna.remove_picture(None, CallOptions::default()).await.unwrap();
    scene.end().await;
}

#[tokio::test]
async fn large_pictures_are_made_small_and_have_a_preview() {
    let scene = Scene::set().await;
    let options = ThumbnailOptions { longest_edge: 900, quality: 90, ..ThumbnailOptions::default() };
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 1000, 700);
    encoder.set_color(png::ColorType::Rgb);
    let line: Vec<u8> = (0..1000_u32).flat_map(|x| x.to_be_bytes()[1..].to_vec()).collect();
    encoder.write_header().unwrap().write_image_data(&line.repeat(700)).unwrap();
    assert_eq!(square(&png, &options).unwrap().width, 700);
    scene.anna.set_picture(None, png, CallOptions::default()).await.unwrap();
    assert_eq!(edges(&read(&scene.ben, &pn(ANNA), PictureSize::Full).await), (640, 640));
    assert_eq!(edges(&read(&scene.ben, &pn(ANNA), PictureSize::Preview).await), (96, 96));
    assert_eq!(edges(&read(&scene.anna, &pn(ANNA), PictureSize::Preview).await), (96, 96), "the own one");
    scene.end().await;
}

#[tokio::test]
async fn what_is_no_picture_is_refused_before_anything_leaves() {
    let scene = Scene::set().await;
    for (file, code) in [
        (AVIF.to_vec(), Code::MediaUnsupported),
        (b"nothing but a text".to_vec(), Code::MediaUnsupported),
        (vec![0; (16 << 20) + 1], Code::MediaTooLarge),
    ] {
        let refused = scene.anna.set_picture(None, file, CallOptions::default()).await.unwrap_err();
        assert_eq!(refused.code(), code);
    }
    let none = scene.world.store("none");
    let missing = scene.anna.set_picture(None, none, CallOptions::default()).await.unwrap_err();
    assert_eq!(missing.code(), Code::FileFailed);
    let person =
        scene.anna.set_picture(Some(&pn(BEN)), GIF.to_vec(), CallOptions::default()).await.unwrap_err();
    assert_eq!(person.code(), Code::InvalidArgument, "nobody sets the picture of another one");
    assert_eq!(scene.world.count(|event| matches!(event, Event::PictureChanged { .. })), 0);
    scene.end().await;
}

#[tokio::test]
async fn a_hidden_picture_is_no_error() {
    let scene = Scene::set().await;
    scene.anna.set_picture(None, GIF.to_vec(), CallOptions::default()).await.unwrap();
    assert!(scene.world.sandbox.set_privacy(ANNA, "profile", "none"));
    assert_eq!(found(&scene.ben, &pn(ANNA), PictureSize::Full).await, FoundPicture::Hidden);
    assert!(matches!(found(&scene.anna, &pn(ANNA), PictureSize::Full).await, FoundPicture::Picture(_)));
    let nobody = pn("31600000000");
    assert_eq!(found(&scene.ben, &nobody, PictureSize::Full).await, FoundPicture::None);
    let server = scene.ben.picture(&Jid::SERVER, PictureSize::Full, PictureOptions::default()).await;
    assert_eq!(server.unwrap_err().code(), Code::InvalidArgument);
    scene.end().await;
}

#[tokio::test]
async fn groups_have_pictures_that_admins_change() {
    let mut scene = Scene::set().await;
    let group = scene.world.group(ANNA, &[BEN], None);
    let id = scene.anna.set_picture(Some(&group.jid()), WEBP.to_vec(), CallOptions::default()).await.unwrap();
    let told = changed(&mut scene.told).await;
    assert_eq!((told.owner.id, told.id), (group.jid(), Some(id.clone())));
    assert_eq!(told.author.unwrap().phone, Some(pn(ANNA)));
    assert_eq!(existing(&scene.ben, &group.jid()).await.id, id);

    group.set_locked(ANNA, true).unwrap();
    let refused = scene.ben.set_picture(Some(&group.jid()), GIF.to_vec(), CallOptions::default()).await;
    assert_eq!(refused.unwrap_err().code(), Code::Forbidden);
    let refused = scene.ben.remove_picture(Some(&group.jid()), CallOptions::default()).await;
    assert_eq!(refused.unwrap_err().code(), Code::Forbidden);
    scene.anna.remove_picture(Some(&group.jid()), CallOptions::default()).await.unwrap();
    assert_eq!(changed(&mut scene.told).await.id, None);
    assert_eq!(found(&scene.ben, &group.jid(), PictureSize::Full).await, FoundPicture::None);
    let nobody: Jid = "120363999999999999@g.us".parse().unwrap();
    let missing = scene.anna.set_picture(Some(&nobody), GIF.to_vec(), CallOptions::default()).await;
    assert_eq!(missing.unwrap_err().code(), Code::NotFound);
    scene.end().await;
}

#[tokio::test]
async fn a_change_on_the_phone_is_told_also_after_a_restart() {
    let scene = Scene::set().await;
    scene.anna.disconnect();
    let jpeg =
        square(GIF, &ThumbnailOptions { longest_edge: 640, ..ThumbnailOptions::default() }).unwrap().jpeg;
    let id = scene.world.sandbox.change_picture(scene.phone.number(), None, Some(jpeg)).unwrap().unwrap();
    scene.anna.connect(CallOptions::default()).await.unwrap();
    let told = changed(&mut scene.anna.events().unwrap()).await;
    assert_eq!((told.owner.phone, told.id), (Some(pn(ANNA)), Some(id)));
    let refused = scene.world.sandbox.change_picture(BEN, None, Some(WEBP.to_vec())).unwrap_err();
    assert_eq!(refused.code, 406, "the service takes square JPEGs only");
    scene.end().await;
}
