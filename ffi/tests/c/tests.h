/* Every test: a name of ctest and a function. */
#ifndef TESTS_H
#define TESTS_H

#include "support.h"

void test_versions_and_memory(void);
void test_wrong_arguments(void);
void test_calls(void);
void test_calls_from_callbacks(void);
void test_log(void);
void test_stores(void);
void test_services(void);
void test_conversation(void);
void test_manual_acknowledgement(void);
void test_unlinked_by_the_phone(void);
void test_queue(void);
void test_fork(void);
void test_exit_with_a_live_engine(void);
void test_exit_from_a_callback(void);
void test_interrupted(void);
void test_exit_in_a_flood(void);
void test_kills_in_a_flood(void);
void test_thousand_clients(void);
void test_transfer(void);
void test_media(void);

#endif
