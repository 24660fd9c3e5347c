/* Where a sandbox is: for examples and tests, instead of the real service. */
#ifndef EXAMPLE_SANDBOX_H
#define EXAMPLE_SANDBOX_H

#include <stdio.h>
#include <string.h>

#include <whimbrel.h>

#include "json.h"

/* Directs the engine to the sandbox whose ready line is in the file at `path`; returns 0 if it is not.
 * What the options borrow lies in static places. */
static inline int use_sandbox(const char *path, whimbrel_engine_options *options) {
  static char line[16384];
  static uint8_t key[32];
  static char ca[8192];
  FILE *file = fopen(path, "r");
  const char *serial = file && fgets(line, sizeof line, file) ? strstr(line, "\"serial\":") : NULL;
  if (file) fclose(file);
  whimbrel_str hex = json_find(line, "publicKey");
  if (!serial || hex.len != 2 * sizeof key) return 0;
  for (size_t i = 0; i < sizeof key; i++) {
    if (sscanf((const char *)hex.ptr + 2 * i, "%2hhx", &key[i]) != 1) return 0;
  }
  options->url = json_find(line, "ws");
  options->noise_root_key.ptr = key;
  options->noise_root_key.len = sizeof key;
  /* Whom to trust for its files; the line breaks are escaped. */
  whimbrel_str pem = json_find(line, "caPem");
  size_t length = 0;
  for (size_t i = 0; i < pem.len && length < sizeof ca; i++) {
    int escaped = pem.ptr[i] == '\\';
    ca[length++] = escaped ? '\n' : (char)pem.ptr[i];
    i += (size_t)escaped;
  }
  options->extra_ca_pem.ptr = (const uint8_t *)ca;
  options->extra_ca_pem.len = length;
  return sscanf(serial, "\"serial\":%u", &options->noise_root_serial) == 1;
}

#endif
