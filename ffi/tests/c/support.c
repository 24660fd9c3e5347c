#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void expect(const char *file, int line, whimbrel_code code, whimbrel_error *error) {
  whimbrel_code got = whimbrel_error_code(error);
  if (got != code) {
    whimbrel_str name = whimbrel_error_name(error), message = whimbrel_error_message(error);
    fprintf(stderr, "%s:%d: expected %u, got %u %.*s: %.*s\n", file, line, (unsigned)code, (unsigned)got,
            (int)name.len, (const char *)name.ptr, (int)message.len, (const char *)message.ptr);
    exit(1);
  }
  whimbrel_error_free(error);
}

whimbrel_str text(const char *string) { return whimbrel_str_of(string); }

int equal(whimbrel_str str, const char *string) {
  return str.ptr && str.len == strlen(string) && memcmp(str.ptr, string, str.len) == 0;
}

char *copy(whimbrel_str str) {
  char *string = malloc(str.len + 1);
  CHECK(string);
  if (str.len) memcpy(string, str.ptr, str.len);
  string[str.len] = 0;
  return string;
}

char *member(const char *json, const char *name) {
  char quoted[64];
  snprintf(quoted, sizeof quoted, "\"%s\":", name);
  const char *from = strstr(json, quoted);
  if (!from) return NULL;
  from += strlen(quoted);
  int string = *from == '"';
  if (string) from++;
  char *value = malloc(strlen(from) + 1), *to = value;
  CHECK(value);
  for (; *from && (string ? *from != '"' : !strchr(",}]", *from)); from++) {
    if (*from == '\\' && from[1]) {
      from++;
      *to++ = *from == 'n' ? '\n' : *from;
    } else {
      *to++ = *from;
    }
  }
  *to = 0;
  return value;
}

static struct timespec soon(void) {
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += SOON_MS / 1000;
  return deadline;
}

inbox *inbox_new(void) {
  inbox *box = calloc(1, sizeof *box);
  CHECK(box);
  pthread_mutex_init(&box->mutex, NULL);
  pthread_cond_init(&box->changed, NULL);
  return box;
}

void inbox_free(inbox *box) {
  for (size_t i = 0; i < box->count; i++) whimbrel_event_free(box->events[i]);
  pthread_cond_destroy(&box->changed);
  pthread_mutex_destroy(&box->mutex);
  free(box);
}

static void inbox_take(void *user_data, const whimbrel_event *const *events, size_t count) {
  inbox *box = user_data;
  pthread_mutex_lock(&box->mutex);
  for (size_t i = 0; i < count && box->count < sizeof box->events / sizeof *box->events; i++)
    box->events[box->count++] = whimbrel_event_clone(events[i]);
  pthread_cond_broadcast(&box->changed);
  pthread_mutex_unlock(&box->mutex);
}

static void inbox_release(void *user_data) {
  inbox *box = user_data;
  pthread_mutex_lock(&box->mutex);
  box->released++;
  pthread_cond_broadcast(&box->changed);
  pthread_mutex_unlock(&box->mutex);
}

whimbrel_event_handler inbox_handler(inbox *box) {
  whimbrel_event_handler handler = {box, inbox_take, inbox_release};
  return handler;
}

const whimbrel_event *inbox_wait(inbox *box, uint32_t kind) {
  struct timespec deadline = soon();
  const whimbrel_event *found = NULL;
  pthread_mutex_lock(&box->mutex);
  while (!found) {
    while (box->next < box->count && !found) {
      const whimbrel_event *event = box->events[box->next++];
      if (whimbrel_event_kind(event) == kind) found = event;
    }
    if (!found && pthread_cond_timedwait(&box->changed, &box->mutex, &deadline) != 0) {
      fprintf(stderr, "no event of kind %u came; there were:\n", (unsigned)kind);
      for (size_t i = 0; i < box->count; i++) {
        whimbrel_str json = whimbrel_event_json(box->events[i]);
        fprintf(stderr, "  %.*s\n", (int)json.len, (const char *)json.ptr);
      }
      exit(1);
    }
  }
  pthread_mutex_unlock(&box->mutex);
  return found;
}

int inbox_released(inbox *box) {
  pthread_mutex_lock(&box->mutex);
  int released = box->released;
  pthread_mutex_unlock(&box->mutex);
  return released;
}

void awaited_init(awaited *reply) {
  memset(reply, 0, sizeof *reply);
  pthread_mutex_init(&reply->mutex, NULL);
  pthread_cond_init(&reply->changed, NULL);
}

static void awaited_take(void *user_data, const whimbrel_reply *answer) {
  awaited *reply = user_data;
  whimbrel_sent_view sent = {.struct_size = sizeof sent};
  pthread_mutex_lock(&reply->mutex);
  reply->called++;
  reply->code = whimbrel_error_code(whimbrel_reply_error(answer));
  reply->outcome = whimbrel_error_outcome(whimbrel_reply_error(answer));
  if (whimbrel_reply_json(answer).ptr) reply->json = copy(whimbrel_reply_json(answer));
  whimbrel_bytes bytes = whimbrel_reply_bytes(answer);
  if (bytes.ptr) {
    reply->bytes_length = bytes.len;
    CHECK((reply->bytes = malloc(bytes.len + 1)));
    memcpy(reply->bytes, bytes.ptr, bytes.len);
  }
  if (whimbrel_reply_sent(answer, &sent)) reply->message_id = copy(sent.message_id);
  pthread_mutex_unlock(&reply->mutex);
}

static void awaited_release(void *user_data) {
  awaited *reply = user_data;
  pthread_mutex_lock(&reply->mutex);
  reply->released++;
  pthread_cond_broadcast(&reply->changed);
  pthread_mutex_unlock(&reply->mutex);
}

whimbrel_reply_handler awaited_handler(awaited *reply) {
  whimbrel_reply_handler handler = {reply, awaited_take, awaited_release};
  return handler;
}

void awaited_wait(awaited *reply) {
  struct timespec deadline = soon();
  pthread_mutex_lock(&reply->mutex);
  while (!reply->released) CHECK(pthread_cond_timedwait(&reply->changed, &reply->mutex, &deadline) == 0);
  CHECK(reply->called == 1 && reply->released == 1);
  pthread_mutex_unlock(&reply->mutex);
}

void awaited_clear(awaited *reply) {
  free(reply->json);
  free(reply->message_id);
  free(reply->bytes);
  pthread_cond_destroy(&reply->changed);
  pthread_mutex_destroy(&reply->mutex);
}

void sandbox_start(sandbox *box) {
  const char *program = getenv("WHIMBREL_SANDBOX");
  CHECK(program);
  int input[2], output[2];
  CHECK(pipe(input) == 0 && pipe(output) == 0);
  box->process = fork();
  CHECK(box->process >= 0);
  if (box->process == 0) {
    dup2(input[0], 0);
    dup2(output[1], 1);
    close(input[0]), close(input[1]), close(output[0]), close(output[1]);
    execl(program, program, "--exit-with-parent", "--strict", (char *)NULL);
    _exit(127);
  }
  close(input[0]), close(output[1]);
  box->input = input[1];
  FILE *lines = fdopen(output[0], "r");
  char *line = NULL;
  size_t size = 0;
  CHECK(lines && getline(&line, &size, lines) > 0);
  fclose(lines);
  box->ws = member(line, "ws");
  box->wss = member(line, "wss");
  box->key = member(line, "publicKey");
  box->ca = member(line, "caPem");
  box->control = member(line, "control");
  CHECK(box->ws && box->wss && box->key && box->ca && box->control);
  free(line);
}

void sandbox_stop(sandbox *box) {
  int status = 0;
  close(box->input);
  CHECK(waitpid(box->process, &status, 0) == box->process);
  free(box->ws), free(box->wss), free(box->key), free(box->ca), free(box->control);
}

char *sandbox_request(const sandbox *box, const char *method, const char *path, const char *body) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  address.sin_port = htons((uint16_t)atoi(strrchr(box->control, ':') + 1));
  int connection = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connection >= 0 && connect(connection, (struct sockaddr *)&address, sizeof address) == 0);
  FILE *stream = fdopen(connection, "r+");
  CHECK(stream);
  fprintf(stream,
          "%s %s HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\ncontent-type: application/json\r\n"
          "content-length: %zu\r\n\r\n%s",
          method, path, strlen(body), body);
  fflush(stream);
  char *answer = calloc(1, 1 << 20);
  CHECK(answer);
  size_t length = fread(answer, 1, (1 << 20) - 1, stream);
  fclose(stream);
  char *content = strstr(answer, "\r\n\r\n");
  if (length < 12 || answer[9] != '2' || !content) {
    fprintf(stderr, "%s %s: %s\n", method, path, answer);
    exit(1);
  }
  memmove(answer, content + 4, strlen(content + 4) + 1);
  return answer;
}

whimbrel_engine *engine_for(const sandbox *box) {
  whimbrel_engine_options options = {.struct_size = sizeof options};
  uint8_t key[32];
  /* Nobody listens on port 1 of loopback. */
  options.url = text(box ? box->ws : "ws://127.0.0.1:1/ws/chat");
  if (box) {
    for (size_t i = 0; i < sizeof key; i++) {
      unsigned byte = 0;
      CHECK(sscanf(box->key + 2 * i, "%2x", &byte) == 1);
      key[i] = (uint8_t)byte;
    }
    options.noise_root_key.ptr = key;
    options.noise_root_key.len = sizeof key;
    /* The media hosts speak TLS only. */
    options.extra_ca_pem = text(box->ca);
  }
  whimbrel_engine *engine = NULL;
  OK(whimbrel_engine_new(&options, &engine));
  CHECK(engine);
  return engine;
}

whimbrel_client *client_open(const whimbrel_engine *engine, const char *path, inbox *box, int start) {
  whimbrel_client_options options = {.struct_size = sizeof options, .store_path = text(path)};
  options.manual_start = !start;
  whimbrel_client *client = NULL;
  OK(whimbrel_client_open(engine, &options, inbox_handler(box), &client));
  CHECK(client);
  return client;
}

whimbrel_client *client_linked(const sandbox *service, const whimbrel_engine *engine, const char *path,
                               inbox *box, const char *phone) {
  char route[64], body[2048];
  snprintf(body, sizeof body, "{\"phone\":\"%s\"}", phone);
  free(sandbox_request(service, "POST", "/phones", body));
  whimbrel_client *client = client_open(engine, path, box, 1);
  char *code = copy(whimbrel_event_text(inbox_wait(box, WHIMBREL_KIND_QR)));
  snprintf(route, sizeof route, "/phones/%s/scan", phone);
  snprintf(body, sizeof body, "{\"qr\":\"%s\"}", code);
  free(sandbox_request(service, "POST", route, body));
  free(code);
  inbox_wait(box, WHIMBREL_KIND_LINKED);
  whimbrel_buffer answer;
  OK(whimbrel_client_call(client, text("connect"), text("{}"), NULL, &answer));
  whimbrel_buffer_free(&answer);
  return client;
}

static char folder[64];

static pid_t owner;

static void remove_folder(void) {
  char command[128];
  if (getpid() != owner) return; /* a child ends before its parent */
  snprintf(command, sizeof command, "rm -rf %s", folder);
  if (system(command) != 0) fprintf(stderr, "%s was not removed\n", folder);
}

const char *scratch(const char *name) {
  static char path[4][128];
  static unsigned turn;
  if (!*folder) {
    strcpy(folder, "/tmp/whimbrel-XXXXXX");
    CHECK(mkdtemp(folder));
    owner = getpid();
    atexit(remove_folder);
  }
  char *place = path[turn++ % 4];
  snprintf(place, sizeof path[0], "%s/%s", folder, name);
  return place;
}
