/* The program of a body: literals in wire form, dots, fields. */
#include "message/compiled.h"

#include "base/text.h"
#include "message/encode.h"

#include <string.h>

/* Literals are collected in one buffer; ops hold offsets until the end. */
struct builder {
	struct compiler *c;
	struct buf bytes;
	struct buf ops;
	bool line_start; /* known to stand at a line's start */
	u32 loops;       /* around what is being added */
};

static void add_op(struct builder *b, const struct message_op *op)
{
	buf_add(&b->ops, op, sizeof(*op));
}

static struct message_op *last_op(const struct builder *b)
{
	size_t count = b->ops.len / sizeof(struct message_op);

	return count ? (struct message_op *)(void *)b->ops.ptr + count - 1 : NULL;
}

/* Makes what was appended to `bytes` since `from` part of a literal. */
static void close_literal(struct builder *b, size_t from)
{
	struct message_op *last = last_op(b);
	struct message_op op = { .kind = OP_LITERAL, .in_loop = b->loops > 0 };

	if (b->bytes.len == from || b->bytes.failed)
		return;
	b->line_start = b->bytes.ptr[b->bytes.len - 1] == '\n';
	if (last && last->kind == OP_LITERAL) {
		last->literal.len += b->bytes.len - from;
		return;
	}
	op.literal.len = b->bytes.len - from;
	add_op(b, &op);
}

static void add_bytes(struct builder *b, struct slice bytes)
{
	size_t from = b->bytes.len;

	buf_add_slice(&b->bytes, bytes);
	close_literal(b, from);
}

/* Text as it is, with CRLF, and a dot in front of every line that starts with one. */
static void add_raw(struct builder *b, struct slice text)
{
	static const struct message_op dot = { .kind = OP_DOT };
	struct slice rest = text;

	while (rest.ptr) {
		struct slice line = slice_split(&rest, '\n');
		size_t from = b->bytes.len;

		if (b->line_start && line.len > 0 && line.ptr[0] == '.')
			add_op(b, &dot);
		buf_add_slice(&b->bytes, line);
		if (rest.ptr)
			buf_add(&b->bytes, "\r\n", 2);
		close_literal(b, from);
	}
}

static void add_field(struct builder *b, const struct mime_part *part, u32 field, u32 column,
		      struct slice rest)
{
	struct message_op op = { .kind = OP_FIELD,
				 .out = part->out,
				 .field = field,
				 .column = column,
				 .japanese = slice_equal(part->out_charset, SLICE("ISO-2022-JP")),
				 .line_end_follows = rest.len == 0 || rest.ptr[0] == '\n' };

	add_op(b, &op);
}

/*
 * Whichever way the text takes, what stands behind a turn begins in column 0: in quoted-printable a
 * soft line break in front of the turn sees to that.
 */
static void add_turn(struct builder *b, const struct mime_part *part, u32 field, u32 column)
{
	const struct template_field *turn = &b->c->message->fields[field];
	struct message_op op = { .kind = OP_TURN, .field = field };
	size_t from = b->bytes.len;

	if (part->out == OUT_QUOTED && column > 0) {
		quoted_add_break(&b->bytes, &column);
		close_literal(b, from);
	}
	b->loops += turn->kind == TURN_EACH;
	b->loops -= turn->kind == TURN_NEXT;
	add_op(b, &op);
}

static void add_content(struct builder *b, const struct mime_part *part)
{
	struct slice rest = part->content;
	struct slice literal;
	bool is_turn = false;
	u32 column = 0;
	i32 field;

	while (template_next(&rest, &literal, &field)) {
		size_t from = b->bytes.len;

		if (part->out == OUT_QUOTED) {
			quoted_add(&b->bytes, &column, literal);
			close_literal(b, from);
		} else {
			add_raw(b, literal);
		}
		is_turn = field >= 0 && b->c->message->fields[field].kind != TEMPLATE_FIELD;
		if (field < 0)
			continue;
		if (is_turn)
			add_turn(b, part, (u32)field, column);
		else
			add_field(b, part, (u32)field, column, rest);
		b->line_start = false;
		column = 0; /* a soft break or a line end stands behind every value */
	}
	/* The soft break in front of a turn needs a line behind it. */
	if (is_turn && part->out == OUT_QUOTED)
		add_bytes(b, SLICE("\r\n"));
}

static void add_leaf(struct builder *b, const struct mime_part *part)
{
	size_t from = b->bytes.len;
	struct buf crlf;
	u32 column = 0;

	if (part->has_fields) {
		add_content(b, part);
	} else if (part->out == OUT_RAW) {
		add_raw(b, part->content);
	} else if (part->out == OUT_QUOTED) {
		quoted_add(&b->bytes, &column, part->content);
		close_literal(b, from);
	} else {
		buf_init(&crlf, 4u * MESSAGE_TEMPLATE_MAX);
		if (!part->is_binary)
			crlf_add(&crlf, part->content);
		base64_add_lines(&b->bytes, part->is_binary ? part->content : buf_slice(&crlf));
		b->bytes.failed |= crlf.failed;
		buf_done(&crlf);
		close_literal(b, from);
	}
}

static bool add_part(struct builder *b, struct mime_part *part)
{
	char room[64];
	struct buf delimiter = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };
	struct buf header;
	bool done = true;

	if (!part->is_multipart) {
		add_leaf(b, part);
		return !b->bytes.failed && !b->ops.failed;
	}
	buf_add_text(&delimiter, "--");
	buf_add_slice(&delimiter, b->c->message->boundary);
	buf_add_char(&delimiter, '_');
	buf_add_u64(&delimiter, part->number);
	buf_init(&header, 1u << 20);
	for (struct mime_part *child = part->children; child && done; child = child->next) {
		buf_reset(&header);
		done = compile_part_header(b->c, child, false, &header);
		add_bytes(b, buf_slice(&delimiter));
		add_bytes(b, SLICE("\r\n"));
		add_bytes(b, buf_slice(&header));
		add_bytes(b, SLICE("\r\n"));
		done = done && add_part(b, child);
		add_bytes(b, SLICE("\r\n"));
	}
	add_bytes(b, buf_slice(&delimiter));
	add_bytes(b, SLICE("--"));
	buf_done(&header);
	return done;
}

/* Which literals are worth pieces of their own: the largest, as many as there are pieces for. */
static void mark_separate(struct message_variant *v)
{
	size_t least = LITERAL_COPY_MAX;
	size_t count;

	do {
		count = 0;
		for (size_t i = 0; i < v->op_count; i++) {
			struct message_op *op = &v->ops[i];

			op->separate = op->kind == OP_LITERAL && !op->in_loop &&
				       (v->is_shared || op->literal.len >= least);
			count += op->separate;
		}
		least += least / 4;
	} while (!v->is_shared && count > LITERAL_SEPARATE_MAX);
}

static void measure_literal(struct message_op *op)
{
	i64 end = slice_find_char(op->literal, '\n');
	size_t last = op->literal.len;

	op->has_line_end = end >= 0;
	op->first_line = (u32)(end >= 0 ? (size_t)end - 1 : op->literal.len);
	while (last > 0 && op->literal.ptr[last - 1] != '\n')
		last--;
	op->last_line = (u32)(op->literal.len - last);
}

static bool is_shared(const struct message_op *op)
{
	return op->kind == OP_LITERAL || op->kind == OP_DOT;
}

/* The operation of each number's mark in this body. */
static bool find_targets(struct builder *b, struct message_variant *v)
{
	size_t count = b->c->set.fields.len / sizeof(struct template_field);
	u32 *ops = arena_take(&b->c->message->arena, (count + 1) * sizeof(*ops));

	if (!ops)
		return false;
	for (size_t i = 0; i < v->op_count; i++) {
		if (v->ops[i].kind == OP_TURN)
			ops[v->ops[i].field] = (u32)i;
	}
	for (size_t i = 0; i < v->op_count; i++) {
		u32 target = b->c->message->fields[v->ops[i].field].target;

		if (v->ops[i].kind == OP_TURN && target < count)
			v->ops[i].target = ops[target];
	}
	return true;
}

/* Hashes what is the same for everybody: the whole body, or what stands before the first field. */
static void hash_shared(struct message_variant *v)
{
	dkim_body_init(&v->prefix, DKIM_RELAXED);
	for (size_t i = 0; i < v->op_count && is_shared(&v->ops[i]); i++) {
		if (v->ops[i].kind != OP_LITERAL)
			continue;
		dkim_body_feed(&v->prefix, v->ops[i].literal.ptr, v->ops[i].literal.len);
		v->prefix_bytes += v->ops[i].literal.len;
	}
	if (v->is_shared) {
		struct dkim_body body = v->prefix;

		dkim_body_finish(&body, v->body_hash);
	}
}

static bool freeze(struct builder *b, struct message_variant *v)
{
	struct arena *arena = &b->c->message->arena;
	struct slice bytes = arena_copy(arena, buf_slice(&b->bytes));
	struct slice ops = arena_copy(arena, buf_slice(&b->ops));
	size_t at = 0;

	if (!bytes.ptr || !ops.ptr)
		return error_set(b->c->error, "%s: the message is too big", b->c->message->name);
	v->ops = (struct message_op *)(void *)(uintptr_t)ops.ptr;
	v->op_count = ops.len / sizeof(*v->ops);
	v->literal_bytes = bytes.len;
	v->is_shared = true;
	for (size_t i = 0; i < v->op_count; i++) {
		struct message_op *op = &v->ops[i];

		v->is_shared &= is_shared(op);
		if (op->kind != OP_LITERAL)
			continue;
		op->literal.ptr = bytes.ptr + at;
		at += op->literal.len;
		measure_literal(op);
	}
	mark_separate(v);
	hash_shared(v);
	return v->is_shared || find_targets(b, v) ||
	       error_set(b->c->error, "%s: out of memory", b->c->message->name);
}

bool compile_body(struct compiler *c, struct message_variant *variant)
{
	struct builder b = { .c = c, .line_start = true };
	struct message_op *last;
	bool done;

	buf_init(&b.bytes, 8u * MESSAGE_TEMPLATE_MAX);
	buf_init(&b.ops, TEMPLATE_FIELDS_MAX * 4 * sizeof(struct message_op));
	if (c->as_it_is) {
		add_raw(&b, c->root->body);
		done = !b.bytes.failed && !b.ops.failed;
	} else {
		done = add_part(&b, c->root);
	}
	last = last_op(&b);
	/* Content always ends with a line end: SMTP's final dot needs it, DKIM counts it. */
	if (done && last && (last->kind == OP_FIELD || last->kind == OP_TURN || !b.line_start))
		add_bytes(&b, SLICE("\r\n"));
	if (b.bytes.failed || b.ops.failed)
		done = done && error_set(c->error, "%s: the message is too big", c->message->name);
	done = done && freeze(&b, variant);
	buf_done(&b.bytes);
	buf_done(&b.ops);
	return done;
}
