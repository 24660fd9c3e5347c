/* What the tests need besides the library: checks, an inbox of events, awaited replies, and the
 * sandbox with its control API. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include <whimbrel.h>

#define CHECK(condition)                                                            \
  ((condition) ? (void)0                                                            \
               : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition),   \
                  exit(1)))

/* The call fails with this code, WHIMBREL_CODE_OK being success. */
#define EXPECT(code, call) expect(__FILE__, __LINE__, (code), (call))
#define OK(call) EXPECT(WHIMBREL_CODE_OK, call)

/* How long to wait for what should happen at once. */
#define SOON_MS 30000

void expect(const char *file, int line, whimbrel_code code, whimbrel_error *error);

whimbrel_str text(const char *string);
int equal(whimbrel_str str, const char *string);
/* A copy with NUL behind it, for free(). */
char *copy(whimbrel_str str);
/* The value of the first member of that name, which is a string or a number; for free(). */
char *member(const char *json, const char *name);

/* Keeps events, and counts the releases of its handler. */
typedef struct {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  whimbrel_event *events[4096];
  size_t count, next;
  int released;
} inbox;

inbox *inbox_new(void);
void inbox_free(inbox *box);
whimbrel_event_handler inbox_handler(inbox *box);
/* The next event of that kind, skipping others; exits when it does not come. */
const whimbrel_event *inbox_wait(inbox *box, uint32_t kind);
int inbox_released(inbox *box);

/* Waits for a reply and keeps what it says. */
typedef struct {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int called, released;
  whimbrel_code code;
  whimbrel_outcome outcome;
  char *json, *message_id;
  uint8_t *bytes;
  size_t bytes_length;
} awaited;

void awaited_init(awaited *reply);
whimbrel_reply_handler awaited_handler(awaited *reply);
void awaited_wait(awaited *reply);
void awaited_clear(awaited *reply);

/* The service's side, as a program. */
typedef struct {
  pid_t process;
  int input;
  char *ws, *wss, *key, *ca, *control;
} sandbox;

void sandbox_start(sandbox *box);
void sandbox_stop(sandbox *box);
/* The body of the answer, for free(); exits unless the status is a success. */
char *sandbox_request(const sandbox *box, const char *method, const char *path, const char *body);

/* An engine for a sandbox; null: an engine whose service cannot be reached. */
whimbrel_engine *engine_for(const sandbox *box);
whimbrel_client *client_open(const whimbrel_engine *engine, const char *path, inbox *box, int start);
/* A client linked to the phone, and online. */
whimbrel_client *client_linked(const sandbox *service, const whimbrel_engine *engine, const char *path,
                               inbox *box, const char *phone);

/* A path that does not exist yet, in a folder that ends with the process. */
const char *scratch(const char *name);

#endif
