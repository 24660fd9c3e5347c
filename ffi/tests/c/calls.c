/* What needs no service: versions, arguments, calls, replies, callbacks. */
#include "tests.h"

#include <dirent.h>
#include <sched.h>
#include <string.h>

void test_versions_and_memory(void) {
  whimbrel_version_info version = whimbrel_version();
  CHECK(version.abi == WHIMBREL_ABI_VERSION && version.text.len > 0);

  whimbrel_buffer drawing;
  OK(whimbrel_qr_text(text("2@abc,def,ghi,jkl"), &drawing));
  CHECK(drawing.len > 100 && drawing.ptr[drawing.len] == 0);
  CHECK(strstr((const char *)drawing.ptr, "\xe2\x96\x84"));
  whimbrel_buffer_free(&drawing);
  CHECK(!drawing.ptr && !drawing.len);
  whimbrel_buffer_free(&drawing);
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_qr_text(text(NULL), &drawing));
  CHECK(!drawing.ptr);

  /* Null is success everywhere, and nothing to free. */
  CHECK(whimbrel_error_code(NULL) == WHIMBREL_CODE_OK);
  whimbrel_error_free(NULL), whimbrel_engine_free(NULL), whimbrel_client_free(NULL);
  whimbrel_event_free(NULL), whimbrel_queue_free(NULL), whimbrel_batch_free(NULL);
  CHECK(whimbrel_event_kind(NULL) == 0 && !whimbrel_event_json(NULL).ptr);
}

void test_wrong_arguments(void) {
  whimbrel_engine *engine = (whimbrel_engine *)1;
  whimbrel_engine_options options = {.struct_size = sizeof options};
  options.url = text("http://127.0.0.1/");
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_engine_new(&options, &engine));
  CHECK(!engine);
  options.url = text("ws://192.0.2.1/"); /* plain, and not loopback */
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_engine_new(&options, &engine));
  options.url = text(NULL);
  options.noise_root_key.ptr = (const uint8_t *)"short";
  options.noise_root_key.len = 5;
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_engine_new(&options, &engine));
  options.noise_root_key.ptr = NULL, options.noise_root_key.len = 0;
  options.extra_ca_pem = text("no certificate");
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_engine_new(&options, &engine));
  options.extra_ca_pem = text(NULL);
  options.struct_size = 3;
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_engine_new(&options, &engine));
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_engine_new(NULL, NULL));

  /* A program built with a newer header, which has a further field. */
  struct {
    whimbrel_engine_options known;
    uint64_t further;
  } newer = {{.struct_size = sizeof newer}, 0};
  OK(whimbrel_engine_new(&newer.known, &engine));
  whimbrel_engine_free(engine);
  newer.further = 1;
  EXPECT(WHIMBREL_CODE_UNKNOWN_FIELD_SET, whimbrel_engine_new(&newer.known, &engine));

  engine = engine_for(NULL);
  inbox *box = inbox_new();
  whimbrel_client *client;
  whimbrel_client_options client_options = {.struct_size = sizeof client_options};
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_client_open(engine, &client_options, inbox_handler(box), &client));
  client_options.store_path = text(":memory:");
  client_options.manual_start = 2;
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_client_open(engine, &client_options, inbox_handler(box), &client));
  client_options.manual_start = 1;
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_client_open(NULL, &client_options, inbox_handler(box), &client));
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_client_open(engine, &client_options, inbox_handler(box), NULL));
  /* Handlers are taken, whatever is returned. */
  CHECK(inbox_released(box) == 4 && !client);
  whimbrel_engine_free(engine);
  inbox_free(box);
}

void test_calls(void) {
  whimbrel_engine *engine = engine_for(NULL);
  inbox *box = inbox_new();
  whimbrel_client *client = client_open(engine, ":memory:", box, 0);
  const char *echo = "{\"text\":\"a\\u0000\xf0\x9f\x98\x80\",\"number\":9007199254740992,"
                     "\"large\":\"18446744073709551615\",\"flag\":true,\"nested\":[[1],[],[-2,3]],"
                     "\"nothing\":null,\"choice\":\"second\"}";
  whimbrel_buffer answer;
  OK(whimbrel_client_call(client, text("debug_echo"), text(echo), NULL, &answer));
  CHECK(strcmp((const char *)answer.ptr, echo) == 0);
  whimbrel_buffer_free(&answer);

  awaited reply;
  uint64_t call = 0;
  awaited_init(&reply);
  OK(whimbrel_client_request(client, text("debug_echo"), text(echo), NULL, awaited_handler(&reply), &call));
  awaited_wait(&reply);
  CHECK(call != 0 && reply.code == WHIMBREL_CODE_OK && strcmp(reply.json, echo) == 0);
  awaited_clear(&reply);

  EXPECT(WHIMBREL_CODE_RATE_LIMITED,
         whimbrel_client_call(client, text("debug_fail"), text("{\"code\":303}"), NULL, &answer));
  CHECK(!answer.ptr);
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT,
         whimbrel_client_call(client, text("debug_fail"), text("{\"cod\":303}"), NULL, &answer));
  EXPECT(WHIMBREL_CODE_UNKNOWN_OPERATION, whimbrel_client_call(client, text("sendtext"), text(""), NULL, &answer));

  /* What fails to begin has no reply. */
  awaited_init(&reply);
  EXPECT(WHIMBREL_CODE_UNKNOWN_OPERATION,
         whimbrel_client_request(client, text("sendtext"), text(""), NULL, awaited_handler(&reply), NULL));
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT,
         whimbrel_client_send_text(client, text("nobody"), text("hi"), NULL, awaited_handler(&reply), NULL));
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT,
         whimbrel_client_mark_read(client, text("15550001@s.whatsapp.net"), text(NULL), NULL, 0, NULL,
                                   awaited_handler(&reply), NULL));
  CHECK(reply.called == 0 && reply.released == 3);
  awaited_clear(&reply);

  /* Nothing can be reached here, so linking would wait for its deadline. */
  awaited_init(&reply);
  OK(whimbrel_client_request(client, text("link_with_qr"), text(""), NULL, awaited_handler(&reply), &call));
  OK(whimbrel_client_cancel(client, call));
  OK(whimbrel_client_cancel(client, call));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_CANCELLED);
  awaited_clear(&reply);

  /* A close ends what waits. */
  awaited_init(&reply);
  OK(whimbrel_client_request(client, text("link_with_qr"), text(""), NULL, awaited_handler(&reply), NULL));
  OK(whimbrel_client_close(client, 0));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_CANCELLED || reply.code == WHIMBREL_CODE_CLOSED);
  awaited_clear(&reply);
  inbox_wait(box, WHIMBREL_KIND_CLOSED);
  CHECK(inbox_released(box) == 1);

  EXPECT(WHIMBREL_CODE_CLOSED, whimbrel_client_call(client, text("debug_echo"), text(echo), NULL, &answer));
  EXPECT(WHIMBREL_CODE_CLOSED, whimbrel_client_acknowledge(client, 1));
  OK(whimbrel_client_close(client, 0));
  OK(whimbrel_engine_close(engine, 0));
  OK(whimbrel_engine_close(engine, 0));
  whimbrel_engine_free(engine);
  whimbrel_client_free(client);
  inbox_free(box);
}

struct within {
  whimbrel_engine *engine;
  whimbrel_client *client;
  whimbrel_code call, close, engine_close;
  awaited later;
  int free_too;
};

static whimbrel_code code_of(whimbrel_error *error) {
  whimbrel_code code = whimbrel_error_code(error);
  whimbrel_error_free(error);
  return code;
}

static void within_reply(void *user_data, const whimbrel_reply *reply) {
  struct within *within = user_data;
  whimbrel_buffer answer;
  (void)reply;
  within->call = code_of(whimbrel_client_call(within->client, text("get_connection"), text(""), NULL, &answer));
  within->close = code_of(whimbrel_client_close(within->client, 0));
  within->engine_close = code_of(whimbrel_engine_close(within->engine, 0));
  /* What does not block is allowed. */
  OK(whimbrel_client_request(within->client, text("get_connection"), text(""), NULL,
                             awaited_handler(&within->later), NULL));
  if (within->free_too) whimbrel_client_free(within->client), whimbrel_engine_free(within->engine);
}

static int threads(void) {
  int count = 0;
  DIR *tasks = opendir("/proc/self/task");
  CHECK(tasks);
  for (struct dirent *entry; (entry = readdir(tasks));) count += entry->d_name[0] != '.';
  closedir(tasks);
  return count;
}

void test_calls_from_callbacks(void) {
  for (int free_too = 0; free_too < 2; free_too++) {
    inbox *box = inbox_new();
    struct within within = {.engine = engine_for(NULL), .free_too = free_too};
    within.client = client_open(within.engine, ":memory:", box, 0);
    awaited_init(&within.later);
    whimbrel_reply_handler handler = {&within, within_reply, NULL};
    OK(whimbrel_client_request(within.client, text("get_connection"), text(""), NULL, handler, NULL));
    awaited_wait(&within.later);
    CHECK(within.call == WHIMBREL_CODE_WOULD_DEADLOCK);
    CHECK(within.close == WHIMBREL_CODE_WOULD_DEADLOCK && within.engine_close == WHIMBREL_CODE_WOULD_DEADLOCK);
    /* Freed in the callback, the client closes all the same. */
    if (free_too) {
      inbox_wait(box, WHIMBREL_KIND_CLOSED);
      /* The engine ends last, with all of its threads. */
      while (threads() > 1) sched_yield();
      CHECK(inbox_released(box) == 1);
    } else {
      whimbrel_client_free(within.client), whimbrel_engine_free(within.engine);
      CHECK(inbox_released(box) == 1);
    }
    awaited_clear(&within.later);
    inbox_free(box);
  }
}

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static int log_lines, log_released;

static void log_line(void *user_data, uint32_t level, whimbrel_str target, whimbrel_str message) {
  CHECK(user_data == &log_lines && level >= WHIMBREL_LEVEL_ERROR && level <= WHIMBREL_LEVEL_TRACE);
  CHECK(target.len > 0 && message.ptr);
  pthread_mutex_lock(&log_mutex);
  log_lines++;
  pthread_mutex_unlock(&log_mutex);
}

static void log_release(void *user_data) {
  CHECK(user_data == &log_lines);
  log_released++;
}

void test_log(void) {
  whimbrel_log_handler handler = {&log_lines, log_line, log_release}, none = {NULL, NULL, NULL};
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_log_set(6, handler));
  CHECK(log_released == 1);
  OK(whimbrel_log_set(WHIMBREL_LEVEL_TRACE, handler));
  whimbrel_engine *engine = engine_for(NULL);
  inbox *box = inbox_new();
  whimbrel_client *client = client_open(engine, ":memory:", box, 0);
  whimbrel_buffer answer;
  whimbrel_call_options brief = {.struct_size = sizeof brief, .timeout_ms = 3000};
  EXPECT(WHIMBREL_CODE_CONNECT_FAILED,
         whimbrel_client_call(client, text("link_with_qr"), text(""), &brief, &answer));
  whimbrel_client_free(client);
  whimbrel_engine_free(engine);
  OK(whimbrel_log_set(WHIMBREL_LEVEL_OFF, none));
  CHECK(log_released == 2 && log_lines > 0);
  inbox_free(box);
}
