/*
 * Values of recipients from JSON: texts as they are, numbers and true and false as texts, arrays
 * and the objects in them packed as lists (message/list_value.h), for {{#each}}.
 */
#ifndef WEB_LIST_JSON_H
#define WEB_LIST_JSON_H

#include "base/buf.h"

#include <jansson.h>

#define LIST_JSON_DEPTH_MAX 8 /* arrays and objects inside each other */
#define LIST_JSON_TEXT_MAX 32 /* bytes of a number as text */

/* 0 of what is neither array nor object. Parsed JSON is at most JSON_PARSER_MAX_DEPTH deep. */
u32 list_json_depth(const json_t *value);

/*
 * Appends the value; null is an empty text. False: it is nested too deeply, or the buffer failed.
 */
bool list_json_pack(const json_t *value, struct buf *out) MUST_CHECK;

#endif
