/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every fuzz target offers, and main.c or libFuzzer calls. A target states
 * what must hold with must(), which aborts. Files that once broke it go to
 * regression/<target>/, seeds to corpus/<target>/.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#endif
