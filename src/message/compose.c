#include "message/compiled.h"

#include "base/text.h"
#include "base/utf8.h"
#include "message/encode.h"
#include "message/japanese.h"
#include "message/value.h"

#include <string.h>

#define TOKEN_MAX 128
#define BODY_LINE_MAX 998
#define WORK_MAX (16u << 20)

/* One message being composed. Pieces that lie in scratch hold offsets until scratch is complete. */
struct composer {
	const struct message *message;
	const struct message_variant *variant;
	struct message_composed *out;
	struct value_maker maker;
	u32 offsets[MESSAGE_PIECES_MAX];
	size_t run_start; /* where the run of copied bytes begins that is no piece yet */
	size_t column;    /* of the current line */
	bool line_start;
	bool is_stuffed; /* the dot in front of what comes next is there already */
	bool overflow;   /* the dots of this recipient's values used up the pieces */
	bool retry;      /* 8-bit does not suit this recipient's values */
	bool full;       /* memory's maximum */
};

void message_composed_init(struct message_composed *composed)
{
	*composed = (struct message_composed){ 0 };
	buf_init(&composed->head, HEAD_MAX);
	buf_init(&composed->scratch, SCRATCH_MAX);
	buf_init(&composed->fields, HEAD_MAX);
	for (size_t i = 0; i < array_count(composed->work); i++)
		buf_init(&composed->work[i], WORK_MAX);
}

void message_composed_done(struct message_composed *composed)
{
	buf_done(&composed->head);
	buf_done(&composed->scratch);
	buf_done(&composed->fields);
	for (size_t i = 0; i < array_count(composed->work); i++)
		buf_done(&composed->work[i]);
}

static bool add_piece(struct composer *c, const char *ptr, size_t offset, size_t len, bool stuffing)
{
	struct message_composed *out = c->out;

	if (out->piece_count == MESSAGE_PIECES_MAX) {
		c->overflow = true;
		return false;
	}
	c->offsets[out->piece_count] = (u32)offset;
	out->pieces[out->piece_count++] = (struct piece){ ptr, (u32)len, stuffing };
	return true;
}

/* Ends the run of copied bytes. */
static bool flush(struct composer *c)
{
	size_t start = c->run_start;
	size_t len = c->out->scratch.len - start;

	c->run_start = c->out->scratch.len;
	return len == 0 || add_piece(c, NULL, start, len, false);
}

static bool add_dot(struct composer *c)
{
	c->is_stuffed = true;
	return flush(c) && add_piece(c, ".", 0, 1, true);
}

/* Refuses for this recipient, or in the 8-bit variant asks for the other one. */
static bool impossible(struct composer *c, const struct message_op *op, const char *why)
{
	if (c->variant != &c->message->variants[0]) {
		c->retry = true;
		return false;
	}
	return value_refuse(&c->maker, &c->message->fields[op->field], why);
}

static const struct message_op *field_before(const struct composer *c, const struct message_op *op)
{
	while (op > c->variant->ops && op->kind != OP_FIELD && op->kind != OP_TURN)
		op--;
	return op;
}

static bool add_literal(struct composer *c, const struct message_op *op)
{
	struct message_composed *out = c->out;

	/*
	 * Only behind a value can a literal's first dot come to stand at a line's start unforeseen.
	 */
	if (c->line_start && !c->is_stuffed && op->literal.ptr[0] == '.' && !add_dot(c))
		return false;
	c->is_stuffed = false;
	/* In a shared body the compiler looked for such lines, or they are the author's. */
	if (c->variant->eightbit && !c->variant->is_shared && c->line_start &&
	    slice_has_prefix(op->literal, SLICE("From ")))
		return impossible(c, field_before(c, op), "a line begins with \"From \"");
	if (c->column + op->first_line > BODY_LINE_MAX)
		return impossible(c, field_before(c, op), "a line would be over 998 octets");
	c->column = op->has_line_end ? op->last_line : c->column + op->last_line;
	c->line_start = op->literal.ptr[op->literal.len - 1] == '\n';
	if (!op->separate) {
		buf_add_slice(&out->scratch, op->literal);
		return true;
	}
	return flush(c) && add_piece(c, op->literal.ptr, 0, op->literal.len, false);
}

/* A value in a 7bit or 8bit part: CRLF line ends, dots doubled, line lengths watched. */
static bool add_raw(struct composer *c, const struct message_op *op, struct slice value)
{
	struct slice rest = value;

	if (slice_find(value, c->message->boundary) >= 0)
		return impossible(c, op, "the value holds a MIME boundary");
	if (value.len == 0)
		return true;
	while (rest.ptr) {
		struct slice line = slice_split(&rest, '\n');

		/* Relays that keep mail in mbox files change such a line, and break the signature.
		 */
		if (c->variant->eightbit && c->line_start && slice_has_prefix(line, SLICE("From ")))
			return impossible(c, op, "a line begins with \"From \"");
		if (c->line_start && line.len > 0 && line.ptr[0] == '.' && !add_dot(c))
			return false;
		c->is_stuffed = false;
		buf_add_slice(&c->out->scratch, line);
		c->column += line.len;
		if (c->column > BODY_LINE_MAX)
			return impossible(c, op, "a line would be over 998 octets");
		c->line_start &= line.len == 0;
		if (rest.ptr) {
			buf_add(&c->out->scratch, "\r\n", 2);
			c->column = 0;
			c->line_start = true;
		}
	}
	return true;
}

static void add_quoted(struct composer *c, const struct message_op *op, struct slice value)
{
	u32 column = op->column;

	quoted_add(&c->out->scratch, &column, value);
	if (!op->line_end_follows)
		quoted_add_break(&c->out->scratch, &column);
	c->column = 0; /* quoted-printable keeps its lines short by itself */
	c->line_start = !op->line_end_follows;
	c->is_stuffed = false;
}

static bool refuse_character(struct composer *c, const struct template_field *field, u32 bad)
{
	char why[160];
	struct buf text = { .ptr = why, .size = sizeof(why), .max = sizeof(why) };

	buf_add_format(&text, "ISO-2022-JP cannot carry U+%04X: %s", bad, japanese_advice(bad));
	return value_refuse(&c->maker, field, buf_text(&text));
}

static bool add_field(struct composer *c, const struct message_op *op)
{
	const struct template_field *field = &c->message->fields[op->field];
	struct slice value;

	if (!value_get(&c->maker, field, &value))
		return false;
	if (op->japanese) {
		struct buf *converted = value_next_buffer(&c->maker);
		u32 bad;

		if (!japanese_encode(converted, value, &bad))
			return refuse_character(c, field, bad);
		if (converted->failed) {
			c->full = true;
			return false;
		}
		value = buf_slice(converted);
	}
	if (op->out == OUT_RAW)
		return add_raw(c, op, value);
	add_quoted(c, op, value);
	return true;
}

/* One operation; *at becomes the next one's number. */
static bool run_one(struct composer *c, size_t *at)
{
	const struct message_op *op = &c->variant->ops[*at];
	u32 target;
	int turn;

	++*at;
	switch (op->kind) {
	case OP_LITERAL:
		return add_literal(c, op);
	case OP_FIELD:
		return add_field(c, op);
	case OP_DOT:
		return add_dot(c);
	}
	turn = value_turn(&c->maker, op->field, &target);
	if (turn > 0)
		*at = op->target + 1u;
	return turn >= 0;
}

static bool run(struct composer *c)
{
	const struct message_variant *v = c->variant;

	c->line_start = true;
	for (size_t at = 0; at < v->op_count;) {
		const struct message_op *op = &v->ops[at];
		bool done = run_one(c, &at);

		if (c->overflow)
			return impossible(c, field_before(c, op),
					  "too many lines begin with a dot");
		if (!done || c->out->scratch.failed ||
		    (!v->is_shared && !value_step(&c->maker, op->field)))
			return false;
	}
	if (!flush(c))
		return impossible(c, field_before(c, v->ops + v->op_count - 1),
				  "too many lines begin with a dot");
	return true;
}

/* Runs the program; then scratch is complete and its pieces can point into it. */
static bool add_body(struct composer *c)
{
	struct message_composed *out = c->out;

	if (!run(c))
		return false;
	for (u32 i = 0; i < out->piece_count; i++) {
		if (!out->pieces[i].ptr && out->pieces[i].len > 0)
			out->pieces[i].ptr = out->scratch.ptr + c->offsets[i];
	}
	return true;
}

/* The shared part was hashed when the message was compiled; what follows is fed piece by piece. */
static void hash_body(struct composer *c, u8 hash[SHA256_SIZE])
{
	const struct message_variant *v = c->variant;
	struct message_composed *out = c->out;
	struct dkim_body body;
	u64 skip = v->prefix_bytes;

	out->saved_bytes = skip;
	if (v->is_shared) {
		memcpy(hash, v->body_hash, SHA256_SIZE);
		return;
	}
	body = v->prefix;
	for (u32 i = 2; i < out->piece_count; i++) {
		const struct piece *piece = &out->pieces[i];
		u64 from = min_u64(skip, piece->len);

		if (piece->stuffing)
			continue;
		skip -= from;
		dkim_body_feed(&body, piece->ptr + from, piece->len - from);
		out->hashed_bytes += piece->len - from;
	}
	dkim_body_finish(&body, hash);
}

/* Renders the own header fields; values[i] are what DKIM signs. */
static bool add_fields(struct composer *c, struct slice values[OWN_HEADERS_MAX])
{
	const struct message *m = c->message;
	struct buf *fields = &c->out->fields;
	size_t ends[OWN_HEADERS_MAX];
	size_t start = 0;

	for (u32 i = 0; i < m->own_count; i++) {
		if (!compose_header(m, &m->own[i], &c->maker, &c->out->work[2], fields,
				    c->maker.error))
			return false;
		if (c->out->work[2].failed || fields->failed) {
			c->full = true;
			return false;
		}
		ends[i] = fields->len;
	}
	for (u32 i = 0; i < m->own_count; i++) {
		size_t at = start + m->own[i].name.len + 1;

		values[i] = (struct slice){ fields->ptr + at, ends[i] - 2 - at };
		start = ends[i];
	}
	return true;
}

static bool compose(struct composer *c)
{
	struct message_composed *out = c->out;
	const struct message_variant *v = c->variant;
	struct slice values[OWN_HEADERS_MAX];
	u8 hash[SHA256_SIZE];

	if (!add_piece(c, "", 0, 0, false) ||
	    !add_piece(c, v->header.ptr, 0, v->header.len, false) || !add_body(c) ||
	    !add_fields(c, values))
		return false;
	if (v->plan) {
		hash_body(c, hash);
		if (!dkim_prepare(&out->dkim, v->plan, values, c->message->own_count, hash,
				  c->maker.recipient->date_ms / 1000, &out->head)) {
			c->full = true;
			return false;
		}
		out->is_signed = true;
	}
	buf_add_slice(&out->head, buf_slice(&out->fields));
	out->pieces[0].ptr = out->head.ptr;
	out->pieces[0].len = (u32)out->head.len;
	for (u32 i = 0; i < out->piece_count; i++)
		out->size += out->pieces[i].stuffing ? 0 : out->pieces[i].len;
	out->eightbit = v->eightbit;
	out->utf8_headers = v->utf8_header || !utf8_is_ascii(buf_slice(&out->fields));
	return !out->head.failed;
}

static void reset(struct message_composed *out)
{
	buf_reset(&out->head);
	buf_reset(&out->scratch);
	buf_reset(&out->fields);
	for (size_t i = 0; i < array_count(out->work); i++)
		buf_reset(&out->work[i]);
	out->piece_count = 0;
	out->size = 0;
	out->hashed_bytes = 0;
	out->saved_bytes = 0;
	out->is_signed = false;
}

static bool lacks_memory(const struct message_composed *out)
{
	bool lacks = out->head.no_memory || out->scratch.no_memory || out->fields.no_memory;

	for (size_t i = 0; i < array_count(out->work); i++)
		lacks |= out->work[i].no_memory;
	return lacks;
}

/* Tokens become part of identifiers and addresses: letters, digits, hyphens. */
static bool is_token(struct slice token)
{
	for (size_t i = 0; i < token.len; i++) {
		char c = token.ptr[i];

		if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-')
			return false;
	}
	return token.len > 0 && token.len <= TOKEN_MAX;
}

enum message_result message_compose(const struct message *message,
				    const struct message_recipient *recipient, bool eightbit_ok,
				    struct message_composed *composed, struct error *error)
{
	u32 variant = eightbit_ok ? message->variant_count - 1 : 0;

	for (;;) {
		struct composer c = { .message = message,
				      .out = composed,
				      .variant = &message->variants[variant] };

		reset(composed);
		if (!is_token(recipient->token) ||
		    (recipient->id.len > 0 && !is_token(recipient->id))) {
			error_set(error,
				  "%s: the recipient's token or id is not 1 to %d characters of "
				  "a-z, 0-9 and hyphen",
				  message->name, TOKEN_MAX);
			return MESSAGE_BAD_VALUE;
		}
		value_maker_init(&c.maker, message, recipient, composed->work, error);
		if (compose(&c))
			return MESSAGE_OK;
		if (lacks_memory(composed)) {
			error_set(error, "%s: out of memory", message->name);
			return MESSAGE_NO_MEMORY;
		}
		if (c.full || composed->scratch.failed || composed->head.failed) {
			error_set(error, "%s: the composed message is too big", message->name);
			return MESSAGE_TOO_BIG;
		}
		if (!c.retry)
			return MESSAGE_BAD_VALUE;
		variant = 0;
	}
}

void message_seal(struct message_composed *composed)
{
	if (composed->is_signed)
		dkim_finish(&composed->dkim, composed->head.ptr);
}
