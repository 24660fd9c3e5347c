//! Calls: any operation by name with JSON, the hot paths with types, and their replies.

use std::sync::{Arc, OnceLock, mpsc};

use safer_ffi::prelude::*;
use whimbrel::{Cancel, Code, Error, Outcome, SentMessage, parse_address};
use whimbrel_api::calls::cancellable;
use whimbrel_api::media::{self, Downloaded};
use whimbrel_api::operations;

use crate::bytes::{put, whimbrel_buffer, whimbrel_bytes, whimbrel_str};
use crate::client::whimbrel_client;
use crate::error::{lend, whimbrel_error};
use crate::guard::{entry, null, shielded};
use crate::handler::{ReplyHandler, whimbrel_reply_handler};
use crate::host::ClientHost;
use crate::options::{whimbrel_call_options, whimbrel_send_options};
use crate::outstanding::Owed;
use crate::sized;
use crate::thread::EventsThread;
use crate::views::whimbrel_sent_view;

/// What became of a call. Lent to its handler until that returns.
#[derive_ReprC]
#[repr(opaque)]
pub struct whimbrel_reply {
    answer: Answer,
    /// Texts that views point to.
    texts: OnceLock<(String, String)>,
}

enum Answer {
    Json(String),
    Sent(SentMessage),
    File(Downloaded),
    Done,
    Failed(whimbrel_error),
}

/// Begins an operation by name with its request in JSON; an empty request is `{}`. The names,
/// requests and answers are in the description of the operations. The handler is taken whatever
/// is returned. `call` may be null; it gets the number for whimbrel_client_cancel().
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_client_request(
    client: Option<&whimbrel_client>,
    name: whimbrel_str,
    request: whimbrel_str,
    options: *const whimbrel_call_options,
    reply: whimbrel_reply_handler,
    call: *mut u64,
) -> Option<repr_c::Box<whimbrel_error>> {
    let reply = ReplyHandler::take(reply);
    begin(client, call, |host| {
        // SAFETY: the header asks for readable views and a struct whose first field is its size.
        let (name, request, options) =
            unsafe { (name.read()?, request.read_optional()?, sized::read(options)?) };
        let (entry, options) = (operations::find(name)?, options.read()?);
        let request = request.unwrap_or_default().to_owned();
        let client = host.client.clone();
        let signal = Cancel::default();
        let options = cancellable(options, &signal);
        let work = async move { entry.start(&client, &request, options)?.await };
        Ok(host.start(signal, work, reply, Answer::Json))
    })
}

/// Sends a text message; the reply, when the service has it or as `wait` says, carries its id
/// (whimbrel_reply_sent()). `chat` is a JID or a phone number with its country code. An accepted
/// message survives a crash of the process. Otherwise as whimbrel_client_request().
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_client_send_text(
    client: Option<&whimbrel_client>,
    chat: whimbrel_str,
    text: whimbrel_str,
    options: *const whimbrel_send_options,
    reply: whimbrel_reply_handler,
    call: *mut u64,
) -> Option<repr_c::Box<whimbrel_error>> {
    let reply = ReplyHandler::take(reply);
    begin(client, call, |host| {
        // SAFETY: the header asks for readable views and a struct whose first field is its size.
        let (chat, text, mut options) =
            unsafe { (chat.read()?, text.read()?, sized::read(options)?.read()?) };
        let (chat, text) = (parse_address(chat)?, text.to_owned());
        let client = host.client.clone();
        let signal = Cancel::default();
        options.cancel = Some(signal.clone());
        let work = async move { client.send_text(&chat, &text, options).await };
        Ok(host.start(signal, work, reply, Answer::Sent))
    })
}

/// Marks messages of a chat as read, and tells their sender so. `sender`, who wrote all of them,
/// is needed in groups and absent in direct chats. Otherwise as whimbrel_client_request().
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_client_mark_read(
    client: Option<&whimbrel_client>,
    chat: whimbrel_str,
    sender: whimbrel_str,
    message_ids: *const whimbrel_str,
    count: usize,
    options: *const whimbrel_call_options,
    reply: whimbrel_reply_handler,
    call: *mut u64,
) -> Option<repr_c::Box<whimbrel_error>> {
    let reply = ReplyHandler::take(reply);
    begin(client, call, |host| {
        // SAFETY: the header asks for readable views, as many ids as it is told, and a struct
        // whose first field is its size.
        let (chat, sender, ids, options) = unsafe {
            (
                chat.read()?,
                sender.read_optional()?,
                read_all(message_ids, count)?,
                sized::read(options)?.read()?,
            )
        };
        let chat = parse_address(chat)?;
        let sender = sender.map(parse_address).transpose()?;
        let client = host.client.clone();
        let work = async move { client.mark_read(&chat, sender.as_ref(), &ids, options).await };
        Ok(host.start(Cancel::default(), work, reply, |()| Answer::Done))
    })
}

/// Uploads bytes as the operation `upload_media` does a file; the request in JSON is the same
/// without `path`, such as `{"kind":"image"}`, and so is the answer (whimbrel_reply_json()). The
/// bytes are copied before this returns. Otherwise as whimbrel_client_request().
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_client_upload(
    client: Option<&whimbrel_client>,
    bytes: whimbrel_bytes,
    request: whimbrel_str,
    options: *const whimbrel_call_options,
    reply: whimbrel_reply_handler,
    call: *mut u64,
) -> Option<repr_c::Box<whimbrel_error>> {
    let reply = ReplyHandler::take(reply);
    begin(client, call, |host| {
        // SAFETY: the header asks for readable views and a struct whose first field is its size.
        let (bytes, request, options) =
            unsafe { (bytes.read_optional()?, request.read()?, sized::read(options)?.read()?) };
        let (bytes, request) = (bytes.unwrap_or_default().to_vec(), request.to_owned());
        let client = host.client.clone();
        let signal = Cancel::default();
        let options = cancellable(options, &signal);
        let work = async move { media::upload(&client, &request, bytes, options).await };
        Ok(host.start(signal, work, reply, Answer::Json))
    })
}

/// Downloads a file as the operation `download_media` does, into memory: whimbrel_reply_bytes()
/// gives it. The request in JSON is the same without `path`, such as `{"reference":"…"}`, and so is
/// the answer (whimbrel_reply_json()). Otherwise as whimbrel_client_request().
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_client_download(
    client: Option<&whimbrel_client>,
    request: whimbrel_str,
    options: *const whimbrel_call_options,
    reply: whimbrel_reply_handler,
    call: *mut u64,
) -> Option<repr_c::Box<whimbrel_error>> {
    let reply = ReplyHandler::take(reply);
    begin(client, call, |host| {
        // SAFETY: the header asks for a readable view and a struct whose first field is its size.
        let (request, options) = unsafe { (request.read()?, sized::read(options)?.read()?) };
        let request = request.to_owned();
        let client = host.client.clone();
        let signal = Cancel::default();
        let options = cancellable(options, &signal);
        let work = async move { media::download(&client, &request, options).await };
        Ok(host.start(signal, work, reply, Answer::File))
    })
}

/// Runs an operation and waits for its answer, in JSON. Otherwise as whimbrel_client_request().
/// Blocks: not for callbacks of this engine.
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_client_call(
    client: Option<&whimbrel_client>,
    name: whimbrel_str,
    request: whimbrel_str,
    options: *const whimbrel_call_options,
    answer: *mut whimbrel_buffer,
) -> Option<repr_c::Box<whimbrel_error>> {
    let mut json = whimbrel_buffer::EMPTY;
    let error = entry(|| {
        let host = whimbrel_client::get(client)?;
        host.engine.thread.refuse_blocking()?;
        if answer.is_null() {
            return Err(null("the place for the answer is null"));
        }
        let (done, result) = mpsc::sync_channel(1);
        host.run(|| {
            // SAFETY: the header asks for readable views and a struct whose first field is its
            // size.
            let (name, request, options) =
                unsafe { (name.read()?, request.read_optional()?, sized::read(options)?) };
            let (entry, options) = (operations::find(name)?, options.read()?);
            let request = request.unwrap_or_default().to_owned();
            let client = host.client.clone();
            let work = async move { entry.start(&client, &request, options)?.await };
            host.calls.start(host.engine.engine.handle(), work, move |result| {
                // Nobody waits any more if this fails.
                let _ = done.send(result);
            });
            Ok(())
        })?;
        // Every operation has a deadline. A sender that is gone was dropped with the engine.
        json = whimbrel_buffer::new(result.recv().unwrap_or_else(|_| Err(unanswered()))?);
        Ok(())
    });
    // SAFETY: the header asks for a writable place, or null.
    unsafe { put(answer, json) };
    error
}

/// Cancels a call: its reply follows with `CANCELLED`, unless it has another result already. A
/// message that has not left by then is withdrawn (the outcome is `not_sent`); else its fate follows
/// as an event. Numbers of ended calls are ignored.
#[ffi_export]
#[must_use]
pub extern "C" fn whimbrel_client_cancel(
    client: Option<&whimbrel_client>,
    call: u64,
) -> Option<repr_c::Box<whimbrel_error>> {
    entry(|| {
        whimbrel_client::get(client)?.calls.cancel(call);
        Ok(())
    })
}

/// Returns why the call failed; null if it succeeded. Lent as long as the reply.
#[ffi_export]
pub extern "C" fn whimbrel_reply_error(reply: Option<&whimbrel_reply>) -> *const whimbrel_error {
    lend(reply.and_then(|reply| match &reply.answer {
        Answer::Failed(error) => Some(error),
        _ => None,
    }))
}

/// Returns the answer in JSON; absent if the call failed or has a typed answer.
#[ffi_export]
pub extern "C" fn whimbrel_reply_json(reply: Option<&whimbrel_reply>) -> whimbrel_str {
    whimbrel_str::of_optional(reply.and_then(|reply| match &reply.answer {
        Answer::Json(json) => Some(json.as_str()),
        Answer::File(file) => Some(file.json.as_str()),
        Answer::Done => Some("{}"),
        _ => None,
    }))
}

/// Returns the file that whimbrel_client_download() got; absent if the call failed or was another
/// one. An empty file has a pointer and no length. Lent as long as the reply.
#[ffi_export]
pub extern "C" fn whimbrel_reply_bytes(reply: Option<&whimbrel_reply>) -> whimbrel_bytes {
    match reply {
        Some(whimbrel_reply { answer: Answer::File(file), .. }) => whimbrel_bytes::of(&file.bytes),
        _ => whimbrel_bytes::ABSENT,
    }
}

/// Fills a view of the message that whimbrel_client_send_text() sent. Returns 1, or 0 if the
/// call failed or was another one.
#[ffi_export]
pub extern "C" fn whimbrel_reply_sent(reply: Option<&whimbrel_reply>, view: *mut whimbrel_sent_view) -> u32 {
    shielded(0, || {
        let Some(whimbrel_reply { answer: Answer::Sent(sent), texts }) = reply else { return 0 };
        let (message_id, chat) = texts.get_or_init(|| (sent.message_id.clone(), sent.chat.id.to_string()));
        let filled = whimbrel_sent_view {
            struct_size: 0,
            message_id: whimbrel_str::of(message_id),
            chat: whimbrel_str::of(chat),
            timestamp: sent.timestamp,
        };
        // SAFETY: the header asks for a struct whose first field is its size, or null.
        u32::from(unsafe { sized::write(view, &filled) })
    })
}

fn begin(
    client: Option<&whimbrel_client>,
    call: *mut u64,
    start: impl FnOnce(&ClientHost) -> Result<u64, Error>,
) -> Option<repr_c::Box<whimbrel_error>> {
    let mut number = 0;
    let error = entry(|| {
        let host = whimbrel_client::get(client)?;
        number = host.run(|| start(host))?;
        Ok(())
    });
    // SAFETY: the header asks for a writable place, or null.
    unsafe { put(call, number) };
    error
}

impl ClientHost {
    fn start<T: Send + 'static>(
        &self,
        signal: Cancel,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
        reply: ReplyHandler,
        answer: impl FnOnce(T) -> Answer + Send + 'static,
    ) -> u64 {
        let completion = Completion {
            reply: Some((reply, self.outstanding.owe())),
            thread: Arc::clone(&self.engine.thread),
        };
        let done = move |result: Result<T, Error>| completion.fire(result.map(answer));
        self.calls.start_cancellable(self.engine.engine.handle(), signal, work, done)
    }
}

/// A reply that is owed. It is given exactly once: by `fire`, or when dropped, as a bug.
struct Completion {
    reply: Option<(ReplyHandler, Owed)>,
    thread: Arc<EventsThread>,
}

impl Completion {
    fn fire(mut self, result: Result<Answer, Error>) {
        self.give(result);
    }

    fn give(&mut self, result: Result<Answer, Error>) {
        let Some((handler, owed)) = self.reply.take() else { return };
        let answer = result.unwrap_or_else(|error| Answer::Failed(whimbrel_error::lent(error)));
        self.thread.run(move || {
            handler.call(&whimbrel_reply { answer, texts: OnceLock::new() });
            drop(owed);
        });
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        self.give(Err(unanswered()));
    }
}

fn unanswered() -> Error {
    Error::new(Code::Internal, "the engine ended before the call").with_outcome(Outcome::Unknown)
}

/// # Safety
/// The pointer is to `count` readable views, or null.
unsafe fn read_all(views: *const whimbrel_str, count: usize) -> Result<Vec<String>, Error> {
    if views.is_null() || count == 0 {
        return Err(null("there are no message ids"));
    }
    // SAFETY: not null; the caller promises the rest.
    let views = unsafe { std::slice::from_raw_parts(views, count) };
    // SAFETY: the caller promises that the views are readable.
    views.iter().map(|view| unsafe { view.read() }.map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;
    use std::sync::Mutex;

    use super::*;
    use crate::code::whimbrel_code;
    use crate::error::whimbrel_error_code;
    use crate::outstanding::Outstanding;

    type Codes = Mutex<Vec<whimbrel_code>>;

    unsafe extern "C" fn note(user_data: *mut c_void, reply: *const whimbrel_reply) {
        // SAFETY: the test passes its list, and replies are lent for the call.
        unsafe {
            let error = whimbrel_reply_error(reply.as_ref());
            (*user_data.cast::<Codes>()).lock().unwrap().push(whimbrel_error_code(error.as_ref()));
        }
    }

    #[test]
    fn a_reply_comes_once_also_when_the_call_is_lost() {
        let codes = Codes::default();
        let thread = Arc::new(EventsThread::start().unwrap());
        let outstanding = Arc::new(Outstanding::default());
        let completion = || {
            let user_data = std::ptr::from_ref(&codes).cast_mut().cast();
            let handler = whimbrel_reply_handler { user_data, function: Some(note), release: None };
            Completion {
                reply: Some((ReplyHandler::take(handler), outstanding.owe())),
                thread: Arc::clone(&thread),
            }
        };
        completion().fire(Ok(Answer::Done));
        completion().fire(Err(Error::new(Code::NotFound, "as a test")));
        drop(completion());
        thread.end();
        thread.join();
        assert!(outstanding.is_zero());
        assert_eq!(
            *codes.lock().unwrap(),
            [whimbrel_code::Ok, whimbrel_code::NotFound, whimbrel_code::Internal]
        );
    }
}
