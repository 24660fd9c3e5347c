/* A linked client: messages and receipts both ways. */
#include "tests.h"

#include <string.h>

#define PHONE "15550001"
#define FRIEND "15550002"

/* The friend writes; its chat is where answers go. */
static void friend_writes(const sandbox *service, const char *words) {
  char body[256];
  snprintf(body, sizeof body, "{\"to\":\"" PHONE "@s.whatsapp.net\",\"text\":\"%s\"}", words);
  free(sandbox_request(service, "POST", "/phones/" FRIEND "/send", body));
}

static whimbrel_message_view message_of(const whimbrel_event *event) {
  whimbrel_message_view message = {.struct_size = sizeof message};
  CHECK(whimbrel_event_message(event, &message) == 1 && message.struct_size == sizeof message);
  return message;
}

static void friend_got(const sandbox *service, unsigned after, const char *words) {
  char path[128];
  snprintf(path, sizeof path, "/phones/" FRIEND "/messages?after=%u&wait_ms=%d", after, SOON_MS);
  char *messages = sandbox_request(service, "GET", path, "");
  if (!strstr(messages, words)) fprintf(stderr, "%s\n", messages);
  CHECK(strstr(messages, words));
  free(messages);
}

void test_conversation(void) {
  sandbox service;
  sandbox_start(&service);
  free(sandbox_request(&service, "POST", "/phones", "{\"phone\":\"" FRIEND "\",\"name\":\"Friend\"}"));
  whimbrel_engine *engine = engine_for(&service);
  inbox *box = inbox_new();
  whimbrel_client *client = client_linked(&service, engine, scratch("a.db"), box, PHONE);

  whimbrel_buffer answer;
  OK(whimbrel_client_call(client, text("get_account"), text(""), NULL, &answer));
  CHECK(strstr((const char *)answer.ptr, PHONE));
  whimbrel_buffer_free(&answer);

  friend_writes(&service, "hello there");
  const whimbrel_event *event = inbox_wait(box, WHIMBREL_KIND_MESSAGE);
  whimbrel_message_view message = message_of(event);
  CHECK(equal(message.text, "hello there") && equal(whimbrel_event_text(event), "hello there"));
  CHECK(!message.from_me && message.sender_device == 0 && message.timestamp > 0 && message.raw.len > 0);
  CHECK(whimbrel_event_sequence(event) > 0 && whimbrel_event_id(event).len > 0);
  CHECK(whimbrel_event_raw(event).ptr == message.raw.ptr);
  char *json = copy(whimbrel_event_json(event));
  char *kind = member(json, "kind");
  CHECK(strcmp(kind, "message") == 0 && strstr(json, "hello there"));
  free(kind), free(json);
  whimbrel_receipt_view receipt = {.struct_size = sizeof receipt};
  CHECK(whimbrel_event_receipt(event, &receipt) == 0);
  /* A program built with an older header sees its part of the view. */
  whimbrel_message_view small = {.struct_size = sizeof small - 1};
  CHECK(whimbrel_event_message(event, &small) == 0);

  awaited reply;
  awaited_init(&reply);
  OK(whimbrel_client_send_text(client, message.chat, text("an \xf0\x9f\x90\xa6 answer"), NULL, awaited_handler(&reply), NULL));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_OK && reply.message_id && *reply.message_id);
  friend_got(&service, 0, "an \xf0\x9f\x90\xa6 answer");

  /* The friend's phone says that it has the message. */
  do {
    CHECK(whimbrel_event_receipt(inbox_wait(box, WHIMBREL_KIND_RECEIPT), &receipt) == 1);
    CHECK(receipt.message_count >= 1);
  } while (!equal(receipt.message_ids[0], reply.message_id));
  CHECK(receipt.receipt == WHIMBREL_RECEIPT_DELIVERED);

  /* The same id again is no second message; a quote names the first one. */
  whimbrel_send_options options = {.struct_size = sizeof options, .message_id = text(reply.message_id)};
  awaited again;
  awaited_init(&again);
  OK(whimbrel_client_send_text(client, message.chat, text("an \xf0\x9f\x90\xa6 answer"), &options, awaited_handler(&again), NULL));
  awaited_wait(&again);
  CHECK(again.code == WHIMBREL_CODE_OK && strcmp(again.message_id, reply.message_id) == 0);
  awaited_clear(&again), awaited_clear(&reply);

  whimbrel_send_options quote = {.struct_size = sizeof quote, .quote_message_id = message.message_id};
  awaited_init(&reply);
  OK(whimbrel_client_send_text(client, message.chat, text("quoting"), &quote, awaited_handler(&reply), NULL));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_OK);
  awaited_clear(&reply);
  friend_got(&service, 1, "quoting");

  awaited_init(&reply);
  OK(whimbrel_client_mark_read(client, message.chat, text(NULL), &message.message_id, 1, NULL, awaited_handler(&reply), NULL));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_OK && strcmp(reply.json, "{}") == 0);
  awaited_clear(&reply);

  /* Until a device of the friend has it; and, while away, until it is durable. */
  whimbrel_send_options until = {.struct_size = sizeof until, .wait = 2};
  awaited_init(&reply);
  OK(whimbrel_client_send_text(client, message.chat, text("delivered"), &until, awaited_handler(&reply), NULL));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_OK);
  awaited_clear(&reply);
  OK(whimbrel_client_call(client, text("disconnect"), text(""), NULL, &answer));
  whimbrel_buffer_free(&answer);
  until.wait = 1;
  awaited_init(&reply);
  OK(whimbrel_client_send_text(client, message.chat, text("queued"), &until, awaited_handler(&reply), NULL));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_OK);
  awaited_clear(&reply);
  uint64_t call = 0;
  awaited_init(&reply);
  OK(whimbrel_client_send_text(client, message.chat, text("taken back"), NULL, awaited_handler(&reply), &call));
  OK(whimbrel_client_cancel(client, call));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_CANCELLED && reply.outcome == WHIMBREL_OUTCOME_NOT_SENT);
  awaited_clear(&reply);
  OK(whimbrel_client_call(client, text("connect"), text(""), NULL, &answer));
  whimbrel_buffer_free(&answer);
  awaited_init(&reply);
  OK(whimbrel_client_send_text(client, message.chat, text("last"), NULL, awaited_handler(&reply), NULL));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_OK);
  awaited_clear(&reply);
  friend_got(&service, 4, "last");
  char *all = sandbox_request(&service, "GET", "/phones/" FRIEND "/messages", "");
  CHECK(strstr(all, "queued") && !strstr(all, "taken back"));
  free(all);

  char *violations = sandbox_request(&service, "GET", "/violations", "");
  CHECK(strstr(violations, "[]"));
  free(violations);
  whimbrel_client_free(client);
  inbox_wait(box, WHIMBREL_KIND_CLOSED);
  CHECK(inbox_released(box) == 1);
  whimbrel_engine_free(engine);
  inbox_free(box);
  sandbox_stop(&service);
}

/* Opens the client for manual acknowledgement and waits for a message of that text. */
static whimbrel_client *open_manual(const whimbrel_engine *engine, const char *path, inbox *box) {
  whimbrel_client_options options = {.struct_size = sizeof options, .store_path = text(path), .manual_acknowledge = 1};
  whimbrel_client *client;
  OK(whimbrel_client_open(engine, &options, inbox_handler(box), &client));
  return client;
}

void test_manual_acknowledgement(void) {
  sandbox service;
  sandbox_start(&service);
  free(sandbox_request(&service, "POST", "/phones", "{\"phone\":\"" FRIEND "\"}"));
  whimbrel_engine *engine = engine_for(&service);
  char path[128];
  strcpy(path, scratch("a.db"));
  inbox *box = inbox_new();
  whimbrel_client_free(client_linked(&service, engine, path, box, PHONE));
  inbox_free(box);

  box = inbox_new();
  whimbrel_client *client = open_manual(engine, path, box);
  friend_writes(&service, "first");
  friend_writes(&service, "second");
  const whimbrel_event *first = inbox_wait(box, WHIMBREL_KIND_MESSAGE);
  const whimbrel_event *second = inbox_wait(box, WHIMBREL_KIND_MESSAGE);
  CHECK(equal(whimbrel_event_text(first), "first") && equal(whimbrel_event_text(second), "second"));
  OK(whimbrel_client_acknowledge(client, whimbrel_event_sequence(first)));
  whimbrel_client_free(client);

  /* What was not acknowledged comes again, under the same id. */
  inbox *later = inbox_new();
  client = open_manual(engine, path, later);
  const whimbrel_event *repeated = inbox_wait(later, WHIMBREL_KIND_MESSAGE);
  char *id = copy(whimbrel_event_id(second));
  CHECK(equal(whimbrel_event_text(repeated), "second") && equal(whimbrel_event_id(repeated), id));
  CHECK(whimbrel_event_sequence(repeated) == whimbrel_event_sequence(second));
  free(id);
  OK(whimbrel_client_acknowledge(client, whimbrel_event_sequence(repeated)));
  whimbrel_client_free(client);
  whimbrel_engine_free(engine);
  inbox_free(box), inbox_free(later);
  sandbox_stop(&service);
}

void test_unlinked_by_the_phone(void) {
  sandbox service;
  sandbox_start(&service);
  whimbrel_engine *engine = engine_for(&service);
  inbox *box = inbox_new();
  whimbrel_client *client = client_linked(&service, engine, scratch("a.db"), box, PHONE);
  whimbrel_buffer answer;
  OK(whimbrel_client_call(client, text("get_account"), text(""), NULL, &answer));
  char *device = member((const char *)answer.ptr, "device");
  char body[64];
  snprintf(body, sizeof body, "{\"device\":%s}", device);
  free(device);
  whimbrel_buffer_free(&answer);
  free(sandbox_request(&service, "POST", "/phones/" PHONE "/unlink", body));
  inbox_wait(box, WHIMBREL_KIND_LOGGED_OUT);
  awaited reply;
  awaited_init(&reply);
  OK(whimbrel_client_send_text(client, text(FRIEND), text("too late"), NULL, awaited_handler(&reply), NULL));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_NOT_LINKED || reply.code == WHIMBREL_CODE_LOGGED_OUT);
  CHECK(reply.outcome == WHIMBREL_OUTCOME_NOT_SENT);
  awaited_clear(&reply);
  whimbrel_client_free(client);
  whimbrel_engine_free(engine);
  inbox_free(box);
  sandbox_stop(&service);
}
