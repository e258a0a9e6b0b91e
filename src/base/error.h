/*
 * Errors for people. A function that can refuse what a person or a file gave it takes a
 * `struct error *` and fills in one sentence that names the place ("news.eml:12: ...").
 * The caller prints it; nobody parses it.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/types.h"

#define ERROR_TEXT_MAX 512

struct error {
	char text[ERROR_TEXT_MAX];
};

/*
 * Writes the sentence (truncated at ERROR_TEXT_MAX - 1) and returns false, so that a refusal is
 * one statement: `return error_set(error, "%s:%u: ...", file, line)`. error may be NULL.
 */
bool error_set(struct error *error, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* As error_set, and adds ": " with the text of errno value `code`. */
bool error_set_errno(struct error *error, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "prefix: " before the text that is there; for callers that know the file. Returns false. */
bool error_prefix(struct error *error, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
