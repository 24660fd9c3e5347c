// Where a sandbox is: for examples, instead of the real service.
#ifndef EXAMPLE_SANDBOX_HPP
#define EXAMPLE_SANDBOX_HPP

#include <fstream>
#include <stdexcept>
#include <string>

#include <whimbrel.hpp>

// Reads where a sandbox is from its ready line. A program that needs more JSON brings a library.
inline void use_sandbox(const std::string &path, whimbrel::engine_options &options) {
  std::string line;
  std::getline(std::ifstream(path), line);
  auto value = [&line](const std::string &name) {
    const std::string key = "\"" + name + "\":\"";
    const std::size_t start = line.find(key);
    if (start == std::string::npos) throw std::invalid_argument("not a sandbox's ready line");
    return line.substr(start + key.size(), line.find('"', start + key.size()) - start - key.size());
  };
  options.url = value("ws");
  const std::string hex = value("publicKey");
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    options.noise_root_key.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  // Whom to trust for its files; the line breaks are escaped.
  const std::string escaped = value("caPem");
  std::string pem;
  for (std::size_t i = 0; i < escaped.size(); i++) {
    const bool line_break = escaped[i] == '\\';
    pem += line_break ? '\n' : escaped[i];
    i += line_break;
  }
  options.extra_ca_pem = pem;
}

#endif
