/* Files: up and down, from memory and from disk. */
#include "tests.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *reference_of(const char *json) {
  char *reference = member(json, "reference");
  CHECK(reference && strncmp(reference, "wmr1.", 5) == 0);
  return reference;
}

/* Uploads more than what stays in memory, with this folder for it. */
static whimbrel_code upload_over(const whimbrel_engine *engine, const char *store, const char *folder) {
  whimbrel_client_options options = {.struct_size = sizeof options, .store_path = text(store)};
  options.temporary_folder = text(folder);
  inbox *box = inbox_new();
  whimbrel_client *client = NULL;
  OK(whimbrel_client_open(engine, &options, inbox_handler(box), &client));
  whimbrel_buffer answer;
  OK(whimbrel_client_call(client, text("connect"), text("{}"), NULL, &answer));
  whimbrel_buffer_free(&answer);
  static const uint8_t zeros[1 << 20];
  whimbrel_bytes large = {zeros, sizeof zeros};
  awaited reply;
  awaited_init(&reply);
  OK(whimbrel_client_upload(client, large, text("{\"kind\":\"document\"}"), NULL, awaited_handler(&reply), NULL));
  awaited_wait(&reply);
  whimbrel_code code = reply.code;
  awaited_clear(&reply);
  whimbrel_client_free(client);
  inbox_free(box);
  return code;
}

void test_media(void) {
  sandbox service;
  sandbox_start(&service);
  whimbrel_engine *engine = engine_for(&service);
  inbox *box = inbox_new();
  whimbrel_client *client = client_linked(&service, engine, scratch("media.db"), box, "15550001");

  uint8_t bytes[70000];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 31 >> 3);
  whimbrel_bytes file = {bytes, sizeof bytes};
  const char *kind = "{\"kind\":\"image\",\"mimetype\":\"image/jpeg\",\"transfer\":\"up\"}";
  awaited reply;
  awaited_init(&reply);
  OK(whimbrel_client_upload(client, file, text(kind), NULL, awaited_handler(&reply), NULL));
  memset(bytes, 0, 1000);
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_OK && strstr(reply.json, "\"length\":70000"));
  char *reference = reference_of(reply.json);
  awaited_clear(&reply);
  inbox_wait(box, WHIMBREL_KIND_MEDIA_PROGRESS);

  char request[2048];
  snprintf(request, sizeof request, "{\"reference\":\"%s\"}", reference);
  awaited_init(&reply);
  OK(whimbrel_client_download(client, text(request), NULL, awaited_handler(&reply), NULL));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_OK && reply.bytes_length == sizeof bytes);
  /* It was copied before the call returned. */
  for (size_t i = 0; i < sizeof bytes; i++) CHECK(reply.bytes[i] == (uint8_t)(i * 31 >> 3));
  awaited_clear(&reply);

  /* The same by paths, and an empty file. */
  char path[512];
  snprintf(path, sizeof path, "%s", scratch("copy.jpg"));
  snprintf(request, sizeof request, "{\"reference\":\"%s\",\"path\":\"%s\"}", reference, path);
  whimbrel_buffer answer;
  OK(whimbrel_client_call(client, text("download_media"), text(request), NULL, &answer));
  CHECK(strstr((const char *)answer.ptr, "\"length\":70000"));
  whimbrel_buffer_free(&answer);
  free(reference);
  snprintf(request, sizeof request, "{\"kind\":\"document\",\"path\":\"%s\"}", path);
  OK(whimbrel_client_call(client, text("upload_media"), text(request), NULL, &answer));
  free(reference_of((const char *)answer.ptr));
  whimbrel_buffer_free(&answer);
  whimbrel_bytes empty = {NULL, 0};
  awaited_init(&reply);
  OK(whimbrel_client_upload(client, empty, text("{\"kind\":\"document\"}"), NULL, awaited_handler(&reply), NULL));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_OK && strstr(reply.json, "\"length\":0"));
  reference = reference_of(reply.json);
  awaited_clear(&reply);

  /* What is gone, and what is no request. */
  free(sandbox_request(&service, "POST", "/media/expire", "{}"));
  snprintf(request, sizeof request, "{\"reference\":\"%s\"}", reference);
  free(reference);
  awaited_init(&reply);
  OK(whimbrel_client_download(client, text(request), NULL, awaited_handler(&reply), NULL));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_MEDIA_GONE && reply.outcome == WHIMBREL_OUTCOME_NOT_SENT && !reply.bytes);
  awaited_clear(&reply);
  awaited_init(&reply);
  OK(whimbrel_client_upload(client, file, text("{\"kind\":\"song\"}"), NULL, awaited_handler(&reply), NULL));
  awaited_wait(&reply);
  CHECK(reply.code == WHIMBREL_CODE_INVALID_ARGUMENT);
  awaited_clear(&reply);

  whimbrel_client_free(client);
  inbox_free(box);
  const char *store = scratch("media.db"), *folder = scratch("temporary");
  CHECK(upload_over(engine, store, folder) == WHIMBREL_CODE_FILE_FAILED);
  CHECK(mkdir(folder, 0700) == 0);
  CHECK(upload_over(engine, store, folder) == WHIMBREL_CODE_OK);
  /* Nothing stays there. */
  CHECK(rmdir(folder) == 0);
  whimbrel_engine_free(engine);
  sandbox_stop(&service);
}
