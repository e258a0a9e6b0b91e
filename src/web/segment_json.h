/*
 * Segments as JSON: the same tree as their text (campaign/segment.h).
 *
 *	{"all": [...]}, {"any": [...]}, {"not": {...}}
 *	{"test": "attribute", "name": "prefecture", "op": "=", "value": "東京"}
 *	{"test": "member", "name": "vip", "op": "within", "days": 30}
 *	{"test": "clicked", "campaign": 12, "link": 3, "op": "ever"}
 *
 * `test` and `op` are the words of campaign/segment_words.h; `op` is "ever" when it is not said; a
 * list or an attribute may be given by "id" instead; "in" has "values".
 */
#ifndef WEB_SEGMENT_JSON_H
#define WEB_SEGMENT_JSON_H

#include "campaign/segment_run.h"

#include <jansson.h>

#define SEGMENT_POINTER_MAX 512 /* bytes with the NUL */

/*
 * Reads the tree into segment->root, to be settled. False: the error, and the JSON pointer (RFC
 * 6901) of what is wrong below `json`, "" for itself.
 */
bool segment_json_read(struct segment *segment, const json_t *json,
		       char pointer[SEGMENT_POINTER_MAX], struct error *error) MUST_CHECK;
/* The pointer of a node of a tree that was read and could not be settled. */
void segment_json_pointer(const struct segment *segment, const struct segment_node *node,
			  char pointer[SEGMENT_POINTER_MAX]);

/* Of a settled node. NULL: no memory. */
json_t *segment_json_of(const struct segment_node *node);
/*
 * The same with "held" at every node, and for tests "text" and what the contact has as "found".
 * `held` as segment_run_explain filled it in.
 */
json_t *segment_json_explain(struct segment_run *run, const struct segment_node *node,
			     const struct contact *contact, const bool *held);

#endif
