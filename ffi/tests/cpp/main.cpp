// The C++ header: exceptions, futures, moves. One test per argument.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include <csignal>
#include <stdexcept>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <whimbrel.hpp>

#define CHECK(condition)                                                                 \
  ((condition) ? (void)0                                                                 \
               : (std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), std::exit(1)))

namespace {

whimbrel::engine offline_engine() {
  whimbrel::engine_options options;
  options.url = "ws://127.0.0.1:1/ws/chat";
  return whimbrel::engine(options);
}

whimbrel::client_options in_memory() {
  whimbrel::client_options options;
  options.store_path = ":memory:";
  options.manual_start = true;
  return options;
}

template <typename Call> whimbrel_code code_of(const Call &call) {
  try {
    call();
  } catch (const whimbrel::error &error) {
    CHECK(*error.what() && !error.name().empty() && !error.category().empty());
    return error.code();
  }
  return WHIMBREL_CODE_OK;
}

void calls() {
  CHECK(!whimbrel::version().empty());
  CHECK(whimbrel::qr_text("2@a,b").size() > 100);
  whimbrel::engine engine = offline_engine();
  std::promise<std::string> closed;
  whimbrel::client first(engine, in_memory(), [&](const whimbrel::event_view &event) {
    if (event.kind() == WHIMBREL_KIND_CLOSED) closed.set_value(std::string(event.json()));
  });
  whimbrel::client client = std::move(first);
  const std::string echo =
      R"({"text":"x","number":1,"large":"2","flag":false,"nested":[],"nothing":null,"choice":"first"})";
  CHECK(client.call("debug_echo", echo) == echo);
  CHECK(client.request("debug_echo", echo).get() == echo);
  CHECK(code_of([&] { client.call("debug_fail", R"({"code":401})"); }) == WHIMBREL_CODE_IDENTITY_CHANGED);
  CHECK(code_of([&] { client.request("debug_fail", R"({"code":401})").get(); }) == WHIMBREL_CODE_IDENTITY_CHANGED);
  CHECK(code_of([&] { client.request("no_such_operation"); }) == WHIMBREL_CODE_UNKNOWN_OPERATION);
  CHECK(code_of([&] { client.send_text("15550002", "hi").get(); }) == WHIMBREL_CODE_NOT_LINKED);
  CHECK(code_of([&] { client.mark_read("15550002", {}); }) == WHIMBREL_CODE_INVALID_ARGUMENT);
  client.close();
  CHECK(closed.get_future().get().find("\"host\"") != std::string::npos);
  CHECK(code_of([&] { client.call("get_connection"); }) == WHIMBREL_CODE_CLOSED);
}

void construction_fails_cleanly() {
  whimbrel::engine_options options;
  options.url = "not an address";
  CHECK(code_of([&] { whimbrel::engine engine(options); }) == WHIMBREL_CODE_INVALID_ARGUMENT);
  whimbrel::engine engine = offline_engine();
  auto owned = std::make_shared<int>(1);
  whimbrel::client_options nowhere = in_memory();
  nowhere.store_path = "/nonexistent/folder/a.db";
  CHECK(code_of([&] { whimbrel::client client(engine, nowhere, [owned](const whimbrel::event_view &) {}); }) ==
        WHIMBREL_CODE_STORE_FAILED);
  CHECK(owned.use_count() == 1);  // what the handler held is released
}

void kept_events() {
  whimbrel::engine engine = offline_engine();
  std::promise<whimbrel::event> kept;
  bool first = true;
  {
    whimbrel::client client(engine, in_memory(), [&](const whimbrel::event_view &event) {
      if (first) kept.set_value(whimbrel::event(event));
      first = false;
    });
  }
  whimbrel::event event = kept.get_future().get();
  CHECK(!event.json().empty() && !event.message() && !event.receipt());
}

void transfer() {
  char folder[] = "/tmp/whimbrel-XXXXXX";
  CHECK(mkdtemp(folder));
  const std::filesystem::path at(folder);
  struct removed {
    std::filesystem::path path;
    ~removed() { std::filesystem::remove_all(path); }
  } removed{at};
  const std::string kept = WHIMBREL_VECTORS "/export-1.whimbrel";
  const std::string store = at / "store.db", file = at / "link.whimbrel", other = at / "other.db";
  // What a JSON request has to escape.
  const std::string passphrase = "eight \"wading\" \\ birds \xf0\x9f\x90\xa6\n\x01";

  whimbrel::engine engine = offline_engine();
  CHECK(code_of([&] { engine.import_baileys(folder, store); }) == WHIMBREL_CODE_IMPORT_REFUSED);
  CHECK(code_of([&] { engine.import_whatsmeow(kept, store, "15550001111"); }) == WHIMBREL_CODE_IMPORT_REFUSED);
  CHECK(code_of([&] { engine.import_export(kept, passphrase, store); }) == WHIMBREL_CODE_WRONG_PASSPHRASE);
  CHECK(!std::filesystem::exists(store));
  CHECK(engine.import_export(kept, "eight wading birds", store).find("\"device\":7") != std::string::npos);

  whimbrel::client_options options = in_memory();
  options.store_path = store;
  {
    // Uploads lie in the temporary folder before they need a connection.
    const std::string large = at / "large";
    std::ofstream(large) << std::string(1 << 20, '.');
    whimbrel::client_options elsewhere = options;
    elsewhere.temporary_folder = at / "none";
    whimbrel::client client(engine, elsewhere, [](const whimbrel::event_view &) {});
    const std::string upload = R"({"kind":"document","path":")" + large + "\"}";
    CHECK(code_of([&] { client.call("upload_media", upload); }) == WHIMBREL_CODE_FILE_FAILED);
  }
  {
    whimbrel::client client(engine, options, [](const whimbrel::event_view &) {});
    const std::string path = "{\"path\":" + whimbrel::detail::quoted(file);
    client.call("export", path + ",\"passphrase\":" + whimbrel::detail::quoted(passphrase) + "}");
  }
  CHECK(code_of([&] { whimbrel::client client(engine, options, [](const whimbrel::event_view &) {}); }) ==
        WHIMBREL_CODE_STORE_MOVED);
  CHECK(engine.import_export(file, passphrase, other).find("\"device\":7") != std::string::npos);
}

// An exception that leaves a handler ends the program, as one that leaves a thread does.
void throwing_handler() {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    CHECK(std::freopen("/dev/null", "w", stderr));
    whimbrel::engine engine = offline_engine();
    whimbrel::client_options options = in_memory();
    options.manual_start = false;
    whimbrel::client client(engine, options, [](const whimbrel::event_view &) { throw std::runtime_error("a bug"); });
    for (;;) pause();
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

}  // namespace

int main(int count, char **arguments) {
  const std::string name = count == 2 ? arguments[1] : "";
  if (name == "calls") return calls(), 0;
  if (name == "construction_fails_cleanly") return construction_fails_cleanly(), 0;
  if (name == "kept_events") return kept_events(), 0;
  if (name == "transfer") return transfer(), 0;
  if (name == "throwing_handler") return throwing_handler(), 0;
  std::fprintf(stderr, "usage: %s TEST\n", arguments[0]);
  return 2;
}
