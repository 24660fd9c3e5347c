/* A program of somebody who has the package installed, and nothing else of this project. */
#include <stdio.h>
#include <string.h>

#include <whimbrel.h>

static void ignore(void *user_data, const whimbrel_event *const *events, size_t count) {
  (void)user_data, (void)events, (void)count;
}

static void released(void *user_data) { *(int *)user_data += 1; }

static int failed(whimbrel_error *error) {
  if (!error) return 0;
  whimbrel_str message = whimbrel_error_message(error);
  fprintf(stderr, "%.*s\n", (int)message.len, (const char *)message.ptr);
  whimbrel_error_free(error);
  return 1;
}

int main(void) {
  whimbrel_version_info version = whimbrel_version();
  if (version.abi != WHIMBREL_ABI_VERSION) return 1;
  int releases = 0;
  whimbrel_engine_options options = {.struct_size = sizeof options};
  whimbrel_client_options store = {.struct_size = sizeof store, .store_path = whimbrel_str_of(":memory:")};
  whimbrel_event_handler handler = {&releases, ignore, released};
  whimbrel_engine *engine;
  whimbrel_client *client;
  whimbrel_buffer answer;
  store.manual_start = 1;
  if (failed(whimbrel_engine_new(&options, &engine))) return 1;
  if (failed(whimbrel_client_open(engine, &store, handler, &client))) return 1;
  if (failed(whimbrel_client_call(client, whimbrel_str_of("get_connection"), whimbrel_str_of("{}"), NULL, &answer)))
    return 1;
  printf("%.*s %.*s\n", (int)version.text.len, (const char *)version.text.ptr, (int)answer.len,
         (const char *)answer.ptr);
  whimbrel_buffer_free(&answer);
  whimbrel_client_free(client);
  whimbrel_engine_free(engine);
  return releases == 1 ? 0 : 1;
}
