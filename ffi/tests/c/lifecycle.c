/* Queues, forks, exits, and a thousand clients one after the other. */
#include "tests.h"

#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static whimbrel_client *open_with_queue(const whimbrel_engine *engine, whimbrel_queue **queue) {
  whimbrel_event_handler handler;
  whimbrel_client *client;
  whimbrel_client_options options = {.struct_size = sizeof options, .store_path = text(":memory:"), .manual_start = 1};
  OK(whimbrel_queue_new(&handler, queue));
  OK(whimbrel_client_open(engine, &options, handler, &client));
  return client;
}

static int readable(const whimbrel_queue *queue, int timeout_ms) {
  struct pollfd descriptor = {.fd = whimbrel_queue_fd(queue), .events = POLLIN};
  CHECK(descriptor.fd >= 0);
  return poll(&descriptor, 1, timeout_ms);
}

void test_queue(void) {
  whimbrel_engine *engine = engine_for(NULL);
  whimbrel_queue *queue;
  whimbrel_batch *batch = (whimbrel_batch *)1;
  whimbrel_client *client = open_with_queue(engine, &queue);

  /* Whatever the client says at its start is taken first. */
  do {
    whimbrel_batch_free(batch == (whimbrel_batch *)1 ? NULL : batch);
    OK(whimbrel_queue_wait(queue, 100, &batch));
  } while (batch);
  CHECK(readable(queue, 0) == 0);

  /* A linking that cannot succeed changes the state of the connection. */
  awaited reply;
  awaited_init(&reply);
  OK(whimbrel_client_request(client, text("link_with_qr"), text(""), NULL, awaited_handler(&reply), NULL));
  CHECK(readable(queue, SOON_MS) == 1);
  OK(whimbrel_queue_wait(queue, 0, &batch));
  CHECK(whimbrel_batch_count(batch) >= 1);
  CHECK(whimbrel_event_kind(whimbrel_batch_event(batch, 0)) == WHIMBREL_KIND_CONNECTION);
  CHECK(!whimbrel_batch_event(batch, whimbrel_batch_count(batch)));
  whimbrel_batch_free(batch);

  /* The thread that empties the queue may close the client: what is left waits for it. */
  OK(whimbrel_client_close(client, 0));
  awaited_wait(&reply);
  awaited_clear(&reply);
  uint32_t last = 0;
  for (;;) {
    CHECK(readable(queue, SOON_MS) == 1);
    whimbrel_error *error = whimbrel_queue_wait(queue, SOON_MS, &batch);
    if (error) {
      EXPECT(WHIMBREL_CODE_CLOSED, error);
      break;
    }
    CHECK(batch);
    last = whimbrel_event_kind(whimbrel_batch_event(batch, whimbrel_batch_count(batch) - 1));
    whimbrel_batch_free(batch);
  }
  CHECK(last == WHIMBREL_KIND_CLOSED);
  whimbrel_client_free(client);
  whimbrel_queue_free(queue);

  /* Freed first, a queue holds nobody up. */
  client = open_with_queue(engine, &queue);
  whimbrel_queue_free(queue);
  whimbrel_client_free(client);

  /* A handler that nobody takes is released by hand. */
  whimbrel_event_handler handler;
  OK(whimbrel_queue_new(&handler, &queue));
  handler.release(handler.user_data);
  EXPECT(WHIMBREL_CODE_CLOSED, whimbrel_queue_wait(queue, 0, &batch));
  whimbrel_queue_free(queue);
  whimbrel_engine_free(engine);
}

void test_fork(void) {
  whimbrel_engine *engine = engine_for(NULL);
  whimbrel_queue *queue;
  inbox *box = inbox_new();
  whimbrel_client *client = client_open(engine, ":memory:", box, 0), *queued = open_with_queue(engine, &queue);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    whimbrel_buffer answer;
    whimbrel_batch *batch;
    EXPECT(WHIMBREL_CODE_FORKED, whimbrel_client_call(client, text("get_connection"), text(""), NULL, &answer));
    EXPECT(WHIMBREL_CODE_FORKED, whimbrel_client_close(client, 0));
    EXPECT(WHIMBREL_CODE_FORKED, whimbrel_engine_close(engine, 0));
    EXPECT(WHIMBREL_CODE_FORKED, whimbrel_queue_wait(queue, SOON_MS, &batch));
    CHECK(whimbrel_queue_fd(queue) == -1);
    whimbrel_client_free(client), whimbrel_client_free(queued);
    whimbrel_engine_free(engine), whimbrel_queue_free(queue);
    /* New ones work. */
    engine = engine_for(NULL);
    box = inbox_new();
    client = client_open(engine, ":memory:", box, 0);
    OK(whimbrel_client_call(client, text("get_connection"), text(""), NULL, &answer));
    whimbrel_buffer_free(&answer);
    whimbrel_client_free(client), whimbrel_engine_free(engine);
    _exit(0);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  whimbrel_client_free(client), whimbrel_client_free(queued);
  whimbrel_queue_free(queue);
  whimbrel_engine_free(engine);
  inbox_free(box);
}

void test_exit_with_a_live_engine(void) {
  inbox *box = inbox_new();
  client_open(engine_for(NULL), ":memory:", box, 1);
  inbox_wait(box, WHIMBREL_KIND_CONNECTION);
}

static long resident_pages(void) {
  long size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file && fscanf(file, "%ld %ld", &size, &resident) == 2);
  fclose(file);
  return resident;
}

void test_thousand_clients(void) {
  whimbrel_engine *engine = engine_for(NULL);
  char path[128];
  strcpy(path, scratch("a.db"));
  long before = 0;
  for (int i = 0; i < 1000; i++) {
    /* By then all that is made once is made. */
    if (i == 200) before = resident_pages();
    inbox *box = inbox_new();
    whimbrel_client_options options = {.struct_size = sizeof options, .store_path = text(path)};
    whimbrel_client *client;
    options.manual_start = 1, options.skip_disk_sync = 1;
    OK(whimbrel_client_open(engine, &options, inbox_handler(box), &client));
    whimbrel_client_free(client);
    CHECK(inbox_released(box) == 1);
    inbox_free(box);
  }
  long grown = (resident_pages() - before) * sysconf(_SC_PAGESIZE);
  printf("800 clients grew the process by %ld bytes\n", grown);
  CHECK(grown < 2 << 20);
  whimbrel_engine_free(engine);
}
