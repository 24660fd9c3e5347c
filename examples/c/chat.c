/* A chat in the terminal.
 *
 *   chat [--json] [--sandbox FILE] [--store FILE]
 *
 * Each line of input is "TO TEXT", where TO is a phone number with its country code or an address;
 * texts that arrive are printed as "FROM: TEXT". Without a link it shows a QR code to scan with the
 * phone: Settings, Linked devices. It ends when its input does (Ctrl-D).
 *
 * --json prints one JSON object per line instead, for other programs. --sandbox talks to a sandbox
 * instead of the real service: FILE holds the line that whimbrel-sandbox prints when it is ready.
 *
 * One thread waits for its input and for the client's events with poll(), as the loop of any larger
 * program would. Only replies come on another; they ring a bell that the loop hears. */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "json.h"
#include "sandbox.h"

#define SHOWN(text) (int)(text).len, (const char *)(text).ptr

static int json;    /* --json */
static int bell[2]; /* A pipe that gets a byte with every reply. */

/* Prints what happens: words for people, or an object. */
#define TELL(words, event, ...)                                      \
  do {                                                               \
    if (json) json_print(event, (struct json_member[3]){__VA_ARGS__}); \
    else printf words;                                               \
    fflush(stdout);                                                  \
  } while (0)

static int failed(whimbrel_error *error) {
  if (!error) return 0;
  whimbrel_str name = whimbrel_error_name(error), message = whimbrel_error_message(error);
  fprintf(stderr, "%.*s: %.*s\n", SHOWN(name), SHOWN(message));
  whimbrel_error_free(error);
  return 1;
}

/* A person's phone number, or the address if the number is not known. */
static whimbrel_str number(whimbrel_str phone, whimbrel_str address) {
  const uint8_t *at = phone.ptr ? memchr(phone.ptr, '@', phone.len) : NULL;
  if (at) phone.len = (size_t)(at - phone.ptr);
  return at ? phone : address;
}

static void on_sent(void *line, const whimbrel_reply *reply) {
  whimbrel_str to = whimbrel_str_of(line), text = whimbrel_str_of((char *)line + to.len + 1);
  whimbrel_str reason = whimbrel_error_message(whimbrel_reply_error(reply));
  whimbrel_sent_view sent = {.struct_size = sizeof sent};
  if (whimbrel_reply_sent(reply, &sent))
    TELL(("sent to %s\n", (char *)line), "sent", {"to", to}, {"text", text}, {"id", sent.message_id});
  else
    TELL(("not sent: %.*s\n", SHOWN(reason)), "not_sent", {"to", to}, {"text", text}, {"reason", reason});
  if (write(bell[1], "", 1) != 1) abort(); /* One byte always fits. */
}

/* Returns 1 if the line is on its way. */
static int send_line(const whimbrel_client *client, const char *input) {
  char *line = strdup(input), *space = line ? strchr(line, ' ') : NULL;
  if (!space) {
    free(line);
    return 0;
  }
  *space = '\0'; /* The reply's handler finds both parts, and frees them. */
  whimbrel_reply_handler handler = {line, on_sent, free};
  whimbrel_str to = whimbrel_str_of(line), text = whimbrel_str_of(space + 1);
  return !failed(whimbrel_client_send_text(client, to, text, NULL, handler, NULL));
}

/* Sends the next line of the input. Returns 1 if it is on its way, 0 if there is none, -1 at the
 * end of the input. */
static int take_input(const whimbrel_client *client, int readable) {
  static char held[65536];
  static size_t length;
  ssize_t count = readable ? read(STDIN_FILENO, held + length, sizeof held - length) : 0;
  if (readable && count <= 0) return -1; /* A line that does not fit is an end, too. */
  length += (size_t)count;
  int sending = 0;
  for (char *end; !sending && (end = memchr(held, '\n', length)) != NULL;) {
    *end = '\0';
    sending = send_line(client, held);
    length -= (size_t)(end + 1 - held);
    memmove(held, end + 1, length);
  }
  return sending;
}

static void on_event(const whimbrel_client *client, const whimbrel_event *event) {
  whimbrel_message_view message = {.struct_size = sizeof message};
  whimbrel_str text = whimbrel_event_text(event), none = {NULL, 0}, shown;
  whimbrel_buffer made = {NULL, 0};
  char details[512];
  switch (whimbrel_event_kind(event)) {
    case WHIMBREL_KIND_QR:
      if (failed(whimbrel_qr_text(text, &made))) break;
      shown = whimbrel_str_of((const char *)made.ptr);
      TELL(("%s\n", (const char *)made.ptr), "qr", {"text", text}, {"drawing", shown});
      break;
    case WHIMBREL_KIND_CONNECTION:
      snprintf(details, sizeof details, "%.*s", SHOWN(whimbrel_event_json(event)));
      if (!strstr(details, "\"state\":\"online\"")) break;
      if (failed(whimbrel_client_call(client, whimbrel_str_of("get_account"), none, NULL, &made))) break;
      shown = number(json_find((char *)made.ptr, "phone"), json_find((char *)made.ptr, "id"));
      TELL(("online as %.*s\n", SHOWN(shown)), "online", {"phone", shown});
      break;
    case WHIMBREL_KIND_MESSAGE:
      if (!whimbrel_event_message(event, &message) || message.from_me || !text.ptr) break;
      shown = number(message.sender_phone, message.sender);
      TELL(("%.*s: %.*s\n", SHOWN(shown), SHOWN(text)), "message", {"from", shown}, {"text", text});
      break;
    case WHIMBREL_KIND_LINK_FAILED:
    case WHIMBREL_KIND_LOGGED_OUT:
      snprintf(details, sizeof details, "%.*s", SHOWN(whimbrel_event_json(event)));
      shown = json_find(details, "reason");
      TELL(("not linked: %.*s\n", SHOWN(shown)), "not_linked", {"reason", shown});
      break;
    default:
      break;
  }
  whimbrel_buffer_free(&made);
}

/* Takes what is in the queue. Returns 0 after the client's last event. */
static int take_events(const whimbrel_client *client, const whimbrel_queue *queue) {
  whimbrel_batch *batch = NULL;
  whimbrel_error *error = whimbrel_queue_wait(queue, 0, &batch);
  if (error) {
    whimbrel_error_free(error);
    return 0;
  }
  for (size_t i = 0; i < whimbrel_batch_count(batch); i++) on_event(client, whimbrel_batch_event(batch, i));
  whimbrel_batch_free(batch);
  return 1;
}

int main(int count, char **arguments) {
  whimbrel_engine_options service = {.struct_size = sizeof service};
  whimbrel_client_options options = {.struct_size = sizeof options};
  whimbrel_engine *engine = NULL;
  whimbrel_client *client = NULL;
  whimbrel_queue *queue = NULL;
  whimbrel_event_handler handler;

  options.store_path = whimbrel_str_of("chat.db");
  options.device_name = whimbrel_str_of("chat");
  for (int i = 1; i < count; i++) {
    if (strcmp(arguments[i], "--json") == 0) {
      json = 1;
    } else if (strcmp(arguments[i], "--store") == 0 && i + 1 < count) {
      options.store_path = whimbrel_str_of(arguments[++i]);
    } else if (strcmp(arguments[i], "--sandbox") != 0 || i + 1 == count ||
               !use_sandbox(arguments[++i], &service)) {
      fprintf(stderr, "usage: %s [--json] [--sandbox FILE] [--store FILE]\n", arguments[0]);
      return 2;
    }
  }

  int wrong = pipe(bell) != 0 || failed(whimbrel_engine_new(&service, &engine)) ||
              failed(whimbrel_queue_new(&handler, &queue)) ||
              failed(whimbrel_client_open(engine, &options, handler, &client));
  /* One text at a time: they arrive in the order in which they were typed. */
  for (int sending = 0; !wrong && sending >= 0;) {
    struct pollfd ready[] = {{whimbrel_queue_fd(queue), POLLIN, 0},
                             {sending ? bell[0] : STDIN_FILENO, POLLIN, 0}};
    char rung;
    if (poll(ready, 2, -1) < 0) continue;
    if (ready[0].revents && !take_events(client, queue)) break;
    if (!ready[1].revents) continue;
    if (sending && read(bell[0], &rung, 1) != 1) continue;
    sending = take_input(client, !sending);
  }
  if (client) wrong |= failed(whimbrel_client_close(client, 0));
  whimbrel_client_free(client);
  whimbrel_queue_free(queue);
  whimbrel_engine_free(engine);
  return wrong;
}
