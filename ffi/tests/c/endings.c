/* How programs end: out of a callback, interrupted, in a flood, killed. Each end is that of a child. */
#include "tests.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PHONE "15550001"
#define FRIEND "15550002"

/* The child's exit status; a child that hangs is ended by the test's own deadline. */
static int status_of(pid_t child) {
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}

static void ended_in_order(pid_t child) {
  int status = status_of(child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fprintf(stderr, "the child ended with status %x\n", status);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void leave_at_once(void *user_data, const whimbrel_event *const *events, size_t count) {
  (void)user_data, (void)events, (void)count;
  exit(0);
}

static void released(void *user_data) { (void)user_data; }

void test_exit_from_a_callback(void) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    whimbrel_event_handler handler = {NULL, leave_at_once, released};
    whimbrel_client_options options = {.struct_size = sizeof options, .store_path = text(":memory:")};
    whimbrel_client *client;
    OK(whimbrel_client_open(engine_for(NULL), &options, handler, &client));
    for (;;) pause();
  }
  ended_in_order(child);
}

static volatile sig_atomic_t stopped;

static void stop(int number) {
  (void)number;
  stopped = 1;
}

/* Ctrl-C, as a program with a loop over a queue takes it. */
void test_interrupted(void) {
  int ready[2];
  char byte = 0;
  CHECK(pipe(ready) == 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    struct sigaction action = {.sa_handler = stop};
    CHECK(sigaction(SIGINT, &action, NULL) == 0);
    whimbrel_engine *engine = engine_for(NULL);
    whimbrel_event_handler handler;
    whimbrel_queue *queue;
    whimbrel_client *client;
    whimbrel_client_options options = {.struct_size = sizeof options, .store_path = text(":memory:")};
    OK(whimbrel_queue_new(&handler, &queue));
    OK(whimbrel_client_open(engine, &options, handler, &client));
    CHECK(write(ready[1], "r", 1) == 1);
    while (!stopped) {
      whimbrel_batch *batch;
      OK(whimbrel_queue_wait(queue, 20, &batch));
      whimbrel_batch_free(batch);
    }
    /* Nobody empties the queue any more: it is freed first, and holds nobody up. */
    whimbrel_queue_free(queue);
    OK(whimbrel_client_close(client, SOON_MS));
    whimbrel_client_free(client), whimbrel_engine_free(engine);
    exit(0);
  }
  CHECK(read(ready[0], &byte, 1) == 1);
  CHECK(kill(child, SIGINT) == 0);
  ended_in_order(child);
  close(ready[0]), close(ready[1]);
}

/* A store that is linked to the phone, made by a child: this process has no engine that it could fork. */
static void linked_store(const sandbox *service, const char *path) {
  free(sandbox_request(service, "POST", "/phones", "{\"phone\":\"" FRIEND "\"}"));
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    whimbrel_engine *engine = engine_for(service);
    whimbrel_client_free(client_linked(service, engine, path, inbox_new(), PHONE));
    whimbrel_engine_free(engine);
    exit(0);
  }
  ended_in_order(child);
}

static void friend_writes(const sandbox *service, int number) {
  char body[128];
  snprintf(body, sizeof body, "{\"to\":\"" PHONE "@s.whatsapp.net\",\"text\":\"flood %d\"}", number);
  free(sandbox_request(service, "POST", "/phones/" FRIEND "/send", body));
}

static void leave_after_twenty(void *user_data, const whimbrel_event *const *events, size_t count) {
  static int messages;
  (void)user_data;
  for (size_t i = 0; i < count; i++)
    if (whimbrel_event_kind(events[i]) == WHIMBREL_KIND_MESSAGE && ++messages == 20) exit(0);
}

void test_exit_in_a_flood(void) {
  sandbox service;
  sandbox_start(&service);
  char path[128];
  strcpy(path, scratch("a.db"));
  linked_store(&service, path);
  for (int number = 0; number < 30; number++) friend_writes(&service, number);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    whimbrel_event_handler handler = {NULL, leave_after_twenty, released};
    whimbrel_client_options options = {.struct_size = sizeof options, .store_path = text(path)};
    whimbrel_client *client;
    OK(whimbrel_client_open(engine_for(&service), &options, handler, &client));
    for (;;) pause();
  }
  for (int number = 30; number < 60; number++) friend_writes(&service, number);
  ended_in_order(child);
  sandbox_stop(&service);
}

/* Tells each journaled event on standard output, then acknowledges it. */
static void receive(const sandbox *service, const char *path, int output) {
  whimbrel_event_handler handler;
  whimbrel_queue *queue;
  whimbrel_client *client;
  whimbrel_client_options options = {.struct_size = sizeof options, .store_path = text(path), .manual_acknowledge = 1};
  FILE *lines = fdopen(output, "w");
  CHECK(lines);
  OK(whimbrel_queue_new(&handler, &queue));
  OK(whimbrel_client_open(engine_for(service), &options, handler, &client));
  for (;;) {
    whimbrel_batch *batch;
    OK(whimbrel_queue_wait(queue, SOON_MS, &batch));
    CHECK(batch);
    for (size_t i = 0; i < whimbrel_batch_count(batch); i++) {
      const whimbrel_event *event = whimbrel_batch_event(batch, i);
      if (!whimbrel_event_sequence(event)) continue;
      whimbrel_str id = whimbrel_event_id(event), words = whimbrel_event_text(event);
      int flood = -1;
      if (words.ptr) sscanf((const char *)words.ptr, "flood %d", &flood);
      fprintf(lines, "%llu %.*s %d\n", (unsigned long long)whimbrel_event_sequence(event), (int)id.len,
              (const char *)id.ptr, flood);
      fflush(lines);
      OK(whimbrel_client_acknowledge(client, whimbrel_event_sequence(event)));
    }
    whimbrel_batch_free(batch);
  }
}

/* Killed again and again while it receives: every event comes, with one id, without gaps, and texts in order. */
void test_kills_in_a_flood(void) {
  enum { TEXTS = 60, EVENTS = 2048, RUNS = 60 };
  static char ids[EVENTS][96];
  static int texts[EVENTS];
  sandbox service;
  sandbox_start(&service);
  char path[128];
  strcpy(path, scratch("a.db"));
  linked_store(&service, path);
  int written = 0, got = 0;
  unsigned long long last = 0;
  for (int run = 0; got < TEXTS; run++) {
    CHECK(run < RUNS);
    for (int more = 0; more < 10 && written < TEXTS; more++) friend_writes(&service, written++);
    int output[2];
    CHECK(pipe(output) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      close(output[0]);
      receive(&service, path, output[1]);
    }
    close(output[1]);
    FILE *lines = fdopen(output[0], "r");
    char line[256];
    for (int seen = 0; fgets(line, sizeof line, lines) && strchr(line, '\n'); seen++) {
      unsigned long long sequence;
      char id[96];
      int flood;
      CHECK(sscanf(line, "%llu %95s %d", &sequence, id, &flood) == 3 && sequence < EVENTS);
      if (!*ids[sequence]) {
        /* No gaps, and no event before those that it follows; linking has taken the first ones. */
        CHECK(!last || sequence == last + 1);
        last = sequence;
        strcpy(ids[sequence], id);
        texts[sequence] = flood;
        if (flood >= 0) CHECK(flood == got++);
      }
      CHECK(strcmp(ids[sequence], id) == 0 && texts[sequence] == flood);
      if (seen == 2 + 2 * run || got == TEXTS) kill(child, SIGKILL);
    }
    fclose(lines);
    int status = status_of(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }
  sandbox_stop(&service);
}
