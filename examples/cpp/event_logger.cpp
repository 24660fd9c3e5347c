// Writes every event to a file, a line of JSON each, in order, without gaps and without repetitions.
//
// Events are acknowledged when the disk has their lines. After a crash those whose acknowledgement was lost
// come again: the last line of the file says which they are. Logs are rotated at a size: LOG, LOG.1, LOG.2 …
//
//   event_logger [--sandbox FILE] [--bytes N] STORE LOG
//
// Without a link it prints a QR code to scan. It ends when its input does (Ctrl-D), or on Ctrl-C.

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <whimbrel.hpp>

#include "sandbox.hpp"

namespace {

// A file of lines, each with the event's sequence number first.
class journal {
 public:
  journal(std::string path, std::uintmax_t most) : path_(std::move(path)), most_(most) {
    std::string last = last_line(path_);
    if (last.empty()) last = last_line(path_ + ".1");
    if (!last.empty()) last_ = std::strtoull(last.c_str(), nullptr, 10);
    open();
  }
  ~journal() { ::close(file_); }
  journal(const journal &) = delete;
  journal &operator=(const journal &) = delete;

  // Writes an event unless it is there. Moments, which have no number, are written as 0.
  void write(const whimbrel::event_view &event) {
    if (event.sequence() && event.sequence() <= last_) return;
    std::string line = std::to_string(event.sequence()) + ' ' + std::string(event.json()) + '\n';
    for (std::string_view rest = line; !rest.empty();) {
      const ssize_t written = ::write(file_, rest.data(), rest.size());
      if (written < 0) throw std::runtime_error("the log cannot be written");
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    if (event.sequence()) last_ = event.sequence();
  }

  // Waits until the disk has what was written, and begins a new file when this one is long.
  void settle() {
    if (::fsync(file_) != 0) throw std::runtime_error("the disk did not take the log");
    if (std::filesystem::file_size(path_) < most_) return;
    ::close(file_);
    int number = 1;
    while (std::filesystem::exists(path_ + '.' + std::to_string(number))) number++;
    for (; number > 1; number--)
      std::filesystem::rename(path_ + '.' + std::to_string(number - 1), path_ + '.' + std::to_string(number));
    std::filesystem::rename(path_, path_ + ".1");
    open();
  }

 private:
  void open() {
    // A line that a crash cut off is written again, whole: its event was not acknowledged.
    if (std::filesystem::exists(path_)) std::filesystem::resize_file(path_, whole(path_));
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file_ < 0) throw std::runtime_error("the log cannot be opened");
  }

  static std::string text(const std::string &path) {
    std::ostringstream all;
    all << std::ifstream(path).rdbuf();
    return all.str();
  }

  static std::uintmax_t whole(const std::string &path) {
    const std::size_t end = text(path).rfind('\n');
    return end == std::string::npos ? 0 : end + 1;
  }

  // The last whole line with a number that counts.
  static std::string last_line(const std::string &path) {
    std::istringstream lines(text(path).substr(0, whole(path)));
    std::string line, last;
    while (std::getline(lines, line))
      if (line[0] != '0') last = line;
    return last;
  }

  std::string path_;
  std::uintmax_t most_;
  std::uint64_t last_ = 0;
  int file_ = -1;
};

std::atomic<bool> stopped{false};

}  // namespace

int main(int count, char **arguments) try {
  whimbrel::engine_options where;
  std::uintmax_t most = 64u << 20;
  int next = 1;
  for (; next + 1 < count && std::strncmp(arguments[next], "--", 2) == 0; next += 2) {
    if (std::strcmp(arguments[next], "--sandbox") == 0) use_sandbox(arguments[next + 1], where);
    if (std::strcmp(arguments[next], "--bytes") == 0) most = std::strtoull(arguments[next + 1], nullptr, 10);
  }
  if (count - next != 2) {
    std::cerr << "usage: event_logger [--sandbox FILE] [--bytes N] STORE LOG\n";
    return 2;
  }
  std::signal(SIGINT, [](int) { stopped = true; });

  journal log(arguments[next + 1], most);
  whimbrel::engine engine(where);
  whimbrel::client_options options;
  options.store_path = arguments[next];
  options.device_name = "event logger";
  options.manual_acknowledge = true;
  whimbrel::client *self = nullptr;
  std::promise<void> ready;
  auto opened = ready.get_future().share();
  whimbrel::client client(engine, options, [&](const whimbrel::event_view &event) {
    opened.wait();
    // An exception that leaves a handler ends the program: nothing may be acknowledged after it.
    log.write(event);
    if (event.kind() == WHIMBREL_KIND_QR)
      std::cout << "qr: " << *event.text() << '\n' << whimbrel::qr_text(*event.text()) << std::flush;
    if (!event.sequence()) return;
    log.settle();
    try {
      self->acknowledge(event.sequence());
    } catch (const whimbrel::error &error) {
      // While it closes, that is refused: the event comes again, and is in the log already.
      if (error.code() != WHIMBREL_CODE_CLOSED) throw;
    }
    std::cout << "logged " << event.sequence() << std::endl;
  });
  self = &client;
  ready.set_value();
  for (char byte; !stopped;) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, 200) > 0 && ::read(STDIN_FILENO, &byte, 1) <= 0) break;
  }
  client.close();
  return 0;
} catch (const std::exception &error) {
  std::cerr << "event_logger: " << error.what() << '\n';
  return 1;
}
