//! Sends a picture, or saves the files that come in.
//!
//! `media send TO PICTURE` sends a picture and tells how far it is; the end of the input (Ctrl-D)
//! stops it. `media save FOLDER` saves the files of all messages, until its input ends.
//!
//! Without a link it prints a QR code to scan with the phone's "Linked devices", and keeps the link in
//! a file. With `--sandbox FILE` it talks to a sandbox instead of the real service: FILE holds the line
//! that `whimbrel-sandbox` prints when it is ready.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use whimbrel::content::Content;
use whimbrel::content::compose::Draft;
use whimbrel::content::key::Key;
use whimbrel::content::kinds::media::{Image, Media};
use whimbrel::events::{ConnectionState, EventKind, EventStream, Message};
use whimbrel::media::{DownloadOptions, MediaKind, MediaReference, MediaTarget, UploadOptions};
use whimbrel::{Cancel, Client, ClientOptions, Engine, EngineOptions, SendOptions, parse_address};
use whimbrel_examples::{drawn, sandbox};

const USAGE: &str = "usage: media [--store FILE] [--sandbox FILE] send TO PICTURE | save FOLDER";

enum Task {
    Send { to: String, picture: PathBuf },
    Save { folder: PathBuf },
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut store = String::from("media.db");
    let mut options = EngineOptions::default();
    let mut words = std::env::args().skip(1);
    let task = loop {
        match (words.next().as_deref(), words.next(), words.len()) {
            (Some("--store"), Some(file), _) => store = file,
            (Some("--sandbox"), Some(file), _) => options.endpoint = sandbox(&file)?,
            (Some("send"), Some(to), 1) => break Task::Send { to, picture: words.collect() },
            (Some("save"), Some(folder), 0) => break Task::Save { folder: folder.into() },
            _ => return Err(USAGE.into()),
        }
    };

    let engine = Engine::new(options)?;
    let client = engine.open_async(&store, ClientOptions::default()).await?;
    let (tell, mut online) = watch::channel(false);
    let (end, ended) = oneshot::channel::<()>();
    // A thread of its own: nothing waits for it when the program ends.
    std::thread::spawn(move || {
        let _end = end;
        std::io::stdin().lines().count()
    });
    match task {
        Task::Send { to, picture } => {
            let watching = watch_events(client.events()?, &client, &tell, None);
            let sending = async {
                online.wait_for(|online| *online).await?;
                let cancel = Cancel::default();
                let sending = send(&client, &to, &picture, cancel.clone());
                tokio::pin!(sending);
                tokio::select! {
                    sent = &mut sending => sent,
                    _ = ended => {
                        // The upload stops, and what has not left is withdrawn.
                        cancel.cancel();
                        sending.await
                    }
                }
            };
            tokio::select! {
                sent = sending => sent?,
                watched = watching => watched?,
            }
        }
        Task::Save { folder } => tokio::select! {
            watched = watch_events(client.events()?, &client, &tell, Some(&folder)) => watched?,
            _ = ended => {}
        },
    }
    Ok(engine.close(Duration::from_secs(5)).await?)
}

async fn watch_events(
    mut events: EventStream,
    client: &Client,
    online: &watch::Sender<bool>,
    folder: Option<&Path>,
) -> Result<(), Box<dyn Error>> {
    while let Some(event) = events.next().await {
        match event.kind {
            EventKind::Qr(qr) => println!("{}", drawn(&qr.text)?),
            EventKind::Connection(state) => drop(online.send_replace(state == ConnectionState::Online)),
            EventKind::MediaProgress(it) => println!("{}: {} of {} bytes", it.transfer, it.done, it.total),
            EventKind::Message(message) if !message.from_me => {
                if let (Some(folder), Some(sequence)) = (folder, event.sequence) {
                    // The stream is not asked for the next event meanwhile: after a crash this one comes again.
                    save(client, &message, &folder.join(sequence.to_string())).await;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Sends a picture.
async fn send(client: &Client, to: &str, picture: &Path, cancel: Cancel) -> Result<(), Box<dyn Error>> {
    let name = picture.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let image = Image { caption: Some("from whimbrel".to_owned()), ..Image::default() };
    let mut upload = UploadOptions::default();
    upload.transfer = Some(name.clone());
    upload.cancel = Some(cancel.clone());
    let content = client.attach(Content::Image(image), picture, upload).await?;
    let mut options = SendOptions::default();
    options.cancel = Some(cancel);
    let sent = client.send(&parse_address(to)?, Draft::new(content), options).await?;
    println!("sent {name} as {}", sent.message_id);
    Ok(())
}

/// Saves the file of a message, if it has one. The name is our own: what senders write is not to be
/// trusted with paths.
async fn save(client: &Client, message: &Message, path: &Path) {
    let Some((kind, media)) = file(&message.content) else { return };
    let (chat, sender) = (&message.chat.id, &message.sender.id);
    let reference = MediaReference::of(kind, media.clone(), Key::foreign(chat, &message.message_id, sender));
    let target = MediaTarget::Path(path.to_owned());
    match client.download(&reference, target, DownloadOptions::default()).await {
        Ok(_) => println!("saved {}", path.display()),
        Err(error) => println!("not saved: {error}"),
    }
}

fn file(content: &Content) -> Option<(MediaKind, &Media)> {
    Some(match content {
        Content::Image(it) => (MediaKind::Image, &it.media),
        Content::Video(it) => (MediaKind::Video, &it.media),
        Content::Gif(it) => (MediaKind::Gif, &it.media),
        Content::VideoNote(it) => (MediaKind::Ptv, &it.media),
        Content::Audio(it) => (MediaKind::Audio, &it.media),
        Content::Voice(it) => (MediaKind::Ptt, &it.media),
        Content::Document(it) => (MediaKind::Document, &it.media),
        Content::Sticker(it) => (MediaKind::Sticker, &it.media),
        _ => return None,
    })
}
