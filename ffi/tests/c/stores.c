/* Stores and services that are not as they should be: each has its code. */
#include "tests.h"

#include <string.h>

static whimbrel_code open_code(const whimbrel_engine *engine, const char *path) {
  inbox *box = inbox_new();
  whimbrel_client_options options = {.struct_size = sizeof options, .store_path = text(path), .manual_start = 1};
  whimbrel_client *client;
  whimbrel_error *error = whimbrel_client_open(engine, &options, inbox_handler(box), &client);
  whimbrel_code code = whimbrel_error_code(error);
  CHECK(!error == !!client);
  whimbrel_error_free(error);
  whimbrel_client_free(client);
  CHECK(inbox_released(box) == 1);
  inbox_free(box);
  return code;
}

void test_stores(void) {
  whimbrel_engine *engine = engine_for(NULL);
  CHECK(open_code(engine, "/nonexistent/folder/a.db") == WHIMBREL_CODE_STORE_FAILED);

  char path[128];
  strcpy(path, scratch("corrupt.db"));
  FILE *file = fopen(path, "wb");
  CHECK(file);
  for (int i = 0; i < 1000; i++) fputs("this is no store ", file);
  fclose(file);
  CHECK(open_code(engine, path) == WHIMBREL_CODE_STORE_CORRUPT);

  strcpy(path, scratch("good.db"));
  CHECK(open_code(engine, path) == WHIMBREL_CODE_OK);
  CHECK(open_code(engine, path) == WHIMBREL_CODE_OK);
  inbox *box = inbox_new();
  whimbrel_client *client = client_open(engine, path, box, 0);
  CHECK(open_code(engine, path) == WHIMBREL_CODE_STORE_LOCKED);
  whimbrel_client_free(client);
  inbox_free(box);

  /* The number of the layout is at byte 60 of the file; this one is from the future. */
  file = fopen(path, "r+b");
  CHECK(file && fseek(file, 60, SEEK_SET) == 0 && fwrite("\x7f\xff\xff\xff", 4, 1, file) == 1);
  fclose(file);
  CHECK(open_code(engine, path) == WHIMBREL_CODE_STORE_TOO_NEW);
  whimbrel_engine_free(engine);
}

/* A call ends with this code on an engine of these options. */
#define CALL_ENDS(code, ...) call_ends(__LINE__, (code), __VA_ARGS__)

static void call_ends(int line, whimbrel_code code, const whimbrel_engine_options *options, const char *operation,
                      const char *request, uint32_t timeout_ms) {
  whimbrel_engine *engine;
  inbox *box = inbox_new();
  OK(whimbrel_engine_new(options, &engine));
  whimbrel_client *client = client_open(engine, ":memory:", box, 0);
  whimbrel_call_options brief = {.struct_size = sizeof brief, .timeout_ms = timeout_ms};
  whimbrel_buffer answer;
  expect(__FILE__, line, code, whimbrel_client_call(client, text(operation), text(request), &brief, &answer));
  whimbrel_buffer_free(&answer);
  whimbrel_client_free(client);
  whimbrel_engine_free(engine);
  inbox_free(box);
}

void test_services(void) {
  sandbox service;
  sandbox_start(&service);
  free(sandbox_request(&service, "POST", "/phones", "{\"phone\":\"15550002\"}"));
  whimbrel_engine_options options = {.struct_size = sizeof options, .url = text(service.ws)};
  uint8_t key[32];
  for (size_t i = 0; i < sizeof key; i++) {
    unsigned byte = 0;
    CHECK(sscanf(service.key + 2 * i, "%2x", &byte) == 1);
    key[i] = (uint8_t)byte;
  }
  options.noise_root_key.ptr = key;
  options.noise_root_key.len = sizeof key;
  const char *code = "link_with_code";
  CALL_ENDS(WHIMBREL_CODE_OK, &options, "link_with_qr", "", SOON_MS);
  CALL_ENDS(WHIMBREL_CODE_OK, &options, code, "{\"phone\":\"15550002\"}", SOON_MS);
  CALL_ENDS(WHIMBREL_CODE_INVALID_ARGUMENT, &options, code, "{\"phone\":\"call me\"}", SOON_MS);
  CALL_ENDS(WHIMBREL_CODE_INVALID_ARGUMENT, &options, code, "{\"phone\":\"12\"}", SOON_MS);
  CALL_ENDS(WHIMBREL_CODE_NOT_LINKED, &options, "connect", "", SOON_MS);
  CALL_ENDS(WHIMBREL_CODE_NOT_LINKED, &options, "get_account", "", SOON_MS);
  CALL_ENDS(WHIMBREL_CODE_NOT_LINKED, &options, "logout", "", SOON_MS);
  CALL_ENDS(WHIMBREL_CODE_NOT_LINKED, &options, "send_text", "{\"chat\":\"15550002\",\"text\":\"hi\"}", SOON_MS);

  /* TLS by the sandbox's own authority: with it, and without. */
  options.url = text(service.wss);
  options.extra_ca_pem = text(service.ca);
  CALL_ENDS(WHIMBREL_CODE_OK, &options, "link_with_qr", "", SOON_MS);
  options.extra_ca_pem = text(NULL);
  CALL_ENDS(WHIMBREL_CODE_UNTRUSTED_SERVER, &options, "link_with_qr", "", SOON_MS);

  /* Another root of the Noise certificate. */
  options.url = text(service.ws);
  key[0] ^= 1;
  CALL_ENDS(WHIMBREL_CODE_UNTRUSTED_SERVER, &options, "link_with_qr", "", SOON_MS);

  options.url = text("ws://127.0.0.1:1/ws/chat");
  CALL_ENDS(WHIMBREL_CODE_CONNECT_FAILED, &options, "link_with_qr", "", 1000);
  sandbox_stop(&service);
}
