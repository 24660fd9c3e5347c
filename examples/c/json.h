/* The little JSON that the examples need. A program that needs more brings a library. */
#ifndef EXAMPLE_JSON_H
#define EXAMPLE_JSON_H

#include <stdio.h>
#include <string.h>

#include <whimbrel.h>

struct json_member {
  const char *name;
  whimbrel_str value;
};

/* Prints one object with the member "event" and up to three others, as a line. */
static inline void json_print(const char *event, const struct json_member members[3]) {
  flockfile(stdout); /* Lines of several threads stay whole. */
  printf("{\"event\":\"%s\"", event);
  for (int i = 0; i < 3 && members[i].name; i++) {
    printf(",\"%s\":\"", members[i].name);
    for (size_t at = 0; at < members[i].value.len; at++) {
      unsigned char byte = members[i].value.ptr[at];
      printf(byte < ' ' || byte == '"' || byte == '\\' ? "\\u%04x" : "%c", byte);
    }
    putchar('"');
  }
  puts("}");
  funlockfile(stdout);
}

/* Adds text to `json`, which has room for `size` bytes, as a string of JSON; returns 0 if it does not
 * fit. */
static inline int json_string(char *json, size_t size, const char *text) {
  size_t at = strlen(json);
  for (at += (size_t)snprintf(json + at, size - at, "\""); *text && at + 8 < size; text++) {
    unsigned char byte = (unsigned char)*text;
    const char *form = byte < ' ' || byte == '"' || byte == '\\' ? "\\u%04x" : "%c";
    at += (size_t)snprintf(json + at, size - at, form, byte);
  }
  if (*text || at + 2 > size) return 0;
  snprintf(json + at, size - at, "\"");
  return 1;
}

/* Finds the first string of this name; for strings without escapes, such as addresses. */
static inline whimbrel_str json_find(const char *json, const char *name) {
  whimbrel_str value = {NULL, 0};
  char key[32];
  snprintf(key, sizeof key, "\"%s\":\"", name);
  const char *found = strstr(json, key);
  if (found) value.ptr = (const uint8_t *)found + strlen(key);
  if (found) value.len = strcspn(found + strlen(key), "\"");
  return value;
}

#endif
