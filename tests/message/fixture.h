/*
 * What the tests of message/ share: compile a template for fields name, note, link; compose it for
 * one recipient, unsigned; look at the bytes.
 */
#ifndef TESTS_MESSAGE_FIXTURE_H
#define TESTS_MESSAGE_FIXTURE_H

#include "base/text.h"
#include "message/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

struct fixture {
	struct slice columns[3];
	struct slice values[3];
	struct message_options options;
	struct message_source source;
	struct address address;
	struct message_recipient recipient;
	struct message *message;
	struct message_composed composed;
	struct buf bytes; /* as signed */
	struct buf wire;  /* with stuffing */
	struct error error;
};

static inline void fixture_init(struct fixture *f)
{
	*f = (struct fixture){ .columns = { SLICE("name"), SLICE("note"), SLICE("link") } };
	f->options.columns = f->columns;
	f->options.column_count = 3;
	f->source.name = "t";
	f->recipient = (struct message_recipient){ .address = &f->address,
						   .values = f->values,
						   .value_count = 3,
						   .token = SLICE("tok-1"),
						   .campaign = SLICE("c1"),
						   .date_ms = 1764000000000ull };
	assert_true(address_parse(&f->address, SLICE("taro@example.net"), &f->error));
	message_composed_init(&f->composed);
	buf_init(&f->bytes, 64u << 20);
	buf_init(&f->wire, 64u << 20);
}

static inline void fixture_done(struct fixture *f)
{
	message_free(f->message);
	f->message = NULL;
	message_composed_done(&f->composed);
	buf_done(&f->bytes);
	buf_done(&f->wire);
}

static inline bool fixture_compile(struct fixture *f, struct slice whole)
{
	message_free(f->message);
	f->source.whole = whole;
	f->message = message_compile(&f->source, &f->options, &f->error);
	return f->message != NULL;
}

/* Compiles a message with this body behind a plain header. */
static inline bool fixture_compile_body(struct fixture *f, struct slice body)
{
	message_free(f->message);
	f->source.whole = SLICE_NONE;
	f->source.headers = SLICE("From: a@example.jp\nSubject: s\n");
	f->source.text = body;
	f->message = message_compile(&f->source, &f->options, &f->error);
	return f->message != NULL;
}

static inline enum message_result fixture_compose(struct fixture *f, bool eightbit)
{
	enum message_result result =
		message_compose(f->message, &f->recipient, eightbit, &f->composed, &f->error);

	buf_reset(&f->bytes);
	buf_reset(&f->wire);
	if (result != MESSAGE_OK)
		return result;
	for (u32 i = 0; i < f->composed.piece_count; i++) {
		const struct piece *piece = &f->composed.pieces[i];

		buf_add(&f->wire, piece->ptr, piece->len);
		if (!piece->stuffing)
			buf_add(&f->bytes, piece->ptr, piece->len);
	}
	assert_int_equal(f->bytes.len, f->composed.size);
	return result;
}

static inline struct slice fixture_body(const struct buf *bytes)
{
	i64 gap = slice_find(buf_slice(bytes), SLICE("\r\n\r\n"));

	assert_true(gap > 0);
	return slice_from(buf_slice(bytes), (size_t)gap + 4);
}

static inline void assert_slice(struct slice got, struct slice wanted)
{
	if (!slice_equal(got, wanted))
		fail_msg("got \"%.*s\", wanted \"%.*s\"", SLICE_FMT(got), SLICE_FMT(wanted));
}

static inline void assert_has(const struct buf *bytes, struct slice wanted)
{
	if (slice_find(buf_slice(bytes), wanted) < 0)
		fail_msg("\"%.*s\" is not in \"%.*s\"", SLICE_FMT(wanted),
			 SLICE_FMT(buf_slice(bytes)));
}

#endif
