/*
 * Fields of forms: application/x-www-form-urlencoded (WHATWG URL, section 5.1), from a body or from
 * the query of a URL, and what multipart bodies have besides files. Names and values are UTF-8
 * without NUL, or the form is bad. Memory: at most FORM_BYTES_MAX, owned by the form; slices live
 * as long as it does and no field is added.
 */
#ifndef WEB_FORM_H
#define WEB_FORM_H

#include "base/buf.h"
#include "base/types.h"

#define FORM_FIELDS_MAX 512
#define FORM_BYTES_MAX (2u << 20)

struct form_field {
	u32 name_at, name_len;
	u32 value_at, value_len;
};

struct form {
	struct buf bytes;
	struct form_field fields[FORM_FIELDS_MAX];
	u32 count;
};

enum form_result {
	FORM_OK,
	FORM_BAD, /* not encoded as said, not UTF-8, or a NUL */
	FORM_TOO_MUCH, /* of fields or bytes */
	FORM_NO_MEMORY,
};

void form_init(struct form *form);
void form_done(struct form *form);
/* Adds what an encoded text has. */
enum form_result form_parse(struct form *form, struct slice text) MUST_CHECK;
/* Adds a field, as it is. */
enum form_result form_add(struct form *form, struct slice name, struct slice value) MUST_CHECK;

/* The first value of that name; SLICE_NONE when there is none. As it was sent. */
struct slice form_get(const struct form *form, const char *name);
/* The same without white space at both ends; empty when there is none. */
struct slice form_text(const struct form *form, const char *name);
/*
 * A date and a time of day, as a field of the type "datetime-local" sends it ("2026-12-01T09:00",
 * HTML 2.3.5.6), with a blank in place of the T, without seconds of 0; anything else as form_text.
 */
#define FORM_MOMENT_SIZE 17
struct slice form_moment(const struct form *form, const char *name, char out[FORM_MOMENT_SIZE]);
/* "2026-12-01 09:00", with that character in the middle; what day it is, is not looked at. */
bool form_is_moment(struct slice text, char between);
/* Whether it is there: what a ticked box sends. */
bool form_has(const struct form *form, const char *name);
/* A plain number; `out` is left alone when the field is absent or empty. False: it is none. */
bool form_number(const struct form *form, const char *name, u64 *out) MUST_CHECK;
/*
 * For names that come more than once: the next value at or behind field *at, which moves behind it;
 * SLICE_NONE: no more. Begin with *at == 0.
 */
struct slice form_next(const struct form *form, const char *name, u32 *at);
/* The field of that index, for forms whose names are not known before. */
struct slice form_name_at(const struct form *form, u32 index);
struct slice form_value_at(const struct form *form, u32 index);

#endif
