/*
 * Any file of the spool: what it is made into for the sender is JSON that the control socket takes,
 * with bounded texts, and what is made of it for a person is lines of ASCII.
 */
#include "base/check.h"
#include "base/text.h"
#include "receive/finding.h"
#include "receive/forward.h"

#include <stdlib.h>
#include <string.h>

#define ITEM_MAX (256 * 1024) /* of JSON: far below a frame */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void try_finding(struct slice file)
{
	struct finding finding = { 0 };
	struct arena arena;

	arena_init(&arena, REPORT_ARENA_CHUNK, REPORT_ARENA_MAX);
	if (finding_make(file, "key", &arena, &finding) == FINDING_MADE) {
		size_t len = json_dumpb(finding.json, NULL, 0, JSON_COMPACT);

		ASSERT(len > 0 && len < ITEM_MAX);
		ASSERT(json_array_size(json_object_get(finding.json, "to")) <= FINDING_TO_MAX);
		json_decref(finding.json);
	}
	arena_done(&arena);
}

static void try_forward(struct slice file)
{
	static const struct config_customer customer = { .domain = "a.example" };
	const struct config config = { .customers = &customer,
				       .customer_count = 1,
				       .receive = { .hostname = "mx.a.example",
						    .forward_to = "me@b.example" } };
	struct forward_bucket bucket;
	struct envelope envelope;
	struct buf out;

	if (!envelope_read(file, &envelope))
		return;
	forward_bucket_init(&bucket, 1);
	(void)forward_judge(&config, &envelope, REPORT_UNKNOWN, &bucket, 1);
	buf_init(&out, 64u << 20);
	ASSERT(forward_compose(&config, &envelope, "id", &out));
	for (size_t i = 0; i < out.len; i++)
		ASSERT(out.ptr[i] != '\0' && (u8)out.ptr[i] < 0x80);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *copy = malloc(size + 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	try_finding((struct slice){ copy, size });
	try_forward((struct slice){ copy, size });
	free(copy);
	return 0;
}
