// Answers every text message with the same text.
//
//   echo_bot [--sandbox FILE] [STORE]
//
// STORE is the file that holds the link (default echo_bot.db). Without a link it shows a QR code
// to scan with the phone: Settings, Linked devices. --sandbox talks to a sandbox instead of the
// real service: FILE holds the line that whimbrel-sandbox prints when it is ready. Ends when its
// standard input does (Ctrl-D).
#include <future>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <whimbrel.hpp>

#include "sandbox.hpp"

namespace {

struct arguments {
  whimbrel::engine_options engine;
  whimbrel::client_options client;
};

arguments read(const std::vector<std::string> &words) {
  arguments read;
  read.client.store_path = "echo_bot.db";
  read.client.device_name = "echo bot";
  for (std::size_t i = 0; i < words.size(); i++) {
    if (words[i] == "--sandbox" && i + 1 < words.size())
      use_sandbox(words[++i], read.engine);
    else if (words[i].rfind("-", 0) == 0)
      throw std::invalid_argument("usage: echo_bot [--sandbox FILE] [STORE]");
    else
      read.client.store_path = words[i];
  }
  return read;
}

// Waits on a thread of its own: handlers must not block.
void answer(whimbrel::client &client, std::string chat, std::string text, whimbrel::send_options options,
            std::vector<std::future<void>> &running) {
  auto sent = std::make_shared<std::future<whimbrel::sent_message>>(client.send_text(chat, text, options));
  running.push_back(std::async(std::launch::async, [sent] {
    try {
      sent->get();
    } catch (const whimbrel::error &error) {
      std::cerr << "not sent: " << error.what() << std::endl;
    }
  }));
}

int run(const arguments &arguments) {
  std::promise<whimbrel::client *> made;
  auto self = made.get_future().share();
  std::vector<std::future<void>> running;  // touched by the handler only, until the close

  whimbrel::engine engine(arguments.engine);
  whimbrel::client client(engine, arguments.client, [&running, self](const whimbrel::event_view &event) {
    if (auto message = event.message()) {
      if (message->from_me || !message->text) return;
      std::cout << "message: " << *message->text << std::endl;
      // An event may come twice after a crash. An id made from the event's own makes its answer
      // the same message both times, so it is sent once.
      whimbrel::send_options options;
      options.message_id = std::string(event.id());
      answer(*self.get(), std::string(message->chat), std::string(*message->text), options, running);
    } else if (event.kind() == WHIMBREL_KIND_QR) {
      std::cout << whimbrel::qr_text(*event.text()) << "Scan this with your phone: Settings, Linked devices.\n"
                << "qr: " << *event.text() << std::endl;
    } else if (event.kind() != WHIMBREL_KIND_RECEIPT) {
      std::cout << event.json() << std::endl;
    }
  });
  made.set_value(&client);

  while (std::cin.get() != std::char_traits<char>::eof()) continue;
  client.close();
  return 0;
}

}  // namespace

int main(int count, char **words) {
  try {
    return run(read({words + 1, words + count}));
  } catch (const std::exception &error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
