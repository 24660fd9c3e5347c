// Sends a picture, or saves the files that come in.
//
//   media [--sandbox FILE] [--store FILE] send TO PICTURE
//   media [--sandbox FILE] [--store FILE] save FOLDER
//
// "send" tells how far the upload is. "save" saves the files of all messages, until its input ends
// (Ctrl-D). Without a link it shows a QR code to scan with the phone: Settings, Linked devices.
// --sandbox talks to a sandbox instead of the real service: FILE holds the line that whimbrel-sandbox
// prints when it is ready.
#include <future>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <whimbrel.hpp>

#include "sandbox.hpp"

namespace {

struct arguments {
  whimbrel::engine_options engine;
  whimbrel::client_options client;
  std::string to, picture, folder;
};

arguments read(const std::vector<std::string> &words) {
  arguments read;
  read.client.store_path = "media.db";
  read.client.device_name = "media";
  std::size_t at = 0;
  for (; at + 1 < words.size() && words[at].rfind("--", 0) == 0; at += 2) {
    if (words[at] == "--sandbox")
      use_sandbox(words[at + 1], read.engine);
    else if (words[at] == "--store")
      read.client.store_path = words[at + 1];
    else
      break;
  }
  const std::size_t left = words.size() - at;
  if (left == 3 && words[at] == "send") {
    read.to = words[at + 1];
    read.picture = words[at + 2];
  } else if (left == 2 && words[at] == "save") {
    read.folder = words[at + 1];
  } else {
    throw std::invalid_argument("usage: media [--sandbox FILE] [--store FILE] send TO PICTURE | save FOLDER");
  }
  return read;
}

// As a string of JSON. A path with control characters would need more.
std::string quoted(const std::string &text) {
  std::ostringstream json;
  json << std::quoted(text);
  return json.str();
}

// The first string of this name behind `from`, if it has no escapes.
std::string find(const std::string &json, const std::string &name, std::size_t from) {
  const std::string key = "\"" + name + "\":\"";
  const std::size_t start = json.find(key, from);
  if (start == std::string::npos) return "";
  return json.substr(start + key.size(), json.find('"', start + key.size()) - start - key.size());
}

// What becomes of a download, told by a thread of its own: handlers must not block.
std::future<void> told(std::future<std::string> download, const std::string &path) {
  auto running = std::make_shared<std::future<std::string>>(std::move(download));
  return std::async(std::launch::async, [running, path] {
    try {
      running->get();
      std::cout << "saved " + path + "\n" << std::flush;
    } catch (const whimbrel::error &error) {
      std::cerr << "not saved: " << error.what() << std::endl;
    }
  });
}

int run(const arguments &given) {
  std::promise<whimbrel::client *> made;
  auto self = made.get_future().share();
  std::promise<void> first_online;
  bool is_online = false;
  std::vector<std::future<void>> running;  // touched by the handler only, until the close

  whimbrel::engine engine(given.engine);
  whimbrel::client client(engine, given.client, [&, self](const whimbrel::event_view &event) {
    const std::string json(event.json());
    if (event.kind() == WHIMBREL_KIND_QR) {
      std::cout << whimbrel::qr_text(*event.text()) << "Scan this with your phone: Settings, Linked devices.\n"
                << "qr: " << *event.text() << std::endl;
    } else if (event.kind() == WHIMBREL_KIND_MEDIA_PROGRESS) {
      std::cout << json << std::endl;
    } else if (event.kind() == WHIMBREL_KIND_CONNECTION && json.find(R"("state":"online")") != json.npos) {
      std::cout << "online" << std::endl;
      if (!is_online) first_online.set_value();
      is_online = true;
    } else if (auto message = event.message(); message && !message->from_me && !given.folder.empty()) {
      const std::size_t media = json.find(R"("media":{)");
      if (media == json.npos) return;
      // A name of our own: what senders write is not to be trusted with paths.
      const std::string path = given.folder + "/" + std::to_string(event.sequence());
      const std::string request =
          R"({"reference":)" + quoted(find(json, "reference", media)) + R"(,"path":)" + quoted(path) + "}";
      running.push_back(told(self.get()->request("download_media", request), path));
    }
  });
  made.set_value(&client);

  if (given.folder.empty()) {
    first_online.get_future().wait();
    const std::string content =
        R"({"type":"image","caption":"from whimbrel","media":{"path":)" + quoted(given.picture) + "}}";
    const std::string sent = client.call("send_message", R"({"transfer":"picture","chat":)" + quoted(given.to) +
                                                             R"(,"content":)" + content + "}");
    std::cout << "sent " << given.picture << ": " << sent << std::endl;
  } else {
    while (std::cin.get() != std::char_traits<char>::eof()) continue;
  }
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
