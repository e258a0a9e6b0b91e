/*
 * Reads messages that came back and writes what they mean, for another program to judge.
 *
 *   report_many KEY BOUNCE [ADDRESS FILE]...
 *
 * KEY is a sender's token.key, BOUNCE its customer's prefix; ADDRESS is where the message FILE was sent
 * to. For each a line "report kind form", then "tag none", "tag forged" or "tag CAMPAIGN DOMAIN SEQ", the
 * same of the Message-ID that came back as "message", lines "id", "to", "mta" with their texts, and for
 * each recipient "recipient kind reason status code address" and "diagnostic text".
 */
#include "base/check.h"
#include "base/text.h"
#include "delivery/mailing.h"
#include "smtp/report.h"

#include <stdio.h>
#include <stdlib.h>

#define SIZE_MAX_READ (4u << 20)

/* Allocated; the caller frees it. */
static struct slice read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *bytes = malloc(SIZE_MAX_READ);
	size_t len;

	ASSERT(file && bytes);
	len = fread(bytes, 1, SIZE_MAX_READ, file);
	ASSERT(len < SIZE_MAX_READ);
	ASSERT(fclose(file) == 0);
	return (struct slice){ bytes, len };
}

static void show_tag(const char *word, enum mailing_tag tag, const struct row_id *id)
{
	switch (tag) {
	case MAILING_TAG_NONE:
		printf("%s none\n", word);
		break;
	case MAILING_TAG_FORGED:
		printf("%s forged\n", word);
		break;
	case MAILING_TAG_OURS:
		printf("%s %u %u %u\n", word, id->campaign, id->domain, id->seq);
		break;
	}
}

static void show_tags(const u8 *secret, const char *bounce, const char *address,
		      const struct report *report)
{
	struct row_id id = { 0 };

	show_tag("tag", mailing_read_sender(secret, slice_of(bounce), slice_of(address), &id), &id);
	show_tag("message", mailing_read_message_id(secret, report->original.message_id, &id), &id);
}

static void show(const struct report *report)
{
	printf("id %.*s\n", SLICE_FMT(report->original.message_id));
	printf("to %.*s\n", SLICE_FMT(report->original.to));
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
	struct slice key;
	struct arena arena;

	ASSERT(argc >= 3);
	key = read_file(argv[1]);
	ASSERT(key.len == MAILING_SECRET_SIZE);
	arena_init(&arena, REPORT_ARENA_CHUNK, REPORT_ARENA_MAX);
	for (int i = 3; i + 1 < argc; i += 2) {
		struct slice message = read_file(argv[i + 1]);
		struct report report;

		report_read(message, &report, &arena);
		ASSERT(!report.is_incomplete);
		printf("report %s %s\n", report_kind_name(report.kind), report_form_name(report.form));
		show_tags((const u8 *)key.ptr, argv[2], argv[i], &report);
		show(&report);
		arena_reset(&arena);
		free((void *)(uintptr_t)message.ptr);
	}
	arena_done(&arena);
	free((void *)(uintptr_t)key.ptr);
	return 0;
}
