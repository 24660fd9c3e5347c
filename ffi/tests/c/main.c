/* Runs the test that is named. */
#include "tests.h"

#include <string.h>

static const struct {
  const char *name;
  void (*run)(void);
} tests[] = {
    {"versions_and_memory", test_versions_and_memory},
    {"wrong_arguments", test_wrong_arguments},
    {"calls", test_calls},
    {"calls_from_callbacks", test_calls_from_callbacks},
    {"log", test_log},
    {"stores", test_stores},
    {"services", test_services},
    {"conversation", test_conversation},
    {"manual_acknowledgement", test_manual_acknowledgement},
    {"unlinked_by_the_phone", test_unlinked_by_the_phone},
    {"queue", test_queue},
    {"fork", test_fork},
    {"exit_with_a_live_engine", test_exit_with_a_live_engine},
    {"exit_from_a_callback", test_exit_from_a_callback},
    {"interrupted", test_interrupted},
    {"exit_in_a_flood", test_exit_in_a_flood},
    {"kills_in_a_flood", test_kills_in_a_flood},
    {"thousand_clients", test_thousand_clients},
    {"transfer", test_transfer},
    {"media", test_media},
};

int main(int count, char **arguments) {
  for (size_t i = 0; count == 2 && i < sizeof tests / sizeof *tests; i++) {
    if (strcmp(tests[i].name, arguments[1]) == 0) {
      tests[i].run();
      return 0;
    }
  }
  fprintf(stderr, "usage: %s TEST\n", arguments[0]);
  return 2;
}
