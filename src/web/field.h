/*
 * Reading fields of a call's JSON. What is wrong is answered at once, with the JSON pointer (RFC
 * 6901) of the place; so a function that returns false has ended the call. Texts are borrowed from
 * call->json.
 */
#ifndef WEB_FIELD_H
#define WEB_FIELD_H

#include "web/call.h"

#define FIELD_POINTER_MAX 512 /* bytes with the NUL; longer ones are cut */

/* Pointer of a member or an element below `base`; `out` has FIELD_POINTER_MAX bytes. Returns it. */
const char *field_pointer(char *out, const char *base, const char *name);
const char *field_pointer_at(char *out, const char *base, size_t index);

/*
 * The member as text, NULL when it is absent or null. At most `max` bytes, without control bytes.
 */
bool field_text(struct call *call, const json_t *object, const char *base, const char *name,
		size_t max, const char **out) MUST_CHECK;
/* Any text; `out` is left alone when it is absent. */
bool field_body(struct call *call, const json_t *object, const char *base, const char *name,
		const char **out) MUST_CHECK;
/* An integer from 0 to max; `out` is left alone when it is absent. */
bool field_number(struct call *call, const json_t *object, const char *base, const char *name,
		  u64 max, u64 *out) MUST_CHECK;
/* A moment that lies ahead (RFC 3339), in ms of the wall clock; 0 when it is absent. */
bool field_moment(struct call *call, const json_t *object, const char *base, const char *name,
		  u64 *out_ms) MUST_CHECK;
/* A list of at most `max` elements; NULL when it is absent. */
bool field_list(struct call *call, const json_t *object, const char *base, const char *name,
		size_t max, const json_t **out) MUST_CHECK;
bool field_object(struct call *call, const json_t *object, const char *base, const char *name,
		  const json_t **out) MUST_CHECK;
/* Members that are not in `names` (NULL at the end) are refused: a typo is not to be ignored. */
bool field_known(struct call *call, const json_t *object, const char *base,
		 const char *const *names) MUST_CHECK;

/* Whether a text has bytes that no header field can hold. */
bool field_has_control(struct slice text);

#endif
