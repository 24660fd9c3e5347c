//! Pictures of people and groups, set, looked up and removed between a client of ours and Baileys or whatsmeow.

use serde_json::{Value, json};
use whimbrel::events::{EventKind, PictureChanged};
use whimbrel::media::MediaTarget;
use whimbrel::pictures::{FoundPicture, PictureOptions, PictureSize};
use whimbrel::{CallOptions, Jid};
use whimbrel_interop::Program;

use crate::support::{Device, Stage};

/// A picture that is no square.
const GIF: &[u8] = include_bytes!("../../../vectors/media/animated.gif");

/// A peer, whose methods have other names than those of the next.
struct Painter<'a> {
    device: &'a Device,
    program: Program,
    /// Its own address.
    own: String,
}

impl Painter<'_> {
    async fn call(&self, method: &str, arguments: Value) -> Value {
        let called = self.device.as_peer().call(method, arguments).await;
        called.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Sets a picture: its own, or a group's.
    async fn sets(&self, group: Option<&Jid>, jpeg: &[u8]) {
        let bytes = base64(jpeg);
        match self.program {
            Program::Baileys => {
                let whose = group.map_or_else(|| self.own.clone(), ToString::to_string);
                self.call("updateProfilePicture", json!([whose, {"$base64": bytes}])).await;
            }
            Program::Whatsmeow => {
                let whose = group.map(ToString::to_string).unwrap_or_default();
                let id = self.call("SetGroupPhoto", json!([whose, bytes])).await;
                assert!(id.as_str().is_some_and(|id| !id.is_empty()), "{id}");
            }
        }
    }

    async fn removes(&self, group: Option<&Jid>) {
        match self.program {
            Program::Baileys => {
                let whose = group.map_or_else(|| self.own.clone(), ToString::to_string);
                self.call("removeProfilePicture", json!([whose])).await;
            }
            Program::Whatsmeow => {
                let whose = group.map(ToString::to_string).unwrap_or_default();
                self.call("SetGroupPhoto", json!([whose, null])).await;
            }
        }
    }

    /// The address at which it finds a picture.
    async fn finds(&self, of: &Jid) -> Option<String> {
        let (method, arguments) = match self.program {
            Program::Baileys => ("profilePictureUrl", json!([of.to_string(), "image"])),
            Program::Whatsmeow => ("GetProfilePictureInfo", json!([of.to_string(), null])),
        };
        // That there is none is an error to whatsmeow, and to Baileys too.
        let found = self.device.as_peer().call(method, arguments).await.ok()?;
        let url = found.as_str().or_else(|| found.get("url")?.as_str());
        Some(url?.to_owned())
    }

    /// Waits until it is told that a picture was set, or removed.
    async fn is_told(&self, of: &Jid, removed: bool) {
        let of = of.to_string();
        let told = match self.program {
            Program::Baileys => {
                let word = if removed { "removed" } else { "changed" };
                let fits = |value: &Value| {
                    let mut people = value.as_array().into_iter().flatten();
                    people.any(|person| {
                        person.get("id") == Some(&json!(of)) && person.get("imgUrl") == Some(&json!(word))
                    })
                };
                self.device.as_peer().was_told("contacts.update", fits).await
            }
            Program::Whatsmeow => {
                let fits = |value: &Value| {
                    value.get("JID") == Some(&json!(of)) && value.get("Remove") == Some(&json!(removed))
                };
                self.device.as_peer().was_told("Picture", fits).await
            }
        };
        told.unwrap();
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Waits until our client is told of a picture.
async fn ours_sees(ours: &Device, removed: bool) -> PictureChanged {
    ours.event("a changed picture", |event| match event {
        EventKind::PictureChanged(changed) if changed.id.is_none() == removed => Some(changed.clone()),
        _ => None,
    })
    .await
}

async fn pictures(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (device, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ben).await);
    let peer = Painter { device: &device, program, own: ana.jid().to_string() };
    let (client, options) = (ours.as_client(), CallOptions::default);
    // Whom people wrote to is told of their pictures.
    ours.hears_from(&device, "first").await;
    let id = ours.say(&ana, "second").await;
    assert_eq!(device.hear("the second text").await.id, id);

    // Ours.
    assert_eq!(peer.finds(&ben.jid()).await, None);
    client.set_picture(None, GIF.to_vec(), options()).await.unwrap();
    peer.is_told(&ben.jid(), false).await;
    assert!(peer.finds(&ben.jid()).await.is_some());
    // whatsmeow leaves making a square to its host: it gets the one that ours made.
    let own = ben.jid();
    let read = client.download_picture(&own, PictureSize::Full, MediaTarget::Memory, options());
    let jpeg = read.await.unwrap().unwrap().bytes.unwrap();
    client.remove_picture(None, options()).await.unwrap();
    peer.is_told(&ben.jid(), true).await;
    assert_eq!(peer.finds(&ben.jid()).await, None);

    // Theirs.
    peer.sets(None, &jpeg).await;
    let told = ours_sees(&ours, false).await;
    assert_eq!((told.owner.phone, told.author.unwrap().phone), (Some(ana.jid()), Some(ana.jid())));
    let found = client.picture(&ana.jid(), PictureSize::Full, PictureOptions::default()).await.unwrap();
    let FoundPicture::Picture(found) = found else { panic!("no picture but {found:?}") };
    assert_eq!(Some(found.id), told.id);
    let owner = ana.jid();
    let read = client.download_picture(&owner, PictureSize::Full, MediaTarget::Memory, options());
    let read = read.await.unwrap().unwrap().bytes.unwrap();
    assert!(read.starts_with(&[0xff, 0xd8]), "a JPEG");
    peer.removes(None).await;
    assert_eq!(ours_sees(&ours, true).await.owner.phone, Some(ana.jid()));
    let found = client.picture(&ana.jid(), PictureSize::Preview, PictureOptions::default()).await.unwrap();
    assert_eq!(found, FoundPicture::None);

    // A group's, by either.
    let created =
        client.create_group("Birds", &[ana.jid()], Default::default(), Default::default()).await.unwrap();
    let group = created.group.id;
    peer.sets(Some(&group), &jpeg).await;
    let told = ours_sees(&ours, false).await;
    assert_eq!((told.owner.id.clone(), told.author.unwrap().phone), (group.clone(), Some(ana.jid())));
    client.set_picture(Some(&group), GIF.to_vec(), options()).await.unwrap();
    peer.is_told(&group, false).await;
    peer.removes(Some(&group)).await;
    assert_eq!(ours_sees(&ours, true).await.owner.id, group);
    stage.is_quiet().await;
    stage.finish();
}

#[tokio::test]
async fn pictures_go_between_whimbrel_and_baileys() {
    pictures(Program::Baileys, "pictures-baileys").await;
}

#[tokio::test]
async fn pictures_go_between_whimbrel_and_whatsmeow() {
    pictures(Program::Whatsmeow, "pictures-whatsmeow").await;
}
