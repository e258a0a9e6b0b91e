/*
 * Any JSON as the body of a call that sends mail: it is answered with one problem that is JSON, or
 * it becomes a mail that compiles, whole as in parts, with rows that can be taken apart again.
 */
#include "store/row_values.h"
#include "web/call_stand.h"
#include "web/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mail_rows rows;
static struct mail mail;

static void check_problem(void)
{
	const struct buf *body = &stand.call.answer_body;
	json_t *problem = json_loadb(body->ptr ? body->ptr : "", body->len, 0, NULL);
	json_int_t status = json_integer_value(json_object_get(problem, "status"));

	ASSERT(stand.answers == 1 && status == stand.call.status);
	ASSERT(status == 422 || status == 403 || status == 413 || status == 503);
	ASSERT(json_is_string(json_object_get(problem, "detail")));
	json_decref(problem);
}

static void check_rows(void)
{
	struct slice values[CONTROL_COLUMNS_MAX];
	struct slice rest = buf_slice(&rows.bytes);
	enum control_row_result result;
	struct slice wire;
	struct slice packed;
	u32 count = 0;

	while ((result = control_row_take(&rest, &wire, &packed)) == CONTROL_ROW) {
		ASSERT(row_values_unpack(packed, values, rows.column_count));
		ASSERT(address_wire_domain(wire).len > 0);
		count++;
	}
	ASSERT(result == CONTROL_ROWS_END && count == rows.count && count > 0);
}

/* What is sent is what was tried out, with the attachments around it. */
static void check_whole(void)
{
	struct slice columns[CONTROL_COLUMNS_MAX];
	const struct message_source source = { .name = "whole",
					       .whole = buf_slice(&mail.whole) };
	const struct message_options options = { .columns = columns,
						 .column_count = rows.column_count };
	struct message *message;
	struct error error;

	if (mail.whole.len == 0)
		return;
	for (size_t i = 0; i < rows.column_count; i++)
		columns[i] = slice_of(rows.columns[i]);
	message = message_compile(&source, &options, &error);
	if (!message)
		CRASH("%s", error.text);
	message_free(message);
}

/* The template "x", with a block. */
static void keep_template(void)
{
	static const struct audience_template_version versions[] = {
		{ .by = SLICE("t"), .of = { [AUDIENCE_TEMPLATE_HTML] = SLICE("<b>{{b}}</b>") } },
		{ .by = SLICE("t"),
		  .of = { [AUDIENCE_TEMPLATE_SUBJECT] = SLICE("{{s}}"),
			  [AUDIENCE_TEMPLATE_PREHEADER] = SLICE("{{a}}"),
			  [AUDIENCE_TEMPLATE_HTML] =
				  SLICE("<p>{{#each a}}{{this}}{{/each}}</p>{{>y}}") } },
	};
	struct audience_template one = { .by = SLICE("t") };
	struct audience_txn *txn = stand.web.reader;

	ASSERT(audience_begin(txn) == STORE_OK);
	one.kind = AUDIENCE_TEMPLATE_BLOCK;
	one.name = SLICE("y");
	ASSERT(audience_template_add(txn, &one, &versions[0]) == STORE_OK);
	one.kind = AUDIENCE_TEMPLATE_PROGRAM;
	one.name = SLICE("x");
	ASSERT(audience_template_add(txn, &one, &versions[1]) == STORE_OK);
	ASSERT(audience_commit(txn) == STORE_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!stand.web.config) {
		log_set_level(LOG_LEVEL_ERROR);
		stand_open("");
		stand_open_audience();
		keep_template();
	}
	if (!stand_begin_call((struct slice){ (const char *)data, size }))
		return 0;
	mail_rows_init(&rows);
	mail_init(&mail);
	if (mail_rows_read(&rows, &stand.call) && mail_take(&mail, &stand.call, &rows)) {
		ASSERT(stand.answers == 0);
		check_rows();
		check_whole();
	} else {
		check_problem();
	}
	mail_done(&mail);
	mail_rows_done(&rows);
	stand_end_call();
	return 0;
}
