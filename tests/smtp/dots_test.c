/*
 * Dots from the template to the wire: what the message room composes goes through the client, the
 * send cut at every byte, and comes out as RFC 5321 section 4.5.2 wants it. What is signed is the
 * form without the added dots.
 */
#include "message/fixture.h"
#include "smtp/peer.h"

#define BLOCK 4096
#define LINE 89 /* with its end: short enough to stay 7bit */

struct body {
	const char *name;
	size_t fill;   /* letters in front of the tail */
	bool one_line; /* or in lines of LINE */
	struct slice tail;
	bool stuffed;  /* the wire has a dot more; else such a line is written as =2E, or is none */
};

static const struct body bodies[] = {
	{ "a dot in the middle of a line, at the edge", BLOCK - 1, true, SLICE(".b\n"), false },
	{ "a dot first in a block and in its line", BLOCK - 2, true, SLICE("\n.b\n"), false },
	{ "CR last in a block, LF and dot in the next", BLOCK - 1, true, SLICE("\n.b\n"), false },
	{ "the same in short lines, 7bit", BLOCK - 2, false, SLICE("\n.b\n"), true },
	{ "CR last, in short lines", BLOCK - 1, false, SLICE("\n.b\n"), true },
	{ "the very first byte", 0, true, SLICE(".x\n"), true },
	{ "a dot alone", 0, true, SLICE(".\n"), true },
	{ "a dot alone without a line end", 0, true, SLICE("."), true },
	{ "dots at every line", 0, true, SLICE(".\n..\n...x\n.\n"), true },
	{ "what ends a message, inside", 0, true, SLICE("a\n.\nQUIT\n"), true },
};

static void fill_body(struct buf *out, const struct body *body)
{
	for (size_t i = 1; i <= body->fill; i++)
		buf_add_char(out, !body->one_line && i % LINE == 0 ? '\n' : 'a');
	buf_add_slice(out, body->tail);
}

/* RFC 5321 section 4.5.2 from the other side: lines that begin with a dot lose it. */
static void unstuff(struct buf *out, struct slice wire)
{
	while (wire.len > 0) {
		i64 end = slice_find(wire, SLICE("\r\n"));
		struct slice line;

		assert_true(end >= 0);
		line = slice_first(wire, (size_t)end + 2);
		assert_false(slice_equal(line, SLICE(".\r\n")));
		buf_add_slice(out, line.ptr[0] == '.' ? slice_from(line, 1) : line);
		wire = slice_from(wire, line.len);
	}
}

/* Sends the composed message; the first send of content takes `first` bytes, then all goes. */
static void send_cut(struct fixture *f, const char *ehlo, u64 first, struct buf *content)
{
	const struct smtp_client_params params = { .ehlo_name = SLICE("client.test"),
						   .depth = 1,
						   .capability_mask = ~0u };
	static struct peer_message message;
	struct peer peer;
	bool bdat = strstr(ehlo, "CHUNKING") != NULL;
	i64 start;

	memset(&message, 0, sizeof(message));
	message.name = "m";
	message.transaction = (struct smtp_transaction){
		.sender = SLICE("a@x.test"),
		.recipients = message.recipients,
		.recipient_count = 1,
		.pieces = f->composed.pieces,
		.piece_count = f->composed.piece_count,
		.size = f->composed.size,
	};
	message.recipients[0].address = SLICE("b@y.test");
	peer_init(&peer, &params, 1);
	peer_packet(&peer, SLICE("220 mx\r\n"));
	peer_packet(&peer, slice_of(ehlo));
	peer_give(&peer, &message);
	peer_send(&peer);
	peer_packet(&peer, SLICE("250 ok\r\n"));
	if (!bdat)
		peer_packet(&peer, SLICE("250 ok\r\n"));
	peer.window = first;
	peer_packet(&peer, bdat ? SLICE("250 ok\r\n") : SLICE("354 go\r\n"));
	peer.window = UINT64_MAX;
	peer_send(&peer);
	peer_packet(&peer, SLICE("250 taken\r\n"));
	assert_true(message.done);
	start = slice_find(buf_slice(&peer.wire), bdat ? SLICE(" LAST\r\n") : SLICE("DATA\r\n"));
	assert_true(start > 0);
	buf_reset(content);
	buf_add_slice(content, slice_from(buf_slice(&peer.wire), (size_t)start + (bdat ? 7 : 6)));
	peer_done(&peer);
}

static void compose_body(struct fixture *f, const struct body *body)
{
	struct buf text;

	buf_init(&text, 1u << 16);
	fill_body(&text, body);
	assert_true(fixture_compile_body(f, buf_slice(&text)));
	assert_int_equal(fixture_compose(f, false), MESSAGE_OK);
	buf_done(&text);
}

static void dots_are_stuffed_alike_wherever_a_send_is_cut(void **state)
{
	struct fixture f;
	struct buf content;
	struct buf plain;

	(void)state;
	fixture_init(&f);
	buf_init(&content, 1u << 20);
	buf_init(&plain, 1u << 20);
	for (size_t i = 0; i < array_count(bodies); i++) {
		const struct slice end = SLICE(".\r\n");

		compose_body(&f, &bodies[i]);
		if ((f.wire.len > f.bytes.len) != bodies[i].stuffed)
			fail_msg("%s: %zu bytes, %zu on the wire", bodies[i].name, f.bytes.len,
				 f.wire.len);
		for (size_t cut = 0; cut <= f.wire.len + end.len; cut++) {
			struct slice got;

			send_cut(&f, "250-mx\r\n250 8BITMIME\r\n", cut, &content);
			got = buf_slice(&content);
			assert_true(got.len > end.len);
			assert_slice(slice_from(got, got.len - end.len), end);
			got = slice_first(got, got.len - end.len);
			assert_slice(got, buf_slice(&f.wire));
			buf_reset(&plain);
			unstuff(&plain, got);
			assert_slice(buf_slice(&plain), buf_slice(&f.bytes));
		}
	}
	buf_done(&plain);
	buf_done(&content);
	fixture_done(&f);
}

static void behind_bdat_no_dot_is_added(void **state)
{
	struct fixture f;
	struct buf content;

	(void)state;
	fixture_init(&f);
	buf_init(&content, 1u << 20);
	for (size_t i = 0; i < array_count(bodies); i++) {
		compose_body(&f, &bodies[i]);
		for (size_t cut = 0; cut <= f.bytes.len; cut += 1 + cut / 512) {
			send_cut(&f, "250-mx\r\n250 CHUNKING\r\n", cut, &content);
			assert_slice(buf_slice(&content), buf_slice(&f.bytes));
		}
	}
	buf_done(&content);
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dots_are_stuffed_alike_wherever_a_send_is_cut),
		cmocka_unit_test(behind_bdat_no_dot_is_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
