/*
 * Any JSON as a condition: refused with a pointer to something that is there, or read; then it is
 * written as JSON that reads as the same, and as text that does.
 */
#include "base/check.h"
#include "campaign/segment_names.h"
#include "web/segment_json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct segment *read_json(const json_t *json)
{
	char pointer[SEGMENT_POINTER_MAX];
	struct segment_problem problem;
	struct segment *segment = segment_open();
	struct error error = { "" };

	ASSERT(segment);
	if (!segment_json_read(segment, json, pointer, &error)) {
		ASSERT(error.text[0] && strlen(pointer) < sizeof(pointer));
	} else if (!segment_settle(segment, &segment_test_names, &problem)) {
		ASSERT(problem.error.text[0]);
		segment_json_pointer(segment, problem.node, pointer);
		ASSERT(strlen(pointer) < sizeof(pointer));
	} else {
		return segment;
	}
	segment_free(segment);
	return NULL;
}

static void check(const struct segment *segment)
{
	json_t *json = segment_json_of(segment->root);
	struct segment *again = read_json(json);
	struct segment_problem problem;
	struct segment *by_text;
	struct buf text;
	json_t *same;

	ASSERT(again);
	same = segment_json_of(again->root);
	ASSERT(json_equal(json, same));
	json_decref(same);
	segment_free(again);
	buf_init(&text, 1u << 20);
	segment_print(segment->root, SEGMENT_BY_NAME, &text);
	by_text = segment_of_text(buf_slice(&text), &segment_test_names, &problem);
	ASSERT(by_text || text.len > SEGMENT_TEXT_MAX);
	if (by_text) {
		same = segment_json_of(by_text->root);
		ASSERT(json_equal(json, same));
		json_decref(same);
	}
	segment_free(by_text);
	buf_done(&text);
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct segment *segment = json ? read_json(json) : NULL;

	if (segment)
		check(segment);
	segment_free(segment);
	json_decref(json);
	return 0;
}
