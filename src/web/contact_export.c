#include "web/contact_export.h"

#include "base/charset.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "web/csv_out.h"

#include <stdio.h>
#include <stdlib.h>

#define PIECE_BYTES (256u << 10)
#define SCAN_MAX 10000 /* contacts looked at for a piece */
#define EXAMPLES_MAX 20 /* of cells that the encoding has not all characters for */
#define EXAMPLE_BYTES 200

struct export_stream {
	struct contact_export what;
	u32 at;
	bool began;
	bool ended;
	u64 contacts;
	u64 replaced;	   /* characters that the encoding lacks */
	json_t *examples;  /* of a check */
	struct buf text;   /* UTF-8, before it is written in another charset */
	struct buf cell;   /* one of a check */
	struct buf thrown; /* what a check writes */
};

/* ---- a row ---- */

static void separate(struct export_stream *stream, struct buf *out, u32 column)
{
	if (column > 0)
		buf_add_char(out, stream->what.encoding == EXPORT_UTF16 ? '\t' : ',');
}

/* An attribute or a list that is gone meanwhile keeps its place. */
static void add_name(struct buf *out, const struct export_column *column,
		     const struct nouns *nouns)
{
	const struct attribute *attribute;
	const struct audience_list *list;
	char name[LIST_NAME_MAX + 8] = "";

	if (column->kind == EXPORT_ATTRIBUTE) {
		attribute = nouns_attribute(nouns, column->id);
		csv_out_cell(out, attribute ? attribute->name : SLICE(""), true);
		return;
	}
	list = column->kind == EXPORT_LIST ? nouns_list(nouns, column->id) : NULL;
	if (list)
		snprintf(name, sizeof(name), "list:%.*s", SLICE_FMT(list->name));
	csv_out_cell(out,
		     column->kind < EXPORT_FIXED ? slice_of(export_column_names[column->kind]) :
						   slice_of(name),
		     true);
}

static void add_head(struct export_stream *stream, struct buf *out, const struct nouns *nouns)
{
	for (u32 i = 0; i < stream->what.column_count; i++) {
		separate(stream, out, i);
		add_name(out, &stream->what.columns[i], nouns);
	}
	csv_out_end(out);
}

static void add_time(struct buf *out, u64 ms)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(text, ms);
	csv_out_plain(out, slice_of(text), true);
}

static void add_value(struct buf *out, const struct contact *contact, u16 id,
		      const struct nouns *nouns)
{
	const struct attribute *attribute = nouns_attribute(nouns, id);
	struct slice value = attribute ? contact_find_value(contact->values, id) : SLICE("");

	/* A number may begin with a minus, and is no formula. */
	if (attribute && (attribute->type == ATTRIBUTE_NUMBER ||
			  attribute->type == ATTRIBUTE_DATE ||
			  attribute->type == ATTRIBUTE_YES_NO))
		csv_out_plain(out, value, true);
	else
		csv_out_cell(out, value, true);
}

static void add_cell(struct buf *out, const struct contact *contact,
		     const struct export_column *column, const struct nouns *nouns)
{
	struct contact_member member;
	bool is_in;

	switch ((enum export_column_kind)column->kind) {
	case EXPORT_EMAIL:
		csv_out_cell(out, contact->address, true);
		break;
	case EXPORT_STATE:
		csv_out_plain(out, slice_of(contact_state_names[contact->state]), true);
		break;
	case EXPORT_CREATED:
		add_time(out, contact->created_ms);
		break;
	case EXPORT_CHANGED:
		add_time(out, contact->changed_ms);
		break;
	case EXPORT_ATTRIBUTE:
		add_value(out, contact, column->id, nouns);
		break;
	case EXPORT_LIST:
		is_in = contact_find_member(contact->lists, column->id, &member) &&
			member.state == MEMBER_ACTIVE;
		csv_out_plain(out, is_in ? SLICE("1") : SLICE("0"), true);
		break;
	}
}

static void add_contact(struct export_stream *stream, struct buf *out,
			const struct contact *contact, const struct nouns *nouns)
{
	stream->contacts++;
	for (u32 i = 0; i < stream->what.column_count; i++) {
		separate(stream, out, i);
		add_cell(out, contact, &stream->what.columns[i], nouns);
	}
	csv_out_end(out);
}

/* ---- a check ---- */

static u64 encode(const struct export_stream *stream, struct buf *out, struct slice text)
{
	switch (stream->what.encoding) {
	case EXPORT_CP932: return charset_encode_cp932(out, text);
	case EXPORT_UTF16: charset_encode_utf16le(out, text); return 0;
	case EXPORT_UTF8: break;
	}
	buf_add_slice(out, text);
	return 0;
}

static void add_example(struct export_stream *stream, const struct contact *contact,
			const struct export_column *column, const struct nouns *nouns)
{
	struct buf name;

	if (json_array_size(stream->examples) >= EXAMPLES_MAX)
		return;
	buf_init(&name, 2 * LIST_NAME_MAX);
	add_name(&name, column, nouns);
	json_array_append_new(
		stream->examples,
		json_pack("{s:I, s:o, s:o}", "id", (json_int_t)contact->id, "column",
			  noun_text(buf_slice(&name)), "cell",
			  noun_text(slice_first(buf_slice(&stream->cell), EXAMPLE_BYTES))));
	buf_done(&name);
}

static void check_contact(struct export_stream *stream, const struct contact *contact,
			  const struct nouns *nouns)
{
	stream->contacts++;
	for (u32 i = 0; i < stream->what.column_count; i++) {
		u64 lacks;

		buf_reset(&stream->cell);
		buf_reset(&stream->thrown);
		add_cell(&stream->cell, contact, &stream->what.columns[i], nouns);
		lacks = encode(stream, &stream->thrown, buf_slice(&stream->cell));
		stream->replaced += lacks;
		if (lacks > 0)
			add_example(stream, contact, &stream->what.columns[i], nouns);
	}
}

static void end_check(struct export_stream *stream, struct call *call)
{
	json_t *json = json_pack("{s:I, s:I, s:O}", "contacts", (json_int_t)stream->contacts,
				 "replaced", (json_int_t)stream->replaced, "examples",
				 stream->examples);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	if (text)
		buf_add_text(&call->answer_body, text);
	else
		call->answer_body.failed = true;
	free(text);
	json_decref(json);
}

/* ---- the walk ---- */

static enum store_result next(struct export_stream *stream, struct audience_txn *txn,
			      struct contact *contact, bool *wanted)
{
	enum member_state state = MEMBER_ACTIVE;
	enum store_result result;

	if (stream->what.list == 0) {
		result = contact_after(txn, stream->at, contact);
		stream->at = result == STORE_OK ? contact->id : stream->at;
	} else {
		result = member_after(txn, stream->what.list, stream->at, &stream->at, &state);
		if (result == STORE_OK)
			result = contact_get(txn, stream->at, contact);
	}
	*wanted = result == STORE_OK && state != MEMBER_LEFT &&
		  (!stream->what.takes ||
		   stream->what.takes(stream->what.owner, txn, contact));
	return result;
}

static void fill(struct export_stream *stream, struct buf *out, struct call *call,
		 const struct nouns *nouns)
{
	struct contact contact;
	bool wanted;

	if (!stream->began && !stream->what.checks)
		add_head(stream, out, nouns);
	stream->began = true;
	for (u32 i = 0; i < SCAN_MAX && out->len < PIECE_BYTES; i++) {
		enum store_result result = next(stream, call->web->reader, &contact, &wanted);

		if (result != STORE_OK) {
			stream->ended = true;
			/* A web server may hand that on as the file's end: the log tells. */
			if (result != STORE_NOT_FOUND) {
				log_error("web", "an export was cut short", "reason=%s",
					  audience_error_text(call->web->reader));
				call->answer_body.failed = true;
			}
			return;
		}
		if (wanted && stream->what.checks)
			check_contact(stream, &contact, nouns);
		else if (wanted)
			add_contact(stream, out, &contact, nouns);
	}
}

static void say_end(const struct export_stream *stream)
{
	log_info("web", "contacts were exported", "contacts=%llu replaced=%llu",
		 (unsigned long long)stream->contacts, (unsigned long long)stream->replaced);
}

/* JSON may have blanks in front: one is sent for each piece that was looked at. */
static void more_checked(struct call *call, struct export_stream *stream, struct nouns *nouns)
{
	fill(stream, &stream->text, call, nouns);
	if (stream->ended)
		end_check(stream, call);
	else
		buf_add_char(&call->answer_body, ' ');
}

static void more(struct call *call)
{
	struct export_stream *stream = call->stream;
	struct buf *out = &call->answer_body;
	bool is_check = stream->what.checks;
	struct nouns *nouns;

	if (!stream->began && !is_check && stream->what.encoding != EXPORT_CP932)
		buf_add_text(out, stream->what.encoding == EXPORT_UTF16 ? "\xff\xfe" :
									  "\xef\xbb\xbf");
	/* A piece in which nobody was wanted is none to be sent: on to the next. */
	while (!stream->ended && out->len < (is_check ? 1 : PIECE_BYTES / 2) && !out->failed) {
		if (!nouns_load_again(call, &nouns)) {
			out->failed = true;
			return;
		}
		buf_reset(&stream->text);
		if (is_check) {
			more_checked(call, stream, nouns);
		} else {
			fill(stream, &stream->text, call, nouns);
			stream->replaced += encode(stream, out, buf_slice(&stream->text));
		}
		out->failed |= stream->text.failed;
		nouns_end(call, nouns);
		if (stream->ended && !is_check && !out->failed)
			say_end(stream);
	}
}

static void stream_done(void *owner)
{
	struct export_stream *stream = owner;

	if (stream->what.owner_done)
		stream->what.owner_done(stream->what.owner);
	json_decref(stream->examples);
	buf_done(&stream->text);
	buf_done(&stream->cell);
	buf_done(&stream->thrown);
	free(stream);
}

void contact_export_answer(struct call *call, const struct contact_export *what)
{
	static const char *const types[] = { [EXPORT_UTF8] = "text/csv; charset=utf-8",
					     [EXPORT_CP932] = "text/csv; charset=Shift_JIS",
					     [EXPORT_UTF16] = "text/csv; charset=utf-16" };
	struct export_stream *stream = calloc(1, sizeof(*stream));

	if (stream)
		stream->examples = json_array();
	if (!stream || !stream->examples) {
		free(stream);
		if (what->owner_done)
			what->owner_done(what->owner);
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	stream->what = *what;
	buf_init(&stream->text, 16u << 20);
	buf_init(&stream->cell, 1u << 20);
	buf_init(&stream->thrown, 1u << 20);
	call->stream = stream;
	call->stream_done = stream_done;
	call->more = more;
	if (what->checks)
		call_answer_stream(call, "application/json", SLICE("check.json"));
	else
		call_answer_stream(call, types[what->encoding], SLICE("contacts.csv"));
}
