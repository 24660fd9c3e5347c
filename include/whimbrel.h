/* whimbrel.h - C interface of the whimbrel engine. Generated: edit ffi/src. */

#ifndef WHIMBREL_H
#define WHIMBREL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(_WIN32) && defined(WHIMBREL_SHARED)
#define WHIMBREL_API __declspec(dllimport)
#elif defined(__GNUC__)
#define WHIMBREL_API __attribute__((visibility("default")))
#else
#define WHIMBREL_API
#endif

#if defined(__GNUC__)
#define WHIMBREL_MUST_USE __attribute__((warn_unused_result))
#define WHIMBREL_DEPRECATED(why) __attribute__((deprecated(why)))
#else
#define WHIMBREL_MUST_USE
#define WHIMBREL_DEPRECATED(why)
#endif


/**
 * Number of the binary interface, which is also the number of the shared library. It rises only
 * when programs built before would break.
 */
#define WHIMBREL_ABI_VERSION 1

/**
 * Error codes. Returned only; a newer library may return others.
 */
enum whimbrel_code
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * No error.
   */
  WHIMBREL_CODE_OK = 0,
  /**
   * An argument has no valid meaning, such as a malformed address.
   */
  WHIMBREL_CODE_INVALID_ARGUMENT = 1,
  /**
   * There is no operation of that name.
   */
  WHIMBREL_CODE_UNKNOWN_OPERATION = 2,
  /**
   * The call does not fit the present state.
   */
  WHIMBREL_CODE_WRONG_STATE = 3,
  /**
   * The client or engine is closed.
   */
  WHIMBREL_CODE_CLOSED = 4,
  /**
   * The handle was made before the process forked; make a new engine in the child.
   */
  WHIMBREL_CODE_FORKED = 5,
  /**
   * A blocking call was made from a callback of the same engine.
   */
  WHIMBREL_CODE_WOULD_DEADLOCK = 6,
  /**
   * A field that this version does not know was set.
   */
  WHIMBREL_CODE_UNKNOWN_FIELD_SET = 7,
  /**
   * The engine does not do this yet.
   */
  WHIMBREL_CODE_NOT_SUPPORTED = 8,
  /**
   * There is no connection to the service.
   */
  WHIMBREL_CODE_NOT_CONNECTED = 100,
  /**
   * The service could not be reached.
   */
  WHIMBREL_CODE_CONNECT_FAILED = 101,
  /**
   * The deadline passed; the outcome says whether the request may have arrived.
   */
  WHIMBREL_CODE_TIMED_OUT = 102,
  /**
   * The call was cancelled, or its client closed.
   */
  WHIMBREL_CODE_CANCELLED = 103,
  /**
   * The server did not prove that it is the service: its certificate has another root or is not valid now, or this clock is wrong.
   */
  WHIMBREL_CODE_UNTRUSTED_SERVER = 104,
  /**
   * The proxy could not be reached, or refused.
   */
  WHIMBREL_CODE_PROXY_FAILED = 105,
  /**
   * The client is not linked to a phone; link it first.
   */
  WHIMBREL_CODE_NOT_LINKED = 200,
  /**
   * The service removed this device from the account; link again.
   */
  WHIMBREL_CODE_LOGGED_OUT = 201,
  /**
   * Another connection with the same keys took over.
   */
  WHIMBREL_CODE_REPLACED = 202,
  /**
   * The service refuses this protocol version; set a newer client version.
   */
  WHIMBREL_CODE_CLIENT_OUTDATED = 203,
  /**
   * The account is banned for some time.
   */
  WHIMBREL_CODE_TEMPORARY_BAN = 204,
  /**
   * Linking failed: the phone's proofs were wrong, or the codes ran out.
   */
  WHIMBREL_CODE_LINK_FAILED = 205,
  /**
   * The service refused the request.
   */
  WHIMBREL_CODE_REFUSED = 300,
  /**
   * What was asked for does not exist at the service.
   */
  WHIMBREL_CODE_NOT_FOUND = 301,
  /**
   * The account may not do this.
   */
  WHIMBREL_CODE_FORBIDDEN = 302,
  /**
   * Too many requests; repeat after the time that the error says.
   */
  WHIMBREL_CODE_RATE_LIMITED = 303,
  /**
   * The service does not take interactive content from this account.
   */
  WHIMBREL_CODE_INTERACTIVE_REFUSED = 304,
  /**
   * The service restricts this class of sends for now.
   */
  WHIMBREL_CODE_RESTRICTED = 305,
  /**
   * The account has not accepted the service's terms for this: show them, and accept them in its name.
   */
  WHIMBREL_CODE_TERMS_NOT_ACCEPTED = 315,
  /**
   * Another device of the account changed the same meanwhile, and its word counts.
   */
  WHIMBREL_CODE_SUPERSEDED = 320,
  /**
   * No session with the device could be made.
   */
  WHIMBREL_CODE_NO_SESSION = 400,
  /**
   * The other side's identity is not the expected one.
   */
  WHIMBREL_CODE_IDENTITY_CHANGED = 401,
  /**
   * The recipient has no reachable device.
   */
  WHIMBREL_CODE_NO_DEVICE = 402,
  /**
   * What the account's devices share cannot be read any more: link the client anew.
   */
  WHIMBREL_CODE_APP_STATE_LOST = 403,
  /**
   * The store could not be read or written.
   */
  WHIMBREL_CODE_STORE_FAILED = 500,
  /**
   * The store file is damaged or is no store of this engine.
   */
  WHIMBREL_CODE_STORE_CORRUPT = 501,
  /**
   * Another process or client has this store open.
   */
  WHIMBREL_CODE_STORE_LOCKED = 502,
  /**
   * The store was written by a newer version.
   */
  WHIMBREL_CODE_STORE_TOO_NEW = 503,
  /**
   * The path is taken: an import, export or backup overwrites nothing.
   */
  WHIMBREL_CODE_FILE_EXISTS = 504,
  /**
   * The store was exported: its link lives in the export now.
   */
  WHIMBREL_CODE_STORE_MOVED = 505,
  /**
   * What was to be imported cannot be; the text says what is wrong with it.
   */
  WHIMBREL_CODE_IMPORT_REFUSED = 506,
  /**
   * The passphrase is not the one that the file was exported with.
   */
  WHIMBREL_CODE_WRONG_PASSPHRASE = 507,
  /**
   * The exported file is damaged or cut short.
   */
  WHIMBREL_CODE_EXPORT_DAMAGED = 508,
  /**
   * The file is gone from the service, and from the phone, or that was not asked.
   */
  WHIMBREL_CODE_MEDIA_GONE = 600,
  /**
   * What the media hosts have is not the file that the message names.
   */
  WHIMBREL_CODE_MEDIA_CORRUPT = 601,
  /**
   * The file was not made with the message's key, or was changed.
   */
  WHIMBREL_CODE_MEDIA_NOT_AUTHENTIC = 602,
  /**
   * The sender did not encrypt the file as it should be.
   */
  WHIMBREL_CODE_MEDIA_MALFORMED = 603,
  /**
   * The decrypted file is not the one that the message announces.
   */
  WHIMBREL_CODE_MEDIA_MISMATCH = 604,
  /**
   * The file is longer than allowed, here or at the service.
   */
  WHIMBREL_CODE_MEDIA_TOO_LARGE = 605,
  /**
   * Nothing is known of the file's format, or it is damaged; send it as a document.
   */
  WHIMBREL_CODE_MEDIA_UNSUPPORTED = 606,
  /**
   * No media host could be reached, or the connection broke each time.
   */
  WHIMBREL_CODE_MEDIA_UNREACHABLE = 607,
  /**
   * A media host refused; the service's number says how.
   */
  WHIMBREL_CODE_MEDIA_REFUSED = 608,
  /**
   * A local file could not be read or written.
   */
  WHIMBREL_CODE_FILE_FAILED = 609,
  /**
   * The phone did not upload the file again: it did not answer, or could not now. Repeat later.
   */
  WHIMBREL_CODE_PHONE_NO_ANSWER = 610,
  /**
   * A piece of the history is damaged.
   */
  WHIMBREL_CODE_HISTORY_DAMAGED = 620,
  /**
   * The phone does not hand its history over.
   */
  WHIMBREL_CODE_HISTORY_DECLINED = 621,
  /**
   * A bug of the engine; the client refuses further calls.
   */
  WHIMBREL_CODE_INTERNAL = 900,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum whimbrel_code whimbrel_code;
#else
typedef uint32_t whimbrel_code;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What became of the request of a failed call: whether repeating it may do it twice.
 */
enum whimbrel_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Nothing left this process: repeating is safe.
   */
  WHIMBREL_OUTCOME_NOT_SENT = 0,
  /**
   * It may have arrived. Repeat only with the same message id.
   */
  WHIMBREL_OUTCOME_UNKNOWN = 1,
  /**
   * The service received and refused it.
   */
  WHIMBREL_OUTCOME_REFUSED = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum whimbrel_outcome whimbrel_outcome;
#else
typedef uint32_t whimbrel_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Kinds of events, as whimbrel_event_kind() returns them. Numbers below 100 are journaled: they
 * have a sequence number and are offered again until acknowledged. Ignore numbers that are not
 * here: newer libraries have more.
 */
enum whimbrel_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A message arrived, or another device of this account sent one.
   */
  WHIMBREL_KIND_MESSAGE = 1,
  /**
   * A message arrived that could not be decrypted; a message may follow that completes it.
   */
  WHIMBREL_KIND_UNDECRYPTABLE = 2,
  /**
   * Somebody's device received, read or played messages of this account.
   */
  WHIMBREL_KIND_RECEIPT = 3,
  /**
   * The fate of a sent message is known after its call had ended.
   */
  WHIMBREL_KIND_SEND_STATUS = 4,
  /**
   * The identity key of a person's device changed.
   */
  WHIMBREL_KIND_IDENTITY_CHANGED = 5,
  /**
   * This client was linked to a phone.
   */
  WHIMBREL_KIND_LINKED = 6,
  /**
   * This device is no longer part of the account.
   */
  WHIMBREL_KIND_LOGGED_OUT = 7,
  /**
   * Another connection with this client's keys took over.
   */
  WHIMBREL_KIND_REPLACED = 8,
  /**
   * The service refuses the account or this version for now.
   */
  WHIMBREL_KIND_CONNECTION_REFUSED = 9,
  /**
   * The service restricts the account, or lifts that: new chats are held back meanwhile.
   */
  WHIMBREL_KIND_RESTRICTION = 13,
  /**
   * The service says when it stops accepting the client's version, or takes that back.
   */
  WHIMBREL_KIND_VERSION_EXPIRES = 16,
  /**
   * This account was added to a group, or another device of it made one.
   */
  WHIMBREL_KIND_GROUP_JOINED = 20,
  /**
   * This account is in a group no more.
   */
  WHIMBREL_KIND_GROUP_LEFT = 21,
  /**
   * Somebody changed a group: its members or its settings.
   */
  WHIMBREL_KIND_GROUP_CHANGED = 22,
  /**
   * Somebody wants to be let into a group, or no longer.
   */
  WHIMBREL_KIND_JOIN_REQUEST = 23,
  /**
   * Groups were put into a community, or taken out.
   */
  WHIMBREL_KIND_GROUP_LINKED = 24,
  /**
   * Groups are suggested for a community, or no longer.
   */
  WHIMBREL_KIND_GROUP_SUGGESTED = 25,
  /**
   * The address changed that identifies a person or chat.
   */
  WHIMBREL_KIND_CHAT_MOVED = 30,
  /**
   * A person changed the phone number.
   */
  WHIMBREL_KIND_NUMBER_CHANGED = 31,
  /**
   * A person shared a number that was hidden.
   */
  WHIMBREL_KIND_NUMBER_SHARED = 32,
  /**
   * Somebody reacted to a message, or took that back.
   */
  WHIMBREL_KIND_REACTION = 40,
  /**
   * A message has new words.
   */
  WHIMBREL_KIND_MESSAGE_EDITED = 41,
  /**
   * A message was taken back.
   */
  WHIMBREL_KIND_MESSAGE_REVOKED = 42,
  /**
   * Somebody voted.
   */
  WHIMBREL_KIND_POLL_VOTE = 43,
  /**
   * A poll has new content.
   */
  WHIMBREL_KIND_POLL_EDITED = 44,
  /**
   * A poll has a new option.
   */
  WHIMBREL_KIND_POLL_OPTION_ADDED = 45,
  /**
   * Somebody answered an event.
   */
  WHIMBREL_KIND_EVENT_ANSWER = 46,
  /**
   * An event has a new state.
   */
  WHIMBREL_KIND_EVENT_EDITED = 47,
  /**
   * A message was pinned or unpinned.
   */
  WHIMBREL_KIND_MESSAGE_PINNED = 48,
  /**
   * A disappearing message is kept, or no longer.
   */
  WHIMBREL_KIND_MESSAGE_KEPT = 49,
  /**
   * Somebody commented on a post.
   */
  WHIMBREL_KIND_COMMENT = 50,
  /**
   * Something about a message that cannot be opened.
   */
  WHIMBREL_KIND_SEALED_ADDON = 51,
  /**
   * The timer of a chat was set.
   */
  WHIMBREL_KIND_CHAT_TIMER_CHANGED = 52,
  /**
   * Whether content of a chat may be shared was set.
   */
  WHIMBREL_KIND_CHAT_PRIVACY_CHANGED = 53,
  /**
   * The label of a member of a group was set.
   */
  WHIMBREL_KIND_MEMBER_LABEL_CHANGED = 54,
  /**
   * Another control message.
   */
  WHIMBREL_KIND_CONTROL_MESSAGE = 55,
  /**
   * A channel has a new post, or one has another content or was taken back.
   */
  WHIMBREL_KIND_CHANNEL_POST = 56,
  /**
   * How posts of a channel are received.
   */
  WHIMBREL_KIND_CHANNEL_COUNTS = 57,
  /**
   * A piece of the history was dealt with.
   */
  WHIMBREL_KIND_HISTORY = 60,
  /**
   * The picture of a person or group was set or removed.
   */
  WHIMBREL_KIND_PICTURE_CHANGED = 61,
  /**
   * Another device of this account changed who sees or may do something.
   */
  WHIMBREL_KIND_PRIVACY_CHANGED = 62,
  /**
   * Somebody wants another timer in new chats.
   */
  WHIMBREL_KIND_DEFAULT_TIMER_CHANGED = 63,
  /**
   * Another device of this account blocked people, or no longer does.
   */
  WHIMBREL_KIND_BLOCKED_CHANGED = 64,
  /**
   * Somebody says something else of itself.
   */
  WHIMBREL_KIND_ABOUT_CHANGED = 65,
  /**
   * Somebody has another user name.
   */
  WHIMBREL_KIND_USERNAME_CHANGED = 66,
  /**
   * A chat was archived, pinned, muted, locked, marked, cleared or deleted.
   */
  WHIMBREL_KIND_CHAT_CHANGED = 70,
  /**
   * A message got or lost its star, or was deleted for this account.
   */
  WHIMBREL_KIND_MESSAGE_MARKED = 71,
  /**
   * A contact was saved or removed.
   */
  WHIMBREL_KIND_CONTACT_CHANGED = 72,
  /**
   * A setting that the account's devices share has another value.
   */
  WHIMBREL_KIND_SETTING_CHANGED = 73,
  /**
   * A label was changed, given or taken away.
   */
  WHIMBREL_KIND_LABEL_CHANGED = 74,
  /**
   * A quick reply was made, changed or deleted.
   */
  WHIMBREL_KIND_QUICK_REPLY_CHANGED = 75,
  /**
   * Something is wrong with what the account's devices share.
   */
  WHIMBREL_KIND_APP_STATE_TROUBLE = 76,
  /**
   * Something else changed that the account's devices share.
   */
  WHIMBREL_KIND_APP_STATE_CHANGED = 77,
  /**
   * The fate of a change that this client asked for is known.
   */
  WHIMBREL_KIND_APP_STATE_WRITTEN = 78,
  /**
   * What the account's devices share was read for the first time.
   */
  WHIMBREL_KIND_APP_STATE_SYNCED = 79,
  /**
   * This account follows a channel, or posts in it, that it did not before.
   */
  WHIMBREL_KIND_CHANNEL_JOINED = 80,
  /**
   * This account follows a channel no more.
   */
  WHIMBREL_KIND_CHANNEL_LEFT = 81,
  /**
   * A channel has another name, picture or the like, or goes on no more.
   */
  WHIMBREL_KIND_CHANNEL_CHANGED = 82,
  /**
   * Somebody has another role in a channel.
   */
  WHIMBREL_KIND_CHANNEL_ROLE_CHANGED = 83,
  /**
   * Another device of this account muted something of a channel, or wants to hear of it again.
   */
  WHIMBREL_KIND_CHANNEL_MUTED = 84,
  /**
   * Somebody calls, or a call goes on that this account may join.
   */
  WHIMBREL_KIND_CALL_OFFERED = 90,
  /**
   * A call got on: it rings, was taken or refused.
   */
  WHIMBREL_KIND_CALL_PROGRESS = 91,
  /**
   * A call is over, or over for this device.
   */
  WHIMBREL_KIND_CALL_ENDED = 92,
  /**
   * Something about a business changed.
   */
  WHIMBREL_KIND_BUSINESS_CHANGED = 93,
  /**
   * There is a QR text to show.
   */
  WHIMBREL_KIND_QR = 100,
  /**
   * A linking attempt ended without a link.
   */
  WHIMBREL_KIND_LINK_FAILED = 101,
  /**
   * The connection changed its state.
   */
  WHIMBREL_KIND_CONNECTION = 102,
  /**
   * The client is closed; nothing follows.
   */
  WHIMBREL_KIND_CLOSED = 103,
  /**
   * There is another pairing code to show.
   */
  WHIMBREL_KIND_PAIRING_CODE = 104,
  /**
   * A pairing code is over without a link.
   */
  WHIMBREL_KIND_PAIRING_CODE_FAILED = 105,
  /**
   * The service demands a passkey for this link; `answer_passkey` gives one.
   */
  WHIMBREL_KIND_PASSKEY_REQUIRED = 106,
  /**
   * A transfer of a file got on that was given a name.
   */
  WHIMBREL_KIND_MEDIA_PROGRESS = 107,
  /**
   * The download or the reading of a piece of the history got on.
   */
  WHIMBREL_KIND_HISTORY_PROGRESS = 108,
  /**
   * A watched person came online or went.
   */
  WHIMBREL_KIND_PRESENCE = 109,
  /**
   * Somebody writes or records in a chat, or stopped.
   */
  WHIMBREL_KIND_CHAT_STATE = 110,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum whimbrel_kind whimbrel_kind;
#else
typedef uint32_t whimbrel_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What happened to messages, as in whimbrel_receipt_view. Newer libraries may have more.
 */
enum whimbrel_receipt
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A kind that this version does not know.
   */
  WHIMBREL_RECEIPT_UNKNOWN = 0,
  /**
   * A device has them.
   */
  WHIMBREL_RECEIPT_DELIVERED = 1,
  /**
   * The person read them.
   */
  WHIMBREL_RECEIPT_READ = 2,
  /**
   * The person played or opened them.
   */
  WHIMBREL_RECEIPT_PLAYED = 3,
  /**
   * Read on another device of this account.
   */
  WHIMBREL_RECEIPT_READ_SELF = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum whimbrel_receipt whimbrel_receipt;
#else
typedef uint32_t whimbrel_receipt;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Levels of the log.
 */
enum whimbrel_level
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Nothing.
   */
  WHIMBREL_LEVEL_OFF = 0,
  /**
   * What failed and needs somebody's attention.
   */
  WHIMBREL_LEVEL_ERROR = 1,
  /**
   * What failed and was dealt with.
   */
  WHIMBREL_LEVEL_WARN = 2,
  /**
   * What happened, in few lines.
   */
  WHIMBREL_LEVEL_INFO = 3,
  /**
   * What happened, in many lines.
   */
  WHIMBREL_LEVEL_DEBUG = 4,
  /**
   * Everything.
   */
  WHIMBREL_LEVEL_TRACE = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum whimbrel_level whimbrel_level;
#else
typedef uint32_t whimbrel_level;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Events that were taken from a queue together.
 */
typedef struct whimbrel_batch whimbrel_batch;

/**
 * One account on an engine, with its store.
 */
typedef struct whimbrel_client whimbrel_client;

/**
 * Threads and limits for any number of clients. All functions may be called from any thread at
 * the same time, except that a handle must not be freed while another thread uses it.
 */
typedef struct whimbrel_engine whimbrel_engine;

/**
 * Why a call failed. What it lends lives as long as it does. All its functions take null, which
 * is success.
 */
typedef struct whimbrel_error whimbrel_error;

/**
 * One event. What it lends lives as long as it does. All its functions take null.
 */
typedef struct whimbrel_event whimbrel_event;

/**
 * The host's end of a queue of events. One thread waits on it at a time.
 */
typedef struct whimbrel_queue whimbrel_queue;

/**
 * What became of a call. Lent to its handler until that returns.
 */
typedef struct whimbrel_reply whimbrel_reply;

/**
 * Borrowed text: UTF-8, not NUL-terminated, and may contain NUL. A null pointer with length zero
 * is absent text.
 */
typedef struct whimbrel_str {
  /**
   * First byte.
   */
  const uint8_t *ptr;
  /**
   * Number of bytes.
   */
  size_t len;
} whimbrel_str;

/**
 * Which library this is.
 */
typedef struct whimbrel_version_info {
  /**
   * `WHIMBREL_ABI_VERSION` of the library; compare it with the header's at start.
   */
  uint32_t abi;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * Version of the library, such as `1.4.0`.
   */
  struct whimbrel_str text;
} whimbrel_version_info;

/**
 * Bytes that the library made for the caller; release them with whimbrel_buffer_free(). A NUL
 * byte that is not counted follows them, so that text can be printed as it is.
 */
typedef struct whimbrel_buffer {
  /**
   * First byte; null when empty.
   */
  uint8_t *ptr;
  /**
   * Number of bytes.
   */
  size_t len;
} whimbrel_buffer;

/**
 * Borrowed bytes. A null pointer with length zero is absent.
 */
typedef struct whimbrel_bytes {
  /**
   * First byte.
   */
  const uint8_t *ptr;
  /**
   * Number of bytes.
   */
  size_t len;
} whimbrel_bytes;

/**
 * Options of whimbrel_engine_new(). Set `struct_size`; zero in any other field is its default.
 */
typedef struct whimbrel_engine_options {
  /**
   * Size of this struct.
   */
  size_t struct_size;
  /**
   * WebSocket address of the service; default the real one. `ws://` is accepted for loopback
   * addresses only.
   */
  struct whimbrel_str url;
  /**
   * Root key (32 bytes, Curve25519) of the server's Noise certificate; default the service's.
   */
  struct whimbrel_bytes noise_root_key;
  /**
   * A further TLS certificate authority in PEM form, such as a sandbox's.
   */
  struct whimbrel_str extra_ca_pem;
  /**
   * Serial number of the root key, if one is given.
   */
  uint32_t noise_root_serial;
  /**
   * Worker threads; default 2.
   */
  uint32_t worker_threads;
  /**
   * Longest silence, in milliseconds, after which a connection is probed; default 30,000.
   */
  uint32_t keep_alive_ms;
  /**
   * First number of the web client's version that is presented to the service. All three are
   * zero (default): the built-in one.
   */
  uint32_t client_version_primary;
  /**
   * Second number of that version.
   */
  uint32_t client_version_secondary;
  /**
   * Third number of that version.
   */
  uint32_t client_version_tertiary;
  /**
   * Page that names the present version of the web client; default the service's own if `url`
   * is the service's, else none. `http://` is accepted for loopback addresses only.
   */
  struct whimbrel_str version_url;
  /**
   * 1: when the service refuses the version as too old, do not look for the present one.
   */
  uint32_t keep_version;
  /**
   * How many clients may be connecting at a time; default 64.
   */
  uint32_t connect_limit;
} whimbrel_engine_options;

/**
 * Options of whimbrel_client_open(). Set `struct_size` and `store_path`; zero in any other field
 * is its default.
 */
typedef struct whimbrel_client_options {
  /**
   * Size of this struct.
   */
  size_t struct_size;
  /**
   * File of the client's store, made if there is none. `:memory:` is a store that ends with
   * the client.
   */
  struct whimbrel_str store_path;
  /**
   * Name under which the phone lists this device; default `whimbrel`.
   */
  struct whimbrel_str device_name;
  /**
   * Events that may wait unacknowledged before the engine stops reading from the service;
   * default 100,000.
   */
  uint64_t journal_limit;
  /**
   * Deadline of calls that do not give their own, in milliseconds; default 60,000.
   */
  uint32_t request_timeout_ms;
  /**
   * 1: nothing happens until the operation `connect` or one of `link_with_…`. 0: connect at
   * once when linked, else begin linking by QR.
   */
  uint32_t manual_start;
  /**
   * 1: events are offered again until whimbrel_client_acknowledge(). 0: the return of the
   * handler acknowledges.
   */
  uint32_t manual_acknowledge;
  /**
   * 1: commits survive a crash of the process but not of the machine. 0: of both.
   */
  uint32_t skip_disk_sync;
  /**
   * Proxy for all connections of this client: `http://host:port` or `socks5://host:port`, with
   * `user:password@` before the host if it wants that. Default none.
   */
  struct whimbrel_str proxy;
  /**
   * As `journal_limit`, in bytes; default 256 MiB.
   */
  uint64_t journal_limit_bytes;
  /**
   * 1: chats, messages and people are not kept, and cannot be looked up. 0: they are.
   */
  uint32_t no_archive;
  /**
   * 1: ask the phone for all of its history when linking. 0: for the last weeks.
   */
  uint32_t full_history;
  /**
   * How many days of history to ask the phone for when linking; default what the phone decides.
   */
  uint32_t history_days;
  /**
   * How many days messages are kept in the archive; default for ever.
   */
  uint32_t archive_days;
  /**
   * Folder, which exists, where encrypted files lie while they are uploaded; default the system's
   * folder for temporary files. Choose one on a disk if that is in memory.
   */
  struct whimbrel_str temporary_folder;
} whimbrel_client_options;

/**
 * Takes events. Called on the thread `whimbrel-events` of the engine, never twice at the same
 * time for one engine. Any call that does not block is allowed in it.
 */
typedef struct whimbrel_event_handler {
  /**
   * Passed to both functions; may be null.
   */
  void *user_data;
  /**
   * Gets a batch of at least one event, in order; they are lent until it returns, which
   * acknowledges them unless the client was opened with `manual_acknowledge`.
   */
  void (*function)(void *user_data,
                   const struct whimbrel_event *const *events,
                   size_t count);
  /**
   * Runs once, after the last call; may be null.
   */
  void (*release)(void *user_data);
} whimbrel_event_handler;

/**
 * Options of any call. Null is all defaults.
 */
typedef struct whimbrel_call_options {
  /**
   * Size of this struct.
   */
  size_t struct_size;
  /**
   * Deadline in milliseconds from now; default the client's `request_timeout_ms`.
   */
  uint32_t timeout_ms;
  /**
   * Zero.
   */
  uint32_t reserved;
} whimbrel_call_options;

/**
 * Takes the reply of a call, exactly once if the function that began the call succeeded, and
 * never otherwise. It may be called before that function returns. Called on the thread
 * `whimbrel-events` of the engine.
 */
typedef struct whimbrel_reply_handler {
  /**
   * Passed to both functions; may be null.
   */
  void *user_data;
  /**
   * Gets the reply, which is lent until it returns. Null: the reply does not matter.
   */
  void (*function)(void *user_data, const struct whimbrel_reply *reply);
  /**
   * Runs once, after the call; may be null.
   */
  void (*release)(void *user_data);
} whimbrel_reply_handler;

/**
 * Options of whimbrel_client_send_text(). Null is all defaults.
 */
typedef struct whimbrel_send_options {
  /**
   * Size of this struct.
   */
  size_t struct_size;
  /**
   * Id of the new message; a repetition under the same id is never a second message. Default:
   * the engine makes one.
   */
  struct whimbrel_str message_id;
  /**
   * Id of a message to quote.
   */
  struct whimbrel_str quote_message_id;
  /**
   * Who wrote the quoted message; default the other person of a direct chat.
   */
  struct whimbrel_str quote_sender;
  /**
   * Deadline in milliseconds from now; default the client's `request_timeout_ms`.
   */
  uint32_t timeout_ms;
  /**
   * What the reply waits for. 0: the service has the message. 1: it is durable and will be sent,
   * whatever happens to the process. 2: a device of the recipient has it; in a group, a device of
   * any other member.
   */
  uint32_t wait;
} whimbrel_send_options;

/**
 * A message that the service has.
 */
typedef struct whimbrel_sent_view {
  /**
   * Size of this struct.
   */
  size_t struct_size;
  /**
   * Its id.
   */
  struct whimbrel_str message_id;
  /**
   * Address of the chat.
   */
  struct whimbrel_str chat;
  /**
   * The service's time, seconds since 1970.
   */
  int64_t timestamp;
} whimbrel_sent_view;

/**
 * A message. Absent text has a null pointer.
 */
typedef struct whimbrel_message_view {
  /**
   * Size of this struct.
   */
  size_t struct_size;
  /**
   * Id within the chat and sender.
   */
  struct whimbrel_str message_id;
  /**
   * Address of the chat.
   */
  struct whimbrel_str chat;
  /**
   * Address of the chat by phone number; absent for groups and if not known.
   */
  struct whimbrel_str chat_phone;
  /**
   * Who wrote it.
   */
  struct whimbrel_str sender;
  /**
   * Who wrote it, by phone number, if known.
   */
  struct whimbrel_str sender_phone;
  /**
   * Name that the sender gives itself, if the service told it.
   */
  struct whimbrel_str push_name;
  /**
   * The text; absent for kinds of content that this version does not read.
   */
  struct whimbrel_str text;
  /**
   * Id of the message that this one quotes, if any.
   */
  struct whimbrel_str quoted_message_id;
  /**
   * Who wrote the quoted message; absent for the other person of a direct chat.
   */
  struct whimbrel_str quoted_sender;
  /**
   * Id of the undecryptable event that this message completes, if any.
   */
  struct whimbrel_str completes;
  /**
   * The whole content as protobuf (`Message`).
   */
  struct whimbrel_bytes raw;
  /**
   * The service's time, seconds since 1970.
   */
  int64_t timestamp;
  /**
   * Number of the sender's device; 0 is the phone.
   */
  uint32_t sender_device;
  /**
   * 1: written by this account, on another device of it.
   */
  uint32_t from_me;
  /**
   * 1: it waited at the service while this client was away.
   */
  uint32_t offline;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * What kind of content it has, such as `text`, `image` or `poll`; whimbrel_event_json() has all of it.
   */
  struct whimbrel_str content_type;
} whimbrel_message_view;

/**
 * A receipt.
 */
typedef struct whimbrel_receipt_view {
  /**
   * Size of this struct.
   */
  size_t struct_size;
  /**
   * Address of the chat.
   */
  struct whimbrel_str chat;
  /**
   * Whose device it was.
   */
  struct whimbrel_str sender;
  /**
   * Ids of the messages.
   */
  const struct whimbrel_str *message_ids;
  /**
   * Number of messages.
   */
  size_t message_count;
  /**
   * The service's time, seconds since 1970.
   */
  int64_t timestamp;
  /**
   * Number of the device.
   */
  uint32_t sender_device;
  /**
   * What happened to the messages: a number of `whimbrel_receipt`.
   */
  uint32_t receipt;
} whimbrel_receipt_view;

/**
 * Takes the log of all engines. Called on any thread, several at the same time; must not call
 * back into the library.
 */
typedef struct whimbrel_log_handler {
  /**
   * Passed to both functions; may be null.
   */
  void *user_data;
  /**
   * Gets one record: a number of `whimbrel_level`, the part of the engine, and the text.
   */
  void (*function)(void *user_data,
                   uint32_t level,
                   struct whimbrel_str target,
                   struct whimbrel_str message);
  /**
   * Runs once, after the last call; may be null.
   */
  void (*release)(void *user_data);
} whimbrel_log_handler;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Says which library this is.
 */
WHIMBREL_API struct whimbrel_version_info whimbrel_version(void);

/**
 * Releases a buffer and empties it. Null and empty buffers are allowed.
 */
WHIMBREL_API void whimbrel_buffer_free(struct whimbrel_buffer *buffer);

/**
 * Returns the code; `WHIMBREL_CODE_OK` for null.
 */
WHIMBREL_API whimbrel_code whimbrel_error_code(const struct whimbrel_error *error);

/**
 * Returns the stable name of the code, such as `TIMED_OUT`.
 */
WHIMBREL_API struct whimbrel_str whimbrel_error_name(const struct whimbrel_error *error);

/**
 * Returns the coarse kind: `usage`, `network`, `account`, `service`, `crypto`, `store`, `media`
 * or `internal`.
 */
WHIMBREL_API
struct whimbrel_str whimbrel_error_category(const struct whimbrel_error *error);

/**
 * Returns what went wrong: a lowercase fragment without user data.
 */
WHIMBREL_API
struct whimbrel_str whimbrel_error_message(const struct whimbrel_error *error);

/**
 * Returns the operation that failed; absent if there is none.
 */
WHIMBREL_API
struct whimbrel_str whimbrel_error_operation(const struct whimbrel_error *error);

/**
 * Returns the number that the service answered with; 0 if it did not.
 */
WHIMBREL_API uint32_t whimbrel_error_service_status(const struct whimbrel_error *error);

/**
 * Returns after how many milliseconds a repetition makes sense; 0 if that is not known.
 */
WHIMBREL_API uint64_t whimbrel_error_retry_after_ms(const struct whimbrel_error *error);

/**
 * Returns whether repeating the call may do it twice.
 */
WHIMBREL_API whimbrel_outcome whimbrel_error_outcome(const struct whimbrel_error *error);

/**
 * Releases an error. Null is allowed.
 */
WHIMBREL_API void whimbrel_error_free(struct whimbrel_error *error);

/**
 * Starts an engine. Null options are all defaults.
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_engine_new(const struct whimbrel_engine_options *options,
                                           struct whimbrel_engine **engine);

/**
 * Makes a store of a link from elsewhere, and answers with a report in JSON; open the store
 * afterwards. What fails leaves nothing at its path. The request is one of
 * `{"from":"baileys","folder":…,"store":…}`,
 * `{"from":"whatsmeow","database":…,"account":…,"store":…}` and
 * `{"from":"export","file":…,"passphrase":…,"store":…}`. Whatever used the source before must
 * not use it again. Blocks while it reads the disk.
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_engine_import(const struct whimbrel_engine *engine,
                                              struct whimbrel_str request,
                                              struct whimbrel_buffer *report);

/**
 * Closes all clients of an engine as whimbrel_client_close() does, then ends its threads. Zero
 * is five seconds. Handles stay valid until freed; their calls fail with `CLOSED`. Blocks: not
 * for callbacks of this engine.
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_engine_close(const struct whimbrel_engine *engine,
                                             uint32_t timeout_ms);

/**
 * Releases an engine, closing it within five seconds if that was not done. In a callback of
 * this engine it closes after the callback returns. Its clients' handles may be freed before or
 * after. Null is allowed.
 */
WHIMBREL_API
void whimbrel_engine_free(struct whimbrel_engine *engine);

/**
 * Opens the client whose store is the file that the options name, making a new one if there is
 * none. The handler is taken whatever is returned; it may be called before this function
 * returns. Its last event is `WHIMBREL_KIND_CLOSED`, then it is released.
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_client_open(const struct whimbrel_engine *engine,
                                            const struct whimbrel_client_options *options,
                                            struct whimbrel_event_handler handler,
                                            struct whimbrel_client **client);

/**
 * Closes a client: refuses new calls, finishes the running ones, writes what is owed,
 * disconnects, and delivers the last event. Calls that still run at the deadline fail with
 * `CANCELLED`. Zero is five seconds. When it returns without an error no callback of this
 * client runs any more, its handlers are released, and its store can be opened again. Blocks:
 * not for callbacks of this engine.
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_client_close(const struct whimbrel_client *client,
                                             uint32_t timeout_ms);

/**
 * Acknowledges all journaled events up to a sequence number: they are not offered again. For
 * clients opened with `manual_acknowledge`.
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_client_acknowledge(const struct whimbrel_client *client,
                                                   uint64_t sequence);

/**
 * Releases a client, closing it within five seconds if that was not done. In a callback of its
 * engine it closes after the callback returns. Null is allowed.
 */
WHIMBREL_API
void whimbrel_client_free(struct whimbrel_client *client);

/**
 * Begins an operation by name with its request in JSON; an empty request is `{}`. The names,
 * requests and answers are in the description of the operations. The handler is taken whatever
 * is returned. `call` may be null; it gets the number for whimbrel_client_cancel().
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_client_request(const struct whimbrel_client *client,
                                               struct whimbrel_str name,
                                               struct whimbrel_str request,
                                               const struct whimbrel_call_options *options,
                                               struct whimbrel_reply_handler reply,
                                               uint64_t *call);

/**
 * Sends a text message; the reply, when the service has it or as `wait` says, carries its id
 * (whimbrel_reply_sent()). `chat` is a JID or a phone number with its country code. An accepted
 * message survives a crash of the process. Otherwise as whimbrel_client_request().
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_client_send_text(const struct whimbrel_client *client,
                                                 struct whimbrel_str chat,
                                                 struct whimbrel_str text,
                                                 const struct whimbrel_send_options *options,
                                                 struct whimbrel_reply_handler reply,
                                                 uint64_t *call);

/**
 * Marks messages of a chat as read, and tells their sender so. `sender`, who wrote all of them,
 * is needed in groups and absent in direct chats. Otherwise as whimbrel_client_request().
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_client_mark_read(const struct whimbrel_client *client,
                                                 struct whimbrel_str chat,
                                                 struct whimbrel_str sender,
                                                 const struct whimbrel_str *message_ids,
                                                 size_t count,
                                                 const struct whimbrel_call_options *options,
                                                 struct whimbrel_reply_handler reply,
                                                 uint64_t *call);

/**
 * Uploads bytes as the operation `upload_media` does a file; the request in JSON is the same
 * without `path`, such as `{"kind":"image"}`, and so is the answer (whimbrel_reply_json()). The
 * bytes are copied before this returns. Otherwise as whimbrel_client_request().
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_client_upload(const struct whimbrel_client *client,
                                              struct whimbrel_bytes bytes,
                                              struct whimbrel_str request,
                                              const struct whimbrel_call_options *options,
                                              struct whimbrel_reply_handler reply,
                                              uint64_t *call);

/**
 * Downloads a file as the operation `download_media` does, into memory: whimbrel_reply_bytes()
 * gives it. The request in JSON is the same without `path`, such as `{"reference":"…"}`, and so is
 * the answer (whimbrel_reply_json()). Otherwise as whimbrel_client_request().
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_client_download(const struct whimbrel_client *client,
                                                struct whimbrel_str request,
                                                const struct whimbrel_call_options *options,
                                                struct whimbrel_reply_handler reply,
                                                uint64_t *call);

/**
 * Runs an operation and waits for its answer, in JSON. Otherwise as whimbrel_client_request().
 * Blocks: not for callbacks of this engine.
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_client_call(const struct whimbrel_client *client,
                                            struct whimbrel_str name,
                                            struct whimbrel_str request,
                                            const struct whimbrel_call_options *options,
                                            struct whimbrel_buffer *answer);

/**
 * Cancels a call: its reply follows with `CANCELLED`, unless it has another result already. A
 * message that has not left by then is withdrawn (the outcome is `not_sent`); else its fate follows
 * as an event. Numbers of ended calls are ignored.
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_client_cancel(const struct whimbrel_client *client,
                                              uint64_t call);

/**
 * Returns why the call failed; null if it succeeded. Lent as long as the reply.
 */
WHIMBREL_API
const struct whimbrel_error *whimbrel_reply_error(const struct whimbrel_reply *reply);

/**
 * Returns the answer in JSON; absent if the call failed or has a typed answer.
 */
WHIMBREL_API struct whimbrel_str whimbrel_reply_json(const struct whimbrel_reply *reply);

/**
 * Returns the file that whimbrel_client_download() got; absent if the call failed or was another
 * one. An empty file has a pointer and no length. Lent as long as the reply.
 */
WHIMBREL_API
struct whimbrel_bytes whimbrel_reply_bytes(const struct whimbrel_reply *reply);

/**
 * Fills a view of the message that whimbrel_client_send_text() sent. Returns 1, or 0 if the
 * call failed or was another one.
 */
WHIMBREL_API
uint32_t whimbrel_reply_sent(const struct whimbrel_reply *reply,
                             struct whimbrel_sent_view *view);

/**
 * Returns the kind: a number of `whimbrel_kind`; 0 for null.
 */
WHIMBREL_API uint32_t whimbrel_event_kind(const struct whimbrel_event *event);

/**
 * Returns the position in the journal, from 1 and gap-free; 0 for events that are not journaled.
 */
WHIMBREL_API
uint64_t whimbrel_event_sequence(const struct whimbrel_event *event);

/**
 * Returns the stable id of a journaled event, the same on every delivery and after every
 * restart; empty for others.
 */
WHIMBREL_API struct whimbrel_str whimbrel_event_id(const struct whimbrel_event *event);

/**
 * Returns when the engine recorded it, milliseconds since 1970.
 */
WHIMBREL_API int64_t whimbrel_event_recorded_at_ms(const struct whimbrel_event *event);

/**
 * Returns the event in JSON, made when first asked for.
 */
WHIMBREL_API struct whimbrel_str whimbrel_event_json(const struct whimbrel_event *event);

/**
 * Returns the text of a message or of a QR event; absent for other events and contents.
 */
WHIMBREL_API struct whimbrel_str whimbrel_event_text(const struct whimbrel_event *event);

/**
 * Fills a view of a message. Returns 1, or 0 if the event is another one.
 */
WHIMBREL_API
uint32_t whimbrel_event_message(const struct whimbrel_event *event,
                                struct whimbrel_message_view *view);

/**
 * Fills a view of a receipt. Returns 1, or 0 if the event is another one.
 */
WHIMBREL_API
uint32_t whimbrel_event_receipt(const struct whimbrel_event *event,
                                struct whimbrel_receipt_view *view);

/**
 * Returns the message that brought an event as protobuf (`Message`): of messages, of what changes or annotates
 * them, and of control messages; absent for other events.
 */
WHIMBREL_API
struct whimbrel_bytes whimbrel_event_raw(const struct whimbrel_event *event);

/**
 * Keeps an event beyond the callback that it was lent to. Release the result with
 * whimbrel_event_free().
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_event *whimbrel_event_clone(const struct whimbrel_event *event);

/**
 * Releases an event that was kept. Null is allowed.
 */
WHIMBREL_API void whimbrel_event_free(struct whimbrel_event *event);

/**
 * Makes a queue. `handler` gets its other end, for one client: pass it to
 * whimbrel_client_open(), which takes it; one that is not passed on has to be released by
 * calling its `release`.
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_queue_new(struct whimbrel_event_handler *handler,
                                          struct whimbrel_queue **queue);

/**
 * Waits for events, at most so many milliseconds; zero only looks. The batch is null if there
 * were none in time. After the last event (`WHIMBREL_KIND_CLOSED`) the result is `CLOSED`.
 * Blocks unless the time is zero: not for callbacks.
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_queue_wait(const struct whimbrel_queue *queue,
                                           uint32_t timeout_ms,
                                           struct whimbrel_batch **batch);

/**
 * Returns a file descriptor that is readable whenever whimbrel_queue_wait() would not wait, for
 * poll() and its kin; -1 where there is none (Windows). It belongs to the queue: do not read
 * from it and do not close it.
 */
WHIMBREL_API
int32_t whimbrel_queue_fd(const struct whimbrel_queue *queue);

/**
 * Releases a queue. Events that its client offers afterwards are taken and dropped, so close the
 * client first. Null is allowed.
 */
WHIMBREL_API
void whimbrel_queue_free(struct whimbrel_queue *queue);

/**
 * Returns the number of events in a batch.
 */
WHIMBREL_API size_t whimbrel_batch_count(const struct whimbrel_batch *batch);

/**
 * Returns an event of a batch, lent as long as the batch; null beyond its end.
 */
WHIMBREL_API
const struct whimbrel_event *whimbrel_batch_event(const struct whimbrel_batch *batch,
                                                  size_t index);

/**
 * Releases a batch. Null is allowed.
 */
WHIMBREL_API void whimbrel_batch_free(struct whimbrel_batch *batch);

/**
 * Sends the log of all engines to a handler, from a level (a number of `whimbrel_level`) upwards
 * in importance, in place of the handler before. A null function ends the log. Off at start.
 * What is logged at info and above has no message text, keys or full addresses in it.
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_log_set(uint32_t level,
                                        struct whimbrel_log_handler handler);

/**
 * Draws the text of a QR event for a terminal: lines of half blocks, for light text on a dark
 * ground. Release the result with whimbrel_buffer_free().
 */
WHIMBREL_API
WHIMBREL_MUST_USE
struct whimbrel_error *whimbrel_qr_text(struct whimbrel_str text,
                                        struct whimbrel_buffer *drawing);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WHIMBREL_H */

#ifndef WHIMBREL_H_INLINE
#define WHIMBREL_H_INLINE
/** Borrows a NUL-terminated string. */
static inline whimbrel_str whimbrel_str_of(const char *text) {
  whimbrel_str str;
  str.ptr = (const uint8_t *)text;
  str.len = text ? strlen(text) : 0;
  return str;
}
#endif /* WHIMBREL_H_INLINE */
