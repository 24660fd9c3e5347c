/* Moving links: in from an exported file, aside into a backup, out into a file. */
#include "tests.h"

#include <string.h>
#include <unistd.h>

static const char *const BIRDS = "eight wading birds";

static whimbrel_error *import(const whimbrel_engine *engine, const char *file, const char *passphrase,
                              const char *store, whimbrel_buffer *report) {
  char request[1024];
  int length = snprintf(request, sizeof request,
                        "{\"from\":\"export\",\"file\":\"%s\",\"passphrase\":\"%s\",\"store\":\"%s\"}", file,
                        passphrase, store);
  CHECK(length > 0 && (size_t)length < sizeof request);
  return whimbrel_engine_import(engine, text(request), report);
}

/* The code with which the store opens; what opens is device 7. */
static whimbrel_code open_code(const whimbrel_engine *engine, const char *path) {
  inbox *box = inbox_new();
  whimbrel_client_options options = {.struct_size = sizeof options, .store_path = text(path), .manual_start = 1};
  whimbrel_client *client;
  whimbrel_error *error = whimbrel_client_open(engine, &options, inbox_handler(box), &client);
  whimbrel_code code = whimbrel_error_code(error);
  if (client) {
    whimbrel_buffer answer;
    OK(whimbrel_client_call(client, text("get_account"), text(""), NULL, &answer));
    char *device = member((const char *)answer.ptr, "device");
    CHECK(strcmp(device, "7") == 0);
    free(device);
    whimbrel_buffer_free(&answer);
  }
  whimbrel_error_free(error);
  whimbrel_client_free(client);
  inbox_free(box);
  return code;
}

static whimbrel_error *call(const whimbrel_client *client, const char *operation, const char *path, const char *rest) {
  char request[512];
  int length = snprintf(request, sizeof request, "{\"path\":\"%s\"%s}", path, rest);
  CHECK(length > 0 && (size_t)length < sizeof request);
  whimbrel_buffer answer;
  whimbrel_error *error = whimbrel_client_call(client, text(operation), text(request), NULL, &answer);
  whimbrel_buffer_free(&answer);
  return error;
}

void test_transfer(void) {
  const char *kept = WHIMBREL_VECTORS "/export-1.whimbrel";
  char store[128], backup[128], file[128], other[128];
  strcpy(store, scratch("store.db"));
  strcpy(backup, scratch("backup.db"));
  strcpy(file, scratch("link.whimbrel"));
  strcpy(other, scratch("other.db"));
  whimbrel_engine *engine = engine_for(NULL);

  whimbrel_buffer report;
  EXPECT(WHIMBREL_CODE_WRONG_PASSPHRASE, import(engine, kept, "sesame", store, &report));
  CHECK(!report.ptr && access(store, F_OK) != 0);
  OK(import(engine, kept, BIRDS, store, &report));
  char *device = member((const char *)report.ptr, "device");
  CHECK(strcmp(device, "7") == 0);
  free(device);
  whimbrel_buffer_free(&report);

  EXPECT(WHIMBREL_CODE_IMPORT_REFUSED, import(engine, store, BIRDS, other, &report));
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_engine_import(engine, text("{\"from\":\"export\"}"), &report));
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_engine_import(engine, text(NULL), &report));
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, whimbrel_engine_import(engine, text("{}"), NULL));
  EXPECT(WHIMBREL_CODE_INVALID_ARGUMENT, import(NULL, kept, BIRDS, other, &report));
  CHECK(!report.ptr && access(other, F_OK) != 0);

  inbox *box = inbox_new();
  whimbrel_client *client = client_open(engine, store, box, 0);
  OK(call(client, "backup", backup, ""));
  EXPECT(WHIMBREL_CODE_FILE_EXISTS, call(client, "backup", backup, ""));
  OK(call(client, "export", file, ",\"passphrase\":\"sesame\""));
  /* It was a move: the client has closed. */
  inbox_wait(box, WHIMBREL_KIND_CLOSED);
  EXPECT(WHIMBREL_CODE_CLOSED, call(client, "backup", other, ""));
  whimbrel_buffer answer;
  EXPECT(WHIMBREL_CODE_CLOSED, whimbrel_client_call(client, text("get_account"), text("{}"), NULL, &answer));
  whimbrel_client_free(client);
  CHECK(inbox_released(box) == 1);
  inbox_free(box);
  CHECK(open_code(engine, store) == WHIMBREL_CODE_STORE_MOVED);
  CHECK(open_code(engine, backup) == WHIMBREL_CODE_OK);

  OK(import(engine, file, "sesame", other, &report));
  whimbrel_buffer_free(&report);
  CHECK(open_code(engine, other) == WHIMBREL_CODE_OK);
  whimbrel_engine_free(engine);
}
