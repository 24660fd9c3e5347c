// A program of somebody who has the package installed, and nothing else of this project.
#include <iostream>

#include <whimbrel.hpp>

int main() {
  try {
    whimbrel::engine engine;
    whimbrel::client_options options;
    options.store_path = ":memory:";
    options.manual_start = true;
    whimbrel::client client(engine, options, [](const whimbrel::event_view &) {});
    std::cout << whimbrel::version() << ' ' << client.call("get_connection") << '\n';
  } catch (const whimbrel::error &error) {
    std::cerr << error.name() << ": " << error.what() << '\n';
    return 1;
  }
}
