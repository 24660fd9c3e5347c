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
 * program would; only the replies come on another. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <whimbrel.h>

#define SHOWN(text) (int)(text).len, (const char *)(text).ptr

static int json; /* --json */

static int failed(whimbrel_error *error) {
  if (error) fprintf(stderr, "%.*s: ", SHOWN(whimbrel_error_name(error)));
  if (error) fprintf(stderr, "%.*s\n", SHOWN(whimbrel_error_message(error)));
  int yes = error != NULL;
  whimbrel_error_free(error);
  return yes;
}

struct member {
  const char *name;
  whimbrel_str value;
};

/* Prints what happens: words for people, or an object. */
static void tell(const char *words, whimbrel_str who, const char *more, whimbrel_str text, const char *event,
                 const struct member members[3]) {
  flockfile(stdout); /* Replies come on another thread. */
  if (!json) {
    printf("%s%.*s%s%.*s\n", words, SHOWN(who), more, SHOWN(text));
  } else {
    printf("{\"event\":\"%s\"", event);
    for (int i = 0; i < 3 && members[i].name; i++) {
      printf(",\"%s\":\"", members[i].name);
      for (size_t at = 0; at < members[i].value.len; at++) {
        unsigned char byte = members[i].value.ptr[at];
        printf(byte < ' ' || byte == '"' || byte == '\\' ? "\\u%04x" : "%c", byte);
      }
      putchar('"');
    }
    puts("}");
  }
  fflush(stdout);
  funlockfile(stdout);
}

/* Finds a string in JSON by its key, for strings without escapes: addresses, numbers, keys. A
 * program that needs more brings a JSON library. */
static whimbrel_str find(const char *text, const char *name) {
  char key[32];
  snprintf(key, sizeof key, "\"%s\":\"", name);
  const char *found = strstr(text, key);
  whimbrel_str value = {NULL, 0};
  if (!found) return value;
  value.ptr = (const uint8_t *)found + strlen(key);
  value.len = strcspn((const char *)value.ptr, "\"");
  return value;
}

/* A person's phone number, or the address if the number is not known. */
static whimbrel_str number(whimbrel_str phone, whimbrel_str address) {
  const uint8_t *at = phone.ptr ? memchr(phone.ptr, '@', phone.len) : NULL;
  if (at) phone.len = (size_t)(at - phone.ptr);
  return at ? phone : address;
}

/* --- sending --- */

static void on_sent(void *line, const whimbrel_reply *reply) {
  whimbrel_str to = whimbrel_str_of(line), text = whimbrel_str_of((char *)line + to.len + 1);
  whimbrel_sent_view sent = {.struct_size = sizeof sent};
  whimbrel_str none = {NULL, 0}, reason = whimbrel_error_message(whimbrel_reply_error(reply));
  if (whimbrel_reply_sent(reply, &sent))
    tell("sent to ", to, "", none, "sent",
         (struct member[3]){{"to", to}, {"text", text}, {"id", sent.message_id}});
  else
    tell("not sent to ", to, ": ", reason, "not_sent",
         (struct member[3]){{"to", to}, {"text", text}, {"reason", reason}});
}

static void send_line(const whimbrel_client *client, const char *input) {
  char *line = strdup(input), *space = line ? strchr(line, ' ') : NULL;
  if (!space) {
    free(line);
    return;
  }
  *space = '\0';
  whimbrel_str to = whimbrel_str_of(line), text = whimbrel_str_of(space + 1);
  whimbrel_reply_handler handler = {line, on_sent, free};
  failed(whimbrel_client_send_text(client, to, text, NULL, handler, NULL));
}

/* Sends the lines that have been read so far. Returns 0 at the end of the input. */
static int take_input(const whimbrel_client *client) {
  static char held[65536];
  static size_t length;
  ssize_t count = read(STDIN_FILENO, held + length, sizeof held - length);
  if (count <= 0) return 0; /* A line that is too long ends it, too. */
  length += (size_t)count;
  for (char *end; (end = memchr(held, '\n', length)) != NULL;) {
    *end = '\0';
    send_line(client, held);
    length -= (size_t)(end + 1 - held);
    memmove(held, end + 1, length);
  }
  return 1;
}

/* --- receiving --- */

static void on_event(const whimbrel_client *client, const whimbrel_event *event) {
  whimbrel_message_view message = {.struct_size = sizeof message};
  whimbrel_str text = whimbrel_event_text(event), none = {NULL, 0}, shown;
  whimbrel_buffer made = {NULL, 0};
  char details[1024]; /* Of short events, with a NUL at their end. */
  snprintf(details, sizeof details, "%.*s", SHOWN(whimbrel_event_json(event)));
  switch (whimbrel_event_kind(event)) {
    case WHIMBREL_KIND_QR:
      if (failed(whimbrel_qr_text(text, &made))) break;
      shown = whimbrel_str_of((const char *)made.ptr);
      tell("", shown, "", none, "qr", (struct member[3]){{"text", text}, {"drawing", shown}});
      break;
    case WHIMBREL_KIND_CONNECTION:
      if (!strstr(details, "\"state\":\"online\"")) break;
      if (failed(whimbrel_client_call(client, whimbrel_str_of("get_account"), none, NULL, &made))) break;
      shown = number(find((const char *)made.ptr, "phone"), find((const char *)made.ptr, "id"));
      tell("online as ", shown, "", none, "online", (struct member[3]){{"phone", shown}});
      break;
    case WHIMBREL_KIND_MESSAGE:
      if (!whimbrel_event_message(event, &message) || message.from_me || !text.ptr) break;
      shown = number(message.sender_phone, message.sender);
      tell("", shown, ": ", text, "message", (struct member[3]){{"from", shown}, {"text", text}});
      break;
    case WHIMBREL_KIND_LINK_FAILED:
    case WHIMBREL_KIND_LOGGED_OUT:
      shown = find(details, "reason");
      tell("not linked: ", shown, "", none, "not_linked", (struct member[3]){{"reason", shown}});
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
  int open = whimbrel_error_code(error) != WHIMBREL_CODE_CLOSED;
  for (size_t i = 0; i < whimbrel_batch_count(batch); i++) on_event(client, whimbrel_batch_event(batch, i));
  whimbrel_batch_free(batch);
  whimbrel_error_free(error);
  return open;
}

/* --- the program --- */

static int read_ready_line(const char *path, char *line, size_t size, uint8_t key[32],
                           whimbrel_engine_options *options) {
  FILE *file = fopen(path, "r");
  size_t length = file ? fread(line, 1, size - 1, file) : 0;
  if (file) fclose(file);
  line[length] = '\0';
  whimbrel_str hex = find(line, "publicKey");
  const char *serial = strstr(line, "\"serial\":");
  for (size_t i = 0; hex.len == 64 && i < 32; i++) {
    if (sscanf((const char *)hex.ptr + 2 * i, "%2hhx", &key[i]) != 1) return 0;
  }
  options->url = find(line, "ws");
  options->noise_root_key = (whimbrel_bytes){key, 32};
  options->noise_root_serial = serial ? (uint32_t)strtoul(serial + 9, NULL, 10) : 0;
  return hex.len == 64 && options->url.ptr;
}

int main(int count, char **arguments) {
  whimbrel_engine_options service = {.struct_size = sizeof service};
  whimbrel_client_options options = {.struct_size = sizeof options};
  whimbrel_engine *engine = NULL;
  whimbrel_client *client = NULL;
  whimbrel_queue *queue = NULL;
  whimbrel_event_handler handler;
  static char line[16384];
  uint8_t key[32];

  options.store_path = whimbrel_str_of("chat.db");
  options.device_name = whimbrel_str_of("chat");
  for (int i = 1; i < count; i++) {
    const char *value = i + 1 < count ? arguments[i + 1] : NULL;
    if (strcmp(arguments[i], "--json") == 0) {
      json = 1;
    } else if (strcmp(arguments[i], "--store") == 0 && value) {
      options.store_path = whimbrel_str_of(arguments[++i]);
    } else if (strcmp(arguments[i], "--sandbox") == 0 && value &&
               read_ready_line(value, line, sizeof line, key, &service)) {
      i++;
    } else {
      fprintf(stderr, "usage: %s [--json] [--sandbox FILE] [--store FILE]\n", arguments[0]);
      return 2;
    }
  }

  int wrong = failed(whimbrel_engine_new(&service, &engine)) || failed(whimbrel_queue_new(&handler, &queue)) ||
              failed(whimbrel_client_open(engine, &options, handler, &client));
  while (!wrong) {
    struct pollfd ready[] = {{whimbrel_queue_fd(queue), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    if (poll(ready, 2, -1) < 0) continue;
    if (ready[0].revents && !take_events(client, queue)) break;
    if (ready[1].revents && !take_input(client)) break;
  }
  if (client) wrong |= failed(whimbrel_client_close(client, 0));
  whimbrel_client_free(client);
  whimbrel_queue_free(queue);
  whimbrel_engine_free(engine);
  return wrong;
}
