/* whimbrel.hpp - C++17 on top of whimbrel.h: move-only handles, exceptions, futures.
 *
 * Header-only; adds no symbol to the library. Errors are thrown as whimbrel::error. Handlers run
 * on the engine's thread of callbacks, one at a time; an exception that leaves one ends the
 * program, as in std::thread. Views (std::string_view) that an event or a handler's argument
 * gives out live as long as that. */
#ifndef WHIMBREL_HPP
#define WHIMBREL_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "whimbrel.h"

namespace whimbrel {

using milliseconds = std::chrono::milliseconds;

namespace detail {

inline whimbrel_str lend(std::string_view text) noexcept {
  // An empty view may have no pointer; an empty text is not an absent one.
  return {reinterpret_cast<const std::uint8_t *>(text.data() ? text.data() : ""), text.size()};
}

inline whimbrel_str lend(const std::optional<std::string> &text) noexcept {
  return text ? lend(std::string_view(*text)) : whimbrel_str{nullptr, 0};
}

inline std::string_view view(whimbrel_str text) noexcept {
  return {reinterpret_cast<const char *>(text.ptr), text.len};
}

inline std::optional<std::string_view> optional_view(whimbrel_str text) noexcept {
  return text.ptr ? std::optional<std::string_view>(view(text)) : std::nullopt;
}

inline std::uint32_t count_of(milliseconds time) noexcept {
  if (time.count() <= 0) return 0;
  return time.count() < UINT32_MAX ? static_cast<std::uint32_t>(time.count()) : UINT32_MAX;
}

template <auto Free> struct deleter {
  template <typename T> void operator()(T *handle) const noexcept { Free(handle); }
};

template <typename T, auto Free> using handle = std::unique_ptr<T, deleter<Free>>;

}  // namespace detail

/* A failed call. what() is a lowercase fragment without user data. */
class error : public std::runtime_error {
 public:
  explicit error(const whimbrel_error *error)
      : std::runtime_error(std::string(detail::view(whimbrel_error_message(error)))),
        code_(whimbrel_error_code(error)),
        outcome_(whimbrel_error_outcome(error)),
        name_(detail::view(whimbrel_error_name(error))),
        category_(detail::view(whimbrel_error_category(error))),
        operation_(detail::view(whimbrel_error_operation(error))),
        service_status_(whimbrel_error_service_status(error)),
        retry_after_(whimbrel_error_retry_after_ms(error)) {}

  whimbrel_code code() const noexcept { return code_; }
  /* Whether repeating may do it twice. */
  whimbrel_outcome outcome() const noexcept { return outcome_; }
  /* The stable name of the code, such as TIMED_OUT. */
  const std::string &name() const noexcept { return name_; }
  const std::string &category() const noexcept { return category_; }
  const std::string &operation() const noexcept { return operation_; }
  /* The number that the service answered with; 0 if it did not. */
  std::uint32_t service_status() const noexcept { return service_status_; }
  /* After what time a repetition makes sense; zero if that is not known. */
  milliseconds retry_after() const noexcept { return milliseconds(retry_after_); }

 private:
  whimbrel_code code_;
  whimbrel_outcome outcome_;
  std::string name_, category_, operation_;
  std::uint32_t service_status_;
  std::uint64_t retry_after_;
};

namespace detail {

inline void check(whimbrel_error *failed) {
  if (!failed) return;
  handle<whimbrel_error, whimbrel_error_free> owned(failed);
  throw error(failed);
}

/* The text as a string of JSON. */
inline std::string quoted(std::string_view text) {
  static const char digits[] = "0123456789abcdef";
  std::string json = "\"";
  for (char each : text) {
    const auto octet = static_cast<unsigned char>(each);
    if (octet < 0x20) {
      json += "\\u00";
      json += digits[octet >> 4];
      json += digits[octet & 15];
    } else {
      if (each == '"' || each == '\\') json += '\\';
      json += each;
    }
  }
  return json += '"';
}

inline std::string take(whimbrel_buffer buffer) {
  struct guard {
    whimbrel_buffer &buffer;
    ~guard() { whimbrel_buffer_free(&buffer); }
  } guard{buffer};
  return std::string(reinterpret_cast<const char *>(buffer.ptr), buffer.len);
}

}  // namespace detail

/* Draws the text of a QR event for a terminal. */
inline std::string qr_text(std::string_view text) {
  whimbrel_buffer drawing;
  detail::check(whimbrel_qr_text(detail::lend(text), &drawing));
  return detail::take(drawing);
}

/* Version of the library. */
inline std::string_view version() noexcept { return detail::view(whimbrel_version().text); }

struct message {
  std::string_view message_id, chat, sender;
  std::optional<std::string_view> chat_phone, sender_phone, push_name, text;
  std::optional<std::string_view> quoted_message_id, quoted_sender, completes;
  std::int64_t timestamp;
  std::uint32_t sender_device;
  bool from_me, offline;
};

struct receipt {
  std::string_view chat, sender;
  std::vector<std::string_view> message_ids;
  std::uint32_t kind; /* a number of whimbrel_receipt */
  std::uint32_t sender_device;
  std::int64_t timestamp;
};

/* An event that a handler may look at until it returns. keep() makes one that lives on. */
class event_view {
 public:
  explicit event_view(const whimbrel_event *event) noexcept : event_(event) {}

  /* A number of whimbrel_kind. */
  std::uint32_t kind() const noexcept { return whimbrel_event_kind(event_); }
  /* 0 for events that are not journaled. */
  std::uint64_t sequence() const noexcept { return whimbrel_event_sequence(event_); }
  std::string_view id() const noexcept { return detail::view(whimbrel_event_id(event_)); }
  std::string_view json() const noexcept { return detail::view(whimbrel_event_json(event_)); }
  /* The text of a message or QR event. */
  std::optional<std::string_view> text() const noexcept {
    return detail::optional_view(whimbrel_event_text(event_));
  }
  /* The raw protobuf of a message, as bytes. */
  std::string_view raw() const noexcept {
    whimbrel_bytes raw = whimbrel_event_raw(event_);
    return {reinterpret_cast<const char *>(raw.ptr), raw.len};
  }

  std::optional<whimbrel::message> message() const {
    whimbrel_message_view view{};
    view.struct_size = sizeof view;
    if (!whimbrel_event_message(event_, &view)) return std::nullopt;
    whimbrel::message message{};
    message.message_id = detail::view(view.message_id);
    message.chat = detail::view(view.chat);
    message.sender = detail::view(view.sender);
    message.chat_phone = detail::optional_view(view.chat_phone);
    message.sender_phone = detail::optional_view(view.sender_phone);
    message.push_name = detail::optional_view(view.push_name);
    message.text = detail::optional_view(view.text);
    message.quoted_message_id = detail::optional_view(view.quoted_message_id);
    message.quoted_sender = detail::optional_view(view.quoted_sender);
    message.completes = detail::optional_view(view.completes);
    message.timestamp = view.timestamp;
    message.sender_device = view.sender_device;
    message.from_me = view.from_me != 0;
    message.offline = view.offline != 0;
    return message;
  }

  std::optional<whimbrel::receipt> receipt() const {
    whimbrel_receipt_view view{};
    view.struct_size = sizeof view;
    if (!whimbrel_event_receipt(event_, &view)) return std::nullopt;
    whimbrel::receipt receipt{};
    receipt.chat = detail::view(view.chat);
    receipt.sender = detail::view(view.sender);
    for (std::size_t i = 0; i < view.message_count; i++)
      receipt.message_ids.push_back(detail::view(view.message_ids[i]));
    receipt.kind = view.receipt;
    receipt.sender_device = view.sender_device;
    receipt.timestamp = view.timestamp;
    return receipt;
  }

  const whimbrel_event *get() const noexcept { return event_; }

 protected:
  const whimbrel_event *event_;
};

/* An event that lives as long as this. */
class event : public event_view {
 public:
  explicit event(const event_view &borrowed) : event_view(nullptr), owned_(whimbrel_event_clone(borrowed.get())) {
    event_ = owned_.get();
  }

 private:
  detail::handle<whimbrel_event, whimbrel_event_free> owned_;
};

struct sent_message {
  std::string message_id, chat;
  std::int64_t timestamp = 0;
};

/* What a send waits for: the service's word, that the message is durable, or a recipient's device. */
enum class send_wait : std::uint32_t { sent = 0, queued = 1, delivered = 2 };

struct send_options {
  std::optional<std::string> message_id, quote_message_id, quote_sender;
  milliseconds timeout{0};
  send_wait wait = send_wait::sent;
};

struct engine_options {
  std::optional<std::string> url, extra_ca_pem;
  std::vector<std::uint8_t> noise_root_key;
  std::uint32_t noise_root_serial = 0;
  std::uint32_t worker_threads = 0;
  std::optional<std::string> version_url;
  bool keep_version = false;
  std::uint32_t connect_limit = 0;
};

struct client_options {
  std::string store_path;
  std::optional<std::string> device_name;
  bool manual_start = false, manual_acknowledge = false, skip_disk_sync = false;
  milliseconds request_timeout{0};
  std::uint64_t journal_limit = 0;
  std::optional<std::string> proxy;
  std::uint64_t journal_limit_bytes = 0;
  bool no_archive = false, full_history = false;
  std::uint32_t history_days = 0;
  std::optional<std::string> temporary_folder;
  /* How many days messages are kept in the archive; 0: for ever. */
  std::uint32_t archive_days = 0;
};

/* Threads and limits for any number of clients. */
class engine {
 public:
  explicit engine(const engine_options &options = {}) {
    whimbrel_engine_options raw{};
    raw.struct_size = sizeof raw;
    raw.url = detail::lend(options.url);
    raw.extra_ca_pem = detail::lend(options.extra_ca_pem);
    if (!options.noise_root_key.empty())
      raw.noise_root_key = {options.noise_root_key.data(), options.noise_root_key.size()};
    raw.noise_root_serial = options.noise_root_serial;
    raw.worker_threads = options.worker_threads;
    raw.version_url = detail::lend(options.version_url);
    raw.keep_version = options.keep_version;
    raw.connect_limit = options.connect_limit;
    whimbrel_engine *made = nullptr;
    detail::check(whimbrel_engine_new(&raw, &made));
    handle_.reset(made);
  }

  /* Makes a store of a link from elsewhere; open a client on it afterwards. Nothing may be at its path, and what
   * fails leaves nothing there. The source is not changed, but must not be used again: two holders of one link throw
   * each other out. These block while they read the disk, and return a report in JSON. */

  /* From a folder of Baileys' multi-file auth state. */
  std::string import_baileys(std::string_view folder, std::string_view store) {
    return import_link("{\"from\":\"baileys\",\"folder\":" + detail::quoted(folder), store);
  }

  /* From an SQLite database of whatsmeow; the account, a phone number or JID, says which if it holds several. */
  std::string import_whatsmeow(std::string_view database, std::string_view store,
                               std::optional<std::string_view> account = std::nullopt) {
    std::string request = "{\"from\":\"whatsmeow\",\"database\":" + detail::quoted(database);
    if (account) request += ",\"account\":" + detail::quoted(*account);
    return import_link(std::move(request), store);
  }

  /* From a file that the operation `export` wrote. */
  std::string import_export(std::string_view file, std::string_view passphrase, std::string_view store) {
    return import_link(
        "{\"from\":\"export\",\"file\":" + detail::quoted(file) + ",\"passphrase\":" + detail::quoted(passphrase),
        store);
  }

  /* Closes all clients, then the engine. Zero is five seconds. */
  void close(milliseconds timeout = milliseconds(0)) {
    detail::check(whimbrel_engine_close(handle_.get(), detail::count_of(timeout)));
  }

  whimbrel_engine *get() const noexcept { return handle_.get(); }

 private:
  std::string import_link(std::string request, std::string_view store) {
    request += ",\"store\":" + detail::quoted(store) + "}";
    whimbrel_buffer report;
    detail::check(whimbrel_engine_import(handle_.get(), detail::lend(std::string_view(request)), &report));
    return detail::take(report);
  }

  detail::handle<whimbrel_engine, whimbrel_engine_free> handle_;
};

/* One account, with its store. */
class client {
 public:
  using event_handler = std::function<void(const event_view &)>;

  client(const engine &engine, const client_options &options, event_handler on_event) {
    whimbrel_client_options raw{};
    raw.struct_size = sizeof raw;
    raw.store_path = detail::lend(std::string_view(options.store_path));
    raw.device_name = detail::lend(options.device_name);
    raw.journal_limit = options.journal_limit;
    raw.proxy = detail::lend(options.proxy);
    raw.journal_limit_bytes = options.journal_limit_bytes;
    raw.no_archive = options.no_archive;
    raw.full_history = options.full_history;
    raw.history_days = options.history_days;
    raw.temporary_folder = detail::lend(options.temporary_folder);
    raw.archive_days = options.archive_days;
    raw.request_timeout_ms = detail::count_of(options.request_timeout);
    raw.manual_start = options.manual_start;
    raw.manual_acknowledge = options.manual_acknowledge;
    raw.skip_disk_sync = options.skip_disk_sync;
    whimbrel_event_handler handler{
        new event_handler(std::move(on_event)),
        [](void *user_data, const whimbrel_event *const *events, std::size_t count) noexcept {
          const auto &handle = *static_cast<event_handler *>(user_data);
          for (std::size_t i = 0; i < count; i++) handle(event_view(events[i]));
        },
        [](void *user_data) noexcept { delete static_cast<event_handler *>(user_data); }};
    whimbrel_client *opened = nullptr;
    detail::check(whimbrel_client_open(engine.get(), &raw, handler, &opened));
    handle_.reset(opened);
  }

  /* Sends a text; the future has the message when the service has it, or as `wait` says. */
  std::future<sent_message> send_text(std::string_view chat, std::string_view text, const send_options &options = {}) {
    whimbrel_send_options raw{};
    raw.struct_size = sizeof raw;
    raw.message_id = detail::lend(options.message_id);
    raw.quote_message_id = detail::lend(options.quote_message_id);
    raw.quote_sender = detail::lend(options.quote_sender);
    raw.timeout_ms = detail::count_of(options.timeout);
    raw.wait = static_cast<std::uint32_t>(options.wait);
    return begin<sent_message>(
        [](const whimbrel_reply *reply) {
          whimbrel_sent_view view{};
          view.struct_size = sizeof view;
          whimbrel_reply_sent(reply, &view);
          return sent_message{std::string(detail::view(view.message_id)), std::string(detail::view(view.chat)),
                              view.timestamp};
        },
        [&](whimbrel_reply_handler handler) {
          return whimbrel_client_send_text(get(), detail::lend(chat), detail::lend(text), &raw, handler, nullptr);
        });
  }

  /* Begins any operation by name; request and answer are JSON. */
  std::future<std::string> request(std::string_view name, std::string_view json = "{}",
                                   milliseconds timeout = milliseconds(0)) {
    whimbrel_call_options raw{sizeof raw, detail::count_of(timeout), 0};
    return begin<std::string>(
        [](const whimbrel_reply *reply) { return std::string(detail::view(whimbrel_reply_json(reply))); },
        [&](whimbrel_reply_handler handler) {
          return whimbrel_client_request(get(), detail::lend(name), detail::lend(json), &raw, handler, nullptr);
        });
  }

  /* Tells the sender that messages of a direct chat were read. */
  std::future<std::string> mark_read(std::string_view chat, const std::vector<std::string> &message_ids,
                                     const std::optional<std::string> &sender = std::nullopt) {
    std::vector<whimbrel_str> ids;
    for (const std::string &id : message_ids) ids.push_back(detail::lend(std::string_view(id)));
    return begin<std::string>(
        [](const whimbrel_reply *reply) { return std::string(detail::view(whimbrel_reply_json(reply))); },
        [&](whimbrel_reply_handler handler) {
          return whimbrel_client_mark_read(get(), detail::lend(chat), detail::lend(sender), ids.data(), ids.size(),
                                           nullptr, handler, nullptr);
        });
  }

  /* Runs any operation and waits. Not for handlers. */
  std::string call(std::string_view name, std::string_view json = "{}", milliseconds timeout = milliseconds(0)) {
    whimbrel_call_options raw{sizeof raw, detail::count_of(timeout), 0};
    whimbrel_buffer answer;
    detail::check(whimbrel_client_call(get(), detail::lend(name), detail::lend(json), &raw, &answer));
    return detail::take(answer);
  }

  /* For clients opened with manual_acknowledge. */
  void acknowledge(std::uint64_t sequence) { detail::check(whimbrel_client_acknowledge(get(), sequence)); }

  /* Closes; afterwards no handler runs any more. Zero is five seconds. */
  void close(milliseconds timeout = milliseconds(0)) {
    detail::check(whimbrel_client_close(get(), detail::count_of(timeout)));
  }

  whimbrel_client *get() const noexcept { return handle_.get(); }

 private:
  /* The promise belongs to the handler, whatever the function that takes it returns. */
  template <typename T> struct pending {
    std::promise<T> promise;
    T (*read)(const whimbrel_reply *);
  };

  template <typename T, typename Begin>
  static std::future<T> begin(T (*read)(const whimbrel_reply *), const Begin &start) {
    auto owned = std::make_unique<pending<T>>();
    owned->read = read;
    std::future<T> future = owned->promise.get_future();
    whimbrel_reply_handler handler{
        owned.release(),
        [](void *user_data, const whimbrel_reply *reply) noexcept {
          auto &pending = *static_cast<client::pending<T> *>(user_data);
          if (const whimbrel_error *failed = whimbrel_reply_error(reply))
            pending.promise.set_exception(std::make_exception_ptr(error(failed)));
          else
            pending.promise.set_value(pending.read(reply));
        },
        [](void *user_data) noexcept { delete static_cast<pending<T> *>(user_data); }};
    detail::check(start(handler));
    return future;
  }

  detail::handle<whimbrel_client, whimbrel_client_free> handle_;
};

}  // namespace whimbrel

#endif /* WHIMBREL_HPP */
