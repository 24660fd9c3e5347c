/* Answers every text message with the same text.
 *
 *   echo_bot [--sandbox FILE] [STORE]
 *
 * STORE is the file that holds the link (default echo_bot.db). Without a link it shows a QR code
 * to scan with the phone: Settings, Linked devices. --sandbox talks to a sandbox instead of the
 * real service: FILE holds the line that whimbrel-sandbox prints when it is ready. Ends when its
 * standard input does (Ctrl-D). */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <whimbrel.h>

#include "sandbox.h"

/* The handler may run before whimbrel_client_open() has returned: it waits for the client. */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static whimbrel_client *client;

static int failed(whimbrel_error *error) {
  if (!error) return 0;
  whimbrel_str name = whimbrel_error_name(error), message = whimbrel_error_message(error);
  fprintf(stderr, "%.*s: %.*s\n", (int)name.len, (const char *)name.ptr, (int)message.len,
          (const char *)message.ptr);
  whimbrel_error_free(error);
  return 1;
}

static void print(const char *before, whimbrel_str text) {
  printf("%s%.*s\n", before, (int)text.len, (const char *)text.ptr);
  fflush(stdout);
}

static void on_sent(void *user_data, const whimbrel_reply *reply) {
  const whimbrel_error *error = whimbrel_reply_error(reply);
  (void)user_data;
  if (error) print("not sent: ", whimbrel_error_message(error));
}

static void on_message(const whimbrel_event *event, const whimbrel_message_view *message) {
  pthread_mutex_lock(&opening);
  whimbrel_client *bot = client;
  pthread_mutex_unlock(&opening);
  whimbrel_send_options options = {.struct_size = sizeof options};
  whimbrel_reply_handler handler = {NULL, on_sent, NULL};
  if (message->from_me || !message->text.ptr) return;
  print("message: ", message->text);
  /* An event may come twice after a crash. An id made from the event's own makes its answer the
   * same message both times, so it is sent once. */
  options.message_id = whimbrel_event_id(event);
  failed(whimbrel_client_send_text(bot, message->chat, message->text, &options, handler, NULL));
}

static void on_events(void *user_data, const whimbrel_event *const *events, size_t count) {
  (void)user_data;
  for (size_t i = 0; i < count; i++) {
    whimbrel_message_view message = {.struct_size = sizeof message};
    whimbrel_buffer drawing;
    switch (whimbrel_event_kind(events[i])) {
      case WHIMBREL_KIND_MESSAGE:
        if (whimbrel_event_message(events[i], &message)) on_message(events[i], &message);
        break;
      case WHIMBREL_KIND_QR:
        if (failed(whimbrel_qr_text(whimbrel_event_text(events[i]), &drawing))) break;
        printf("%sScan this with your phone: Settings, Linked devices.\n", (const char *)drawing.ptr);
        whimbrel_buffer_free(&drawing);
        print("qr: ", whimbrel_event_text(events[i]));
        break;
      case WHIMBREL_KIND_LINKED:
      case WHIMBREL_KIND_LOGGED_OUT:
      case WHIMBREL_KIND_LINK_FAILED:
      case WHIMBREL_KIND_CONNECTION:
        print("", whimbrel_event_json(events[i]));
        break;
      default:
        break;
    }
  }
}

int main(int count, char **arguments) {
  whimbrel_engine_options engine_options = {.struct_size = sizeof engine_options};
  whimbrel_client_options client_options = {.struct_size = sizeof client_options};
  whimbrel_event_handler handler = {NULL, on_events, NULL};
  whimbrel_engine *engine = NULL;

  client_options.store_path = whimbrel_str_of("echo_bot.db");
  client_options.device_name = whimbrel_str_of("echo bot");
  for (int i = 1; i < count; i++) {
    if (strcmp(arguments[i], "--sandbox") == 0 && i + 1 < count) {
      if (use_sandbox(arguments[++i], &engine_options)) continue;
      fprintf(stderr, "%s does not hold a sandbox's ready line\n", arguments[i]);
      return 2;
    } else if (arguments[i][0] == '-') {
      fprintf(stderr, "usage: %s [--sandbox FILE] [STORE]\n", arguments[0]);
      return 2;
    } else {
      client_options.store_path = whimbrel_str_of(arguments[i]);
    }
  }

  /* The header and the library are of one binary interface? */
  if (whimbrel_version().abi != WHIMBREL_ABI_VERSION) {
    fprintf(stderr, "this program was built for another libwhimbrel\n");
    return 1;
  }
  if (failed(whimbrel_engine_new(&engine_options, &engine))) return 1;
  pthread_mutex_lock(&opening);
  int wrong = failed(whimbrel_client_open(engine, &client_options, handler, &client));
  pthread_mutex_unlock(&opening);
  if (!wrong) {
    while (getchar() != EOF) continue;
    wrong = failed(whimbrel_client_close(client, 0));
  }
  whimbrel_client_free(client);
  whimbrel_engine_free(engine);
  return wrong;
}
