/*
 * Zones and cases of a text file for SPF (spf_cases.txt says how it is written), and a name server
 * made of them: a question_source that answers out of the zone.
 */
#ifndef TESTS_DNS_SPF_CASES_H
#define TESTS_DNS_SPF_CASES_H

#include "base/text.h"
#include "dns/record_text.h"
#include "dns/spf.h"

#include <stdio.h>
#include <stdlib.h>

#define SPF_CASES_ROWS 512
#define SPF_CASES_FIELDS 6
#define SPF_CASES_LINE 4096

struct zone_row {
	char name[300];
	u16 type; /* of FAIL: 0 for every type */
	bool is_failure;
	u8 bytes[1024];
	size_t len;
};

struct spf_cases {
	FILE *file;
	char zone[100];
	struct zone_row rows[SPF_CASES_ROWS];
	size_t row_count;
	char line[SPF_CASES_LINE];
	/* Of the case at hand: what, sender, EHLO name, address, result, explanation. */
	char *fields[SPF_CASES_FIELDS];
};

static inline void spf_cases_die(const struct spf_cases *cases, const char *what)
{
	fprintf(stderr, "zone %s: %s: %s\n", cases->zone, what, cases->line);
	exit(1);
}

/* ---- rdata ---- */

static inline void zone_add_name(struct zone_row *row, struct slice name)
{
	while (name.ptr && name.len > 0) {
		struct slice label = slice_split(&name, '.');

		row->bytes[row->len++] = (u8)label.len;
		memcpy(row->bytes + row->len, label.ptr, label.len);
		row->len += label.len;
	}
	row->bytes[row->len++] = 0;
}

/* "..." "...", with \xHH. */
static inline void zone_add_strings(struct zone_row *row, struct slice text)
{
	size_t at = 0;

	while (at < text.len) {
		size_t count = row->len++;

		for (at++; at < text.len && text.ptr[at] != '"'; at++) {
			char hex[3] = "";

			if (text.ptr[at] != '\\') {
				row->bytes[row->len++] = (u8)text.ptr[at];
				continue;
			}
			memcpy(hex, text.ptr + at + 2, 2);
			row->bytes[row->len++] = (u8)strtoul(hex, NULL, 16);
			at += 3;
		}
		row->bytes[count] = (u8)(row->len - count - 1);
		at += 2;
	}
}

static inline void zone_add_row(struct spf_cases *cases, struct slice line)
{
	struct zone_row *row = &cases->rows[cases->row_count++];
	struct slice name = slice_split(&line, ' ');
	struct slice type = slice_split(&line, ' ');
	struct net_address address;

	if (cases->row_count == SPF_CASES_ROWS)
		spf_cases_die(cases, "too many records");
	*row = (struct zone_row){ .type = record_type_of(type) };
	slice_copy(row->name, sizeof(row->name), name);
	if (slice_equal(type, SLICE("FAIL"))) {
		row->is_failure = true;
		row->type = line.ptr ? record_type_of(line) : 0;
	} else if (row->type == RECORD_TXT) {
		zone_add_strings(row, line);
	} else if (row->type == RECORD_PTR) {
		zone_add_name(row, line);
	} else if (row->type == RECORD_MX) {
		row->bytes[row->len++] = 0;
		row->bytes[row->len++] = (u8)strtoul(line.ptr, NULL, 10);
		(void)slice_split(&line, ' ');
		zone_add_name(row, line);
	} else if (row->type != 0 && net_address_parse(&address, line, false)) {
		row->len = address.family == 6 ? 16 : 4;
		memcpy(row->bytes, address.ip, row->len);
	} else {
		spf_cases_die(cases, "no such record");
	}
}

/* ---- questions ---- */

static inline void spf_cases_ask(void *arg, const char *name, u16 type,
				 struct question_answer *answer)
{
	const struct spf_cases *cases = arg;
	size_t at = 0;

	*answer = (struct question_answer){ .status = QUESTION_NO_DOMAIN };
	buf_init(&answer->store, 65536);
	for (size_t i = 0; i < cases->row_count; i++) {
		const struct zone_row *row = &cases->rows[i];

		if (!slice_equal_nocase(slice_of(row->name), slice_of(name)))
			continue;
		if (row->is_failure && (row->type == 0 || row->type == type)) {
			answer->status = QUESTION_TIMEOUT;
			return;
		}
		if (answer->status == QUESTION_NO_DOMAIN)
			answer->status = QUESTION_NO_DATA;
		if (row->is_failure || row->type != type)
			continue;
		answer->status = QUESTION_OK;
		buf_add(&answer->store, row->bytes, row->len);
		answer->records[answer->count++].len = row->len;
	}
	for (size_t i = 0; i < answer->count; at += answer->records[i++].len)
		answer->records[i].bytes = (const u8 *)answer->store.ptr + at;
}

/* ---- the file ---- */

static inline void spf_cases_open(struct spf_cases *cases, const char *path)
{
	*cases = (struct spf_cases){ .file = fopen(path, "r") };
	if (!cases->file) {
		fprintf(stderr, "%s: no such file: run from the top of the tree\n", path);
		exit(1);
	}
}

static inline bool spf_cases_next(struct spf_cases *cases)
{
	while (fgets(cases->line, sizeof(cases->line), cases->file)) {
		size_t len = strcspn(cases->line, "\n");
		struct slice rest;

		cases->line[len] = '\0';
		rest = slice_of(cases->line);
		if (len == 0 || cases->line[0] == '#')
			continue;
		if (slice_has_prefix(rest, SLICE("zone "))) {
			slice_copy(cases->zone, sizeof(cases->zone), slice_from(rest, 5));
			cases->row_count = 0;
			continue;
		}
		if (!slice_has_prefix(rest, SLICE("case "))) {
			zone_add_row(cases, rest);
			continue;
		}
		rest = slice_from(rest, 5);
		for (size_t i = 0; i < SPF_CASES_FIELDS; i++) {
			struct slice field = slice_trim(slice_split(&rest, '|'));

			cases->fields[i] = field.len > 0 ? (char *)(size_t)field.ptr : cases->line + len;
			if (field.len > 0)
				cases->fields[i][field.len] = '\0';
		}
		return true;
	}
	fclose(cases->file);
	return false;
}

static inline enum spf_result spf_cases_evaluate(struct spf_cases *cases, struct spf *spf)
{
	*spf = (struct spf){
		.ask = spf_cases_ask, .arg = cases, .sender = cases->fields[1], .helo = cases->fields[2]
	};
	if (!net_address_parse(&spf->address, slice_of(cases->fields[3]), false))
		spf_cases_die(cases, "no address");
	return spf_evaluate(spf);
}

#endif
