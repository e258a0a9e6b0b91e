#include "web/contact_export.h"

#include "base/charset.h"
#include "base/clock.h"
#include "base/text.h"
#include "web/csv_out.h"
#include "web/noun.h"

#include <stdio.h>
#include <stdlib.h>

#define PIECE_BYTES (256u << 10)
#define SCAN_MAX 10000 /* contacts looked at for a piece */

struct export_stream {
	struct contact_export what;
	u32 at;
	bool began;
	bool ended;
	struct buf text; /* UTF-8, before it is written in another charset */
};

static void add_head(struct buf *out, const struct nouns *nouns)
{
	csv_out_cell(out, SLICE("email"), true);
	csv_out_cell(out, SLICE("state"), false);
	csv_out_cell(out, SLICE("created"), false);
	csv_out_cell(out, SLICE("changed"), false);
	for (u32 i = 0; i < nouns->attribute_count; i++)
		csv_out_cell(out, nouns->attributes[i].name, false);
	for (u32 i = 0; i < nouns->list_count; i++) {
		char name[LIST_NAME_MAX + 8];

		snprintf(name, sizeof(name), "list:%.*s", SLICE_FMT(nouns->lists[i].name));
		csv_out_cell(out, slice_of(name), false);
	}
	csv_out_end(out);
}

static void add_time(struct buf *out, u64 ms)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(text, ms);
	csv_out_plain(out, slice_of(text), false);
}

static bool is_plain(const struct attribute *attribute)
{
	return attribute->type == ATTRIBUTE_NUMBER || attribute->type == ATTRIBUTE_DATE ||
	       attribute->type == ATTRIBUTE_YES_NO;
}

static void add_contact(struct buf *out, const struct contact *contact, const struct nouns *nouns)
{
	struct contact_member member;

	csv_out_cell(out, contact->address, true);
	csv_out_plain(out, slice_of(contact_state_names[contact->state]), false);
	add_time(out, contact->created_ms);
	add_time(out, contact->changed_ms);
	for (u32 i = 0; i < nouns->attribute_count; i++) {
		const struct attribute *attribute = &nouns->attributes[i];
		struct slice value = contact_find_value(contact->values, attribute->id);

		if (is_plain(attribute))
			csv_out_plain(out, value, false);
		else
			csv_out_cell(out, value, false);
	}
	for (u32 i = 0; i < nouns->list_count; i++) {
		bool is_in = contact_find_member(contact->lists, nouns->lists[i].id, &member) &&
			     member.state == MEMBER_ACTIVE;

		csv_out_plain(out, is_in ? SLICE("1") : SLICE("0"), false);
	}
	csv_out_end(out);
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

	if (!stream->began)
		add_head(out, nouns);
	stream->began = true;
	for (u32 i = 0; i < SCAN_MAX && out->len < PIECE_BYTES; i++) {
		enum store_result result = next(stream, call->web->reader, &contact, &wanted);

		if (result != STORE_OK) {
			stream->ended = true;
			/* Cut short it must not look whole: the connection breaks. */
			if (result != STORE_NOT_FOUND)
				call->answer_body.failed = true;
			return;
		}
		if (wanted)
			add_contact(out, &contact, nouns);
	}
}

static void more(struct call *call)
{
	struct export_stream *stream = call->stream;
	struct buf *out = &call->answer_body;
	struct nouns *nouns;

	if (!stream->began && !stream->what.is_cp932)
		buf_add_text(out, "\xef\xbb\xbf");
	/* A piece in which nobody was wanted is none to be sent: on to the next. */
	while (!stream->ended && out->len < PIECE_BYTES / 2 && !out->failed) {
		if (!nouns_load_again(call, &nouns)) {
			out->failed = true;
			return;
		}
		if (stream->what.is_cp932) {
			buf_reset(&stream->text);
			fill(stream, &stream->text, call, nouns);
			charset_encode_cp932(out, buf_slice(&stream->text));
			out->failed |= stream->text.failed;
		} else {
			fill(stream, out, call, nouns);
		}
		nouns_end(call, nouns);
	}
}

static void stream_done(void *owner)
{
	struct export_stream *stream = owner;

	if (stream->what.owner_done)
		stream->what.owner_done(stream->what.owner);
	buf_done(&stream->text);
	free(stream);
}

void contact_export_answer(struct call *call, const struct contact_export *what)
{
	struct export_stream *stream = calloc(1, sizeof(*stream));

	if (!stream) {
		if (what->owner_done)
			what->owner_done(what->owner);
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	stream->what = *what;
	buf_init(&stream->text, 16u << 20);
	call->stream = stream;
	call->stream_done = stream_done;
	call->more = more;
	call_answer_stream(call, what->is_cp932 ? "text/csv; charset=Shift_JIS" :
						  "text/csv; charset=utf-8",
			   SLICE("contacts.csv"));
}
