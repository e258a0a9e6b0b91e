#include "message/compiled.h"

#include "base/text.h"
#include "base/utf8.h"
#include "message/encode.h"
#include "message/header.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_MAX (1024u << 20)
#define BODY_LINE_MAX 998

/*
 * LF line ends. In a whole message a bare CR is refused: readers disagree about what it means, and
 * such disagreement is how a second message is smuggled into the first.
 */
static bool normalise(struct compiler *c, struct slice in, bool is_whole, struct slice *out)
{
	char *to;
	size_t n = 0;
	u32 line = 1;

	*out = SLICE("");
	if (in.len > MESSAGE_TEMPLATE_MAX)
		return error_set(c->error, "%s: the template is over %u bytes", c->message->name,
				 MESSAGE_TEMPLATE_MAX);
	to = arena_take(&c->message->arena, in.len + 1);
	if (!to)
		return error_set(c->error, "%s: out of memory", c->message->name);
	for (size_t i = 0; i < in.len; i++) {
		char byte = in.ptr[i];
		bool pair = byte == '\r' && i + 1 < in.len && in.ptr[i + 1] == '\n';

		if (byte == '\0')
			return error_set(c->error, "%s:%u: there is a NUL byte", c->message->name,
					 line);
		if (byte == '\r' && !pair && is_whole)
			return error_set(c->error, "%s:%u: there is a CR without LF",
					 c->message->name, line);
		line += byte == '\n';
		if (!pair)
			to[n++] = byte == '\r' ? '\n' : byte;
	}
	*out = (struct slice){ to, n };
	return true;
}

/* The boundary depends on the content alone, so that compiling again gives the same bytes. */
static bool make_boundary(struct compiler *c, const struct message_source *source)
{
	const struct slice parts[] = { source->whole, source->headers, source->text, source->html };
	struct sha256 hash;
	u8 digest[SHA256_SIZE];
	char text[2 + 24];

	sha256_init(&hash);
	for (size_t i = 0; i < array_count(parts); i++) {
		u64 len = parts[i].len;

		sha256_add(&hash, &len, sizeof(len));
		if (len > 0)
			sha256_add(&hash, parts[i].ptr, parts[i].len);
	}
	sha256_finish(&hash, digest);
	/* "=_" cannot occur in quoted-printable or base64 (RFC 2045 section 6.7). */
	memcpy(text, "=_", 2);
	hex_encode(text + 2, digest, 12);
	c->message->boundary = arena_copy(&c->message->arena, (struct slice){ text, sizeof(text) });
	return c->message->boundary.ptr != NULL;
}

static struct mime_part *make_leaf(struct compiler *c, struct slice body, bool is_html, u32 number)
{
	struct mime_part *part = arena_take(&c->message->arena, sizeof(*part));
	char name[128];
	struct buf text = { .ptr = name, .size = sizeof(name), .max = sizeof(name) };

	if (!part)
		return NULL;
	/* The line end in front of a boundary is the boundary's; one is enough. */
	if (body.len > 0 && body.ptr[body.len - 1] == '\n')
		body.len--;
	buf_add_slice(&text, slice_first(slice_of(c->message->name), 100));
	buf_add_text(&text, is_html ? " (html)" : " (text)");
	part->source_name = arena_copy(&c->message->arena, buf_slice(&text)).ptr;
	part->body = body;
	part->body_line = 1;
	part->number = number;
	part->is_text = true;
	part->is_html = is_html;
	part->type = is_html ? SLICE("text/html") : SLICE("text/plain");
	return part;
}

static struct mime_part *make_tree(struct compiler *c, struct slice text, struct slice html)
{
	struct mime_part *root = arena_take(&c->message->arena, sizeof(*root));

	if (html.len == 0)
		return make_leaf(c, text, false, 0);
	if (text.len == 0)
		return make_leaf(c, html, true, 0);
	if (!root)
		return NULL;
	root->is_multipart = true;
	root->type = SLICE("multipart/alternative");
	root->children = make_leaf(c, text, false, 1);
	if (!root->children)
		return NULL;
	root->children->next = make_leaf(c, html, true, 2);
	return root->children->next ? root : NULL;
}

static bool read_source(struct compiler *c, const struct message_source *source)
{
	struct slice headers;
	struct slice text;
	struct slice html;

	if (source->whole.len > 0) {
		if (!normalise(c, source->whole, true, &text))
			return false;
		c->root = mime_parse(&c->message->arena, c->message->name, text, 1, c->error);
		return c->root && compile_headers(c, c->root->headers, 1);
	}
	if (!normalise(c, source->headers, false, &headers) ||
	    !normalise(c, source->text, false, &text) || !normalise(c, source->html, false, &html))
		return false;
	while (headers.len > 0 && headers.ptr[headers.len - 1] == '\n')
		headers.len--;
	if (slice_find(headers, SLICE("\n\n")) >= 0)
		return error_set(c->error, "%s: there is an empty line between header fields",
				 c->message->name);
	c->root = make_tree(c, text, html);
	if (!c->root)
		return error_set(c->error, "%s: out of memory", c->message->name);
	return compile_headers(c, headers, 1);
}

/* Names and raw values of the fields in a finished header block. */
static size_t list_fields(struct slice block, struct dkim_field *fields, size_t max)
{
	size_t count = 0;

	while (block.len > 0 && block.ptr[0] != '\r' && count < max) {
		i64 colon = slice_find_char(block, ':');
		size_t end = 0;

		do {
			end += (size_t)slice_find_char(slice_from(block, end), '\n') + 1;
		} while (end < block.len && (block.ptr[end] == ' ' || block.ptr[end] == '\t'));
		fields[count].name = slice_first(block, (size_t)colon);
		fields[count].value =
			(struct slice){ block.ptr + colon + 1, end - 2 - (size_t)colon - 1 };
		count++;
		block = slice_from(block, end);
	}
	return count;
}

static bool make_plan(struct compiler *c, struct message_variant *variant)
{
	struct dkim_field fields[DKIM_FIELDS_MAX + 1];
	struct dkim_plan_params params = {
		.keys = c->options->keys,
		.key_count = c->options->key_count,
		.from_domain = slice_of(c->message->facts.from_domain),
		.fields = fields,
		.body_canon = DKIM_RELAXED,
		.expire_s = c->options->dkim_expire_s,
	};
	size_t count = 0;

	if (c->options->key_count == 0)
		return true;
	for (; count < c->message->own_count; count++)
		fields[count] = (struct dkim_field){ .name = c->message->own[count].name };
	count += list_fields(variant->header, fields + count, array_count(fields) - count);
	if (count > DKIM_FIELDS_MAX)
		return error_set(c->error, "%s: there are more than %d header fields",
				 c->message->name, DKIM_FIELDS_MAX);
	params.field_count = count;
	variant->plan = dkim_plan_make(&params, c->error);
	return variant->plan || error_prefix(c->error, "%s", c->message->name);
}

/* Of a literal message, with its charset and boundary. */
static bool add_content_fields(struct compiler *c, struct buf *out)
{
	struct slice rest = c->root->headers;
	struct mime_header header;
	u32 line = c->root->header_line;
	int more;

	while ((more = mime_next_header(&rest, &line, c->message->name, &header, c->error)) > 0) {
		if (slice_has_prefix_nocase(header.name, SLICE("Content-")))
			header_add_kept(out, header.name, header.value);
	}
	return more == 0;
}

static bool make_header(struct compiler *c, struct message_variant *variant)
{
	struct buf out;
	struct buf text;
	bool done = true;

	buf_init(&out, HEAD_MAX);
	buf_init(&text, HEAD_MAX);
	for (u32 i = 0; i < c->shared_count && done; i++)
		done = compose_header(c->message, &c->shared[i], NULL, &text, &out, c->error);
	if (done) {
		buf_add_text(&out, "MIME-Version: 1.0\r\n");
		done = c->as_it_is ? add_content_fields(c, &out)
				   : compile_part_header(c, c->root, true, &out);
	}
	buf_add_text(&out, "\r\n");
	if (done && out.failed)
		done = error_set(c->error, "%s: the header is too big", c->message->name);
	if (done) {
		variant->header = arena_copy_buf(&c->message->arena, &out);
		variant->utf8_header = !utf8_is_ascii(buf_slice(&out));
		done = variant->header.ptr != NULL;
	}
	buf_done(&out);
	buf_done(&text);
	return done;
}

static bool make_variant(struct compiler *c, bool eightbit)
{
	struct message *message = c->message;
	struct message_variant *variant = &message->variants[message->variant_count];

	c->eightbit = eightbit;
	c->dots = 0;
	if (!c->as_it_is && !compile_choose(c, c->root))
		return false;
	if (!c->as_it_is && eightbit && !c->root->eightbit)
		return true; /* nothing would differ */
	variant->eightbit = eightbit;
	if (!compile_body(c, variant) || !make_header(c, variant) || !make_plan(c, variant))
		return false;
	message->variant_count++;
	return true;
}

/*
 * No value and no recipient's address anywhere: only what the caller gives to Date and Message-ID.
 */
static bool is_same_for_all(const struct message *message)
{
	if (message->facts.field_uses > 0)
		return false;
	for (u32 i = 0; i < message->own_count; i++) {
		if (message->own[i].kind != HEADER_DATE &&
		    message->own[i].kind != HEADER_MESSAGE_ID)
			return false;
	}
	return true;
}

static bool take_fields(struct compiler *c)
{
	struct message *message = c->message;

	message->fields = (struct template_field *)(void *)(uintptr_t)arena_copy_buf(
				  &message->arena, &c->set.fields)
				  .ptr;
	return message->fields || error_set(c->error, "%s: out of memory", message->name);
}

/* Texts are read for merge fields and encoded as the road wants them. */
static bool make_variants(struct compiler *c)
{
	size_t header_fields = c->set.fields.len;

	if (!compile_leaves(c, c->root))
		return false;
	c->body_has_fields = c->set.fields.len > header_fields;
	return take_fields(c) && make_variant(c, false) &&
	       (c->options->encoding != MESSAGE_ENCODING_8BIT || make_variant(c, true));
}

/* The top's Content-* fields; *type: one of them says what the body is. */
static bool content_fields_may_stay(const struct compiler *c, bool *type)
{
	struct slice rest = c->root->headers;
	struct mime_header header;
	struct error ignored;
	u32 line = 1;

	*type = false;
	while (mime_next_header(&rest, &line, "", &header, &ignored) > 0) {
		*type |= slice_equal_nocase(header.name, SLICE("Content-Type"));
		if (slice_has_prefix_nocase(header.name, SLICE("Content-")) &&
		    !header_may_stay(header.name, header.value))
			return false;
	}
	return true;
}

static bool body_may_stay(const struct compiler *c, const struct text_shape *shape)
{
	bool type;

	if (!content_fields_may_stay(c, &type) || shape->longest_line > BODY_LINE_MAX ||
	    shape->dot_lines > LITERAL_DOTS_SHARED_MAX)
		return false;
	return shape->ascii || (type && (c->root->encoding == MIME_8BIT || !c->root->is_text));
}

/*
 * As it is where that can be. Receivers without 8BITMIME get octets over 127 encoded; where even
 * that cannot be, since what is inside is another's (signed, or a message), they get none of it.
 */
static bool make_literal(struct compiler *c)
{
	struct text_shape shape = text_shape_of(c->root->body);

	if (!body_may_stay(c, &shape))
		return make_variants(c);
	if (!shape.ascii &&
	    (!compile_leaves(c, c->root) || !take_fields(c) || !make_variant(c, false)))
		c->message->variant_count = 0;
	c->error->text[0] = '\0';
	c->as_it_is = true;
	return take_fields(c) && make_variant(c, !shape.ascii);
}

static bool compile(struct compiler *c, const struct message_source *source)
{
	struct message *message = c->message;

	if (!make_boundary(c, source) || !read_source(c, source))
		return false;
	if (!(c->is_literal ? make_literal(c) : make_variants(c)))
		return false;
	message->facts.body_is_shared = message->variants[0].is_shared;
	message->facts.body_bytes = message->variants[0].literal_bytes;
	message->facts.shared_prefix_bytes = message->variants[0].prefix.hashed_bytes;
	message->facts.field_uses = (u32)(c->set.fields.len / sizeof(struct template_field));
	message->facts.is_same_for_all = is_same_for_all(message);
	return true;
}

struct message *message_compile(const struct message_source *source,
				const struct message_options *options, struct error *error)
{
	struct message *message = calloc(1, sizeof(*message));
	struct compiler c = { .message = message, .options = options, .error = error };
	bool done;

	error->text[0] = '\0';
	if (!message) {
		error_set(error, "%s: out of memory", source->name);
		return NULL;
	}
	arena_init(&message->arena, 64u << 10, ARENA_MAX);
	message->name = arena_copy(&message->arena, slice_of(source->name)).ptr;
	message->charset = options->charset;
	c.is_literal = options->literal && source->whole.len > 0;
	c.set = (struct template_set){ .options = options, .arena = &message->arena };
	buf_init(&c.set.fields, (TEMPLATE_FIELDS_MAX + 1) * sizeof(struct template_field));
	done = message->name ? options->column_count <= MESSAGE_COLUMNS_MAX ||
				       error_set(error, "%s: there are more than %d columns",
						 source->name, MESSAGE_COLUMNS_MAX)
			     : error_set(error, "out of memory");
	done = done && compile(&c, source);
	buf_done(&c.set.fields);
	if (done)
		return message;
	if (!error->text[0])
		error_set(error, "%s: out of memory", source->name);
	message_free(message);
	return NULL;
}

void message_free(struct message *message)
{
	if (!message)
		return;
	for (size_t i = 0; i < array_count(message->variants); i++) {
		if (message->variants[i].plan)
			dkim_plan_free(message->variants[i].plan);
	}
	arena_done(&message->arena);
	free(message);
}

void message_facts(const struct message *message, struct message_facts *facts)
{
	*facts = message->facts;
}
