/*
 * Reads messages and writes what they mean, for another program to judge.
 *
 *   report_many FILE...
 *
 * For each file a line "FILE kind form", then lines of a word and its text: id, to, envelope, mta; for
 * each recipient a line "recipient kind reason status code address", and its diagnostic.
 */
#include "base/check.h"
#include "base/text.h"
#include "smtp/report.h"

#include <stdio.h>
#include <stdlib.h>

static struct slice read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t size = 4u << 20;
	char *bytes = malloc(size);
	size_t len;

	ASSERT(file && bytes);
	len = fread(bytes, 1, size, file);
	ASSERT(len < size && fclose(file) == 0);
	return (struct slice){ bytes, len };
}

static void show(const char *path, const struct report *report)
{
	printf("%s %s %s\n", path, report_kind_name(report->kind), report_form_name(report->form));
	printf("id %.*s\n", SLICE_FMT(report->original.message_id));
	printf("to %.*s\n", SLICE_FMT(report->original.to));
	printf("envelope %.*s\n", SLICE_FMT(report->envelope_id));
	printf("mta %.*s\n", SLICE_FMT(report->reporting_mta));
	for (const struct report_recipient *one = report->recipients; one; one = one->next) {
		printf("recipient %s %s %u.%u.%u %u %.*s\n", report_kind_name(one->kind),
		       report_reason_name(one->reason), one->status[0], one->status[1], one->status[2],
		       one->code, SLICE_FMT(one->address));
		printf("diagnostic %.*s\n", SLICE_FMT(one->diagnostic));
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct slice message = read_file(argv[i]);
		struct report report;
		struct arena arena;

		arena_init(&arena, 64u << 10, REPORT_ARENA_MAX);
		report_read(message, &report, &arena);
		ASSERT(!report.is_incomplete);
		show(argv[i], &report);
		arena_done(&arena);
		free((void *)(uintptr_t)message.ptr);
	}
	return 0;
}
