/* Sends a picture, or saves the files that come in.
 *
 *   media [--sandbox FILE] [--store FILE] send TO PICTURE
 *   media [--sandbox FILE] [--store FILE] save FOLDER
 *
 * "send" tells how far the upload is; the end of the input (Ctrl-D) stops it. "save" saves the files
 * of all messages, until its input ends. Without a link it shows a QR code to scan with the phone:
 * Settings, Linked devices. --sandbox talks to a sandbox instead of the real service: FILE holds the
 * line that whimbrel-sandbox prints when it is ready.
 *
 * One thread waits for its input, for the client's events and for the reply that another thread
 * brings, with poll(). */
#include <ctype.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "json.h"
#include "sandbox.h"

#define SHOWN(text) (int)(text).len, (const char *)(text).ptr

static const char *to, *picture, *folder;
static int bell[2];   /* A pipe that gets a byte with the reply. */
static uint64_t call; /* Number of the send, for cancelling it; 0 before. */
static int not_sent;

static int failed(whimbrel_error *error) {
  if (!error) return 0;
  whimbrel_str name = whimbrel_error_name(error), message = whimbrel_error_message(error);
  fprintf(stderr, "%.*s: %.*s\n", SHOWN(name), SHOWN(message));
  whimbrel_error_free(error);
  return 1;
}

static void on_sent(void *user_data, const whimbrel_reply *reply) {
  const whimbrel_error *error = whimbrel_reply_error(reply);
  (void)user_data;
  not_sent = error != NULL;
  if (error)
    printf("not sent: %.*s\n", SHOWN(whimbrel_error_message(error)));
  else
    printf("sent %s: %.*s\n", picture, SHOWN(whimbrel_reply_json(reply)));
  fflush(stdout);
  if (write(bell[1], "", 1) != 1) abort(); /* One byte always fits. */
}

/* Begins to send the picture. Returns 0 if that fails. */
static int send_picture(const whimbrel_client *client) {
  char request[8192] = "{\"transfer\":\"picture\",\"chat\":";
  int fits = json_string(request, sizeof request - 64, to);
  strcat(request, ",\"content\":{\"type\":\"image\",\"media\":{\"path\":");
  fits = fits && json_string(request, sizeof request - 64, picture);
  strcat(request, "},\"caption\":\"from whimbrel\"}}");
  if (!fits) return 0;
  whimbrel_reply_handler handler = {NULL, on_sent, NULL};
  whimbrel_str name = whimbrel_str_of("send_message"), body = whimbrel_str_of(request);
  return !failed(whimbrel_client_request(client, name, body, NULL, handler, &call));
}

/* Saves the file of a message, if it has one. `event` is the message in JSON. */
static void save_file(const whimbrel_client *client, const char *event, uint64_t sequence) {
  const char *media = strstr(event, "\"media\":{");
  if (!media) return;
  whimbrel_str reference = json_find(media, "reference"), mimetype = json_find(media, "mimetype");
  /* A name of our own: what senders write is not to be trusted with paths. */
  char path[1024], suffix[16] = "bin", request[16384];
  const char *slash = mimetype.ptr ? memchr(mimetype.ptr, '/', mimetype.len) : NULL;
  for (size_t i = 0; slash && i + 1 < sizeof suffix; i++) {
    suffix[i] = isalnum((unsigned char)slash[i + 1]) ? slash[i + 1] : '\0';
    if (!suffix[i]) break;
  }
  snprintf(path, sizeof path, "%s/%llu.%s", folder, (unsigned long long)sequence, suffix);
  snprintf(request, sizeof request, "{\"reference\":\"%.*s\",\"path\":", SHOWN(reference));
  if (!json_string(request, sizeof request - 1, path)) return;
  strcat(request, "}");
  whimbrel_buffer answer;
  /* It blocks: no other event is taken meanwhile, and after a crash this one comes again. */
  if (failed(whimbrel_client_call(client, whimbrel_str_of("download_media"), whimbrel_str_of(request), NULL,
                                  &answer)))
    return;
  whimbrel_buffer_free(&answer);
  printf("saved %s\n", path);
  fflush(stdout);
}

static void on_event(const whimbrel_client *client, const whimbrel_event *event) {
  whimbrel_message_view message = {.struct_size = sizeof message};
  whimbrel_str shown = whimbrel_event_json(event);
  whimbrel_buffer drawing;
  char *json = strndup((const char *)shown.ptr, shown.len);
  if (!json) abort();
  switch (whimbrel_event_kind(event)) {
    case WHIMBREL_KIND_QR:
      if (failed(whimbrel_qr_text(whimbrel_event_text(event), &drawing))) break;
      printf("%sScan this with your phone: Settings, Linked devices.\nqr: %.*s\n", (const char *)drawing.ptr,
             SHOWN(whimbrel_event_text(event)));
      whimbrel_buffer_free(&drawing);
      break;
    case WHIMBREL_KIND_CONNECTION:
      if (!strstr(json, "\"state\":\"online\"")) break;
      puts("online");
      if (to && !call && !send_picture(client) && write(bell[1], "", not_sent = 1) != 1) abort();
      break;
    case WHIMBREL_KIND_MEDIA_PROGRESS:
      puts(json);
      break;
    case WHIMBREL_KIND_MESSAGE:
      if (folder && whimbrel_event_message(event, &message) && !message.from_me)
        save_file(client, json, whimbrel_event_sequence(event));
      break;
    default:
      break;
  }
  fflush(stdout);
  free(json);
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
  int at = 1;

  options.store_path = whimbrel_str_of("media.db");
  options.device_name = whimbrel_str_of("media");
  for (; at + 1 < count && arguments[at][0] == '-'; at += 2) {
    if (strcmp(arguments[at], "--store") == 0)
      options.store_path = whimbrel_str_of(arguments[at + 1]);
    else if (strcmp(arguments[at], "--sandbox") != 0 || !use_sandbox(arguments[at + 1], &service))
      break;
  }
  if (count - at == 3 && strcmp(arguments[at], "send") == 0) {
    to = arguments[at + 1];
    picture = arguments[at + 2];
  } else if (count - at == 2 && strcmp(arguments[at], "save") == 0) {
    folder = arguments[at + 1];
  } else {
    fprintf(stderr, "usage: %s [--sandbox FILE] [--store FILE] send TO PICTURE | save FOLDER\n", arguments[0]);
    return 2;
  }

  int wrong = pipe(bell) != 0 || failed(whimbrel_engine_new(&service, &engine)) ||
              failed(whimbrel_queue_new(&handler, &queue)) ||
              failed(whimbrel_client_open(engine, &options, handler, &client));
  /* A file descriptor of -1 is passed over: the input after its end. */
  for (int input = STDIN_FILENO, open = !wrong; open;) {
    struct pollfd ready[] = {{whimbrel_queue_fd(queue), POLLIN, 0}, {bell[0], POLLIN, 0}, {input, POLLIN, 0}};
    char typed[256];
    if (poll(ready, 3, -1) < 0) continue;
    if (ready[1].revents || (ready[0].revents && !take_events(client, queue))) break;
    if (!ready[2].revents || read(input, typed, sizeof typed) > 0) continue;
    input = -1;
    open = call != 0; /* The reply of what is cancelled still comes. */
    if (open) wrong |= failed(whimbrel_client_cancel(client, call));
  }
  if (client) wrong |= failed(whimbrel_client_close(client, 0));
  whimbrel_client_free(client);
  whimbrel_queue_free(queue);
  whimbrel_engine_free(engine);
  return wrong || not_sent;
}
