/* Leaves and header fields of MIME parts: what is parsed, what passes as it is, which encoding. */
#include "message/compiled.h"

#include "base/text.h"
#include "base/utf8.h"
#include "message/encode.h"
#include "message/header.h"
#include "message/japanese.h"
#include "message/template_block.h"

#include <string.h>

#define BODY_LINE_MAX 998

static bool refuse(struct compiler *c, u32 line, const char *why)
{
	return error_set(c->error, "%s:%u: %s", c->message->name, line, why);
}

static bool has_braces(const struct compiler *c, struct slice text)
{
	return !c->options->literal && slice_find(text, SLICE("{{")) >= 0;
}

/* Charsets whose text is UTF-8 as it stands, so that the output's charset may be chosen. */
static bool is_utf8_charset(struct slice charset)
{
	return charset.len == 0 || slice_equal_nocase(charset, SLICE("utf-8")) ||
	       slice_equal_nocase(charset, SLICE("utf8")) ||
	       slice_equal_nocase(charset, SLICE("us-ascii"));
}

/* Turns marked UTF-8 into marked ISO-2022-JP; `source` is for the line of what is impossible. */
static bool to_japanese(struct compiler *c, struct slice marked,
			const struct template_source *source, struct buf *out)
{
	struct slice rest = marked;
	struct slice literal;
	i32 field;

	while (template_next(&rest, &literal, &field)) {
		u32 bad = 0;
		char shown[4];
		const char *mark = literal.ptr + literal.len;

		if (!japanese_encode(out, literal, &bad)) {
			size_t len = utf8_encode(shown, bad);
			i64 at = slice_find(source->text, (struct slice){ shown, len });
			const char *name;
			u32 line = template_line(source, at < 0 ? 0 : (size_t)at, &name);

			return error_set(
				c->error, "%s:%u: ISO-2022-JP cannot carry \"%.*s\" (U+%04X): %s",
				name, line, (int)len, shown, bad, japanese_advice(bad));
		}
		if (field >= 0)
			buf_add(out, mark, 4);
	}
	return !out->failed || refuse(c, source->line, "the text is too big");
}

static bool has_loops(const struct compiler *c, size_t before)
{
	const struct template_field *fields = (const void *)c->set.fields.ptr;

	for (size_t i = before; i < c->set.fields.len / sizeof(*fields); i++) {
		if (fields[i].kind == TURN_EACH)
			return true;
	}
	return false;
}

/* Blocks in their places, then fields and turns marked. */
static bool parse_text(struct compiler *c, struct mime_part *part, struct template_source *source,
		       struct buf *marked)
{
	struct buf text;
	struct buf origins;
	bool done = true;

	buf_init(&text, MESSAGE_TEMPLATE_MAX);
	buf_init(&origins, TEMPLATE_ORIGINS_MAX * sizeof(struct template_origin));
	if (c->options->blocks && !c->options->literal) {
		struct template_blocks blocks = { .blocks = c->options->blocks,
						  .arena = &c->message->arena,
						  .html = part->is_html,
						  .out = &text,
						  .origins = &origins,
						  .error = c->error };

		done = template_blocks_expand(&blocks, source);
		source->text = buf_slice(&text);
		source->origins = (const void *)origins.ptr;
		source->origin_count = origins.len / sizeof(struct template_origin);
	}
	done = done && template_parse(&c->set, source, part->is_html ? PLACE_HTML : PLACE_TEXT,
				      marked, c->error);
	if (done && c->options->charset == MESSAGE_ISO_2022_JP) {
		struct buf converted;

		buf_init(&converted, 8u * MESSAGE_TEMPLATE_MAX);
		done = to_japanese(c, buf_slice(marked), source, &converted);
		buf_done(marked);
		*marked = converted;
	}
	buf_done(&text);
	buf_done(&origins);
	return done;
}

/* A text whose charset and encoding we choose, and which may hold fields. */
static bool take_template(struct compiler *c, struct mime_part *part,
			  struct template_source *source)
{
	size_t before = c->set.fields.len / sizeof(struct template_field);
	struct buf marked;
	bool done;

	buf_init(&marked, 4u * MESSAGE_TEMPLATE_MAX);
	done = parse_text(c, part, source, &marked);
	if (done) {
		part->has_fields = template_has_fields(buf_slice(&marked));
		part->has_loops = has_loops(c, before);
		part->out_charset = c->options->charset == MESSAGE_ISO_2022_JP
					    ? SLICE("ISO-2022-JP")
					    : SLICE("utf-8");
		part->content = arena_copy_buf(&c->message->arena, &marked);
		done = part->content.ptr || refuse(c, part->body_line, "the text is too big");
	}
	buf_done(&marked);
	return done;
}

static bool take_base64(struct compiler *c, struct mime_part *part)
{
	size_t size = part->body.len / 4 * 3 + 3;
	char *decoded = arena_take(&c->message->arena, size);
	struct text_shape shape = text_shape_of(part->body);
	size_t len = 0;

	if (!decoded || !base64_decode(decoded, size, &len, part->body))
		return refuse(c, part->body_line, "the part declares base64, but is not");
	if (part->is_text && has_braces(c, (struct slice){ decoded, len }))
		return refuse(c, part->body_line,
			      "merge fields cannot stand in a base64 part: save the "
			      "text as quoted-printable or 8bit");
	part->out_charset = part->charset;
	part->is_encoded = shape.longest_line <= 76 && shape.ascii && !shape.controls;
	part->out = part->is_encoded ? OUT_RAW : OUT_BASE64;
	part->cte = "base64";
	part->content = part->is_encoded ? part->body : (struct slice){ decoded, len };
	part->is_binary = !part->is_encoded;
	return true;
}

static bool take_quoted(struct compiler *c, struct mime_part *part)
{
	struct template_source source = { .name = c->message->name, .line = part->body_line };
	struct buf decoded;
	struct buf lines;
	bool done;

	buf_init(&decoded, MESSAGE_TEMPLATE_MAX);
	buf_init(&lines, 4u * MESSAGE_TEMPLATE_MAX + 64);
	done = quoted_decode(&decoded, part->body, part->body_line, &lines) ||
	       refuse(c, part->body_line, "the part declares quoted-printable, but is not");
	source.text = buf_slice(&decoded);
	source.lines = (const u32 *)(const void *)lines.ptr;
	source.line_count = lines.len / sizeof(u32);
	if (done && (decoded.failed || lines.failed))
		done = refuse(c, part->body_line, "the part is too big");
	if (!done)
		goto out;
	if (part->is_text && has_braces(c, source.text)) {
		done = is_utf8_charset(part->charset)
			       ? take_template(c, part, &source)
			       : refuse(c, part->type_line, "merge fields need a part in UTF-8");
		goto out;
	}
	part->out_charset = part->charset;
	part->cte = "quoted-printable";
	part->is_encoded = quoted_is_tidy(part->body);
	part->out = part->is_encoded ? OUT_RAW : OUT_QUOTED;
	part->is_binary = !part->is_encoded;
	part->content = part->is_encoded ? part->body : arena_copy(&c->message->arena, source.text);
	done = part->content.ptr || part->content.len == 0;
out:
	buf_done(&decoded);
	buf_done(&lines);
	return done;
}

static bool check_line_lengths(struct compiler *c, const struct mime_part *part)
{
	struct slice rest = part->body;
	u32 line = part->body_line;

	for (; rest.ptr; line++) {
		if (slice_split(&rest, '\n').len > BODY_LINE_MAX)
			return refuse(c, line, "the line is over 998 octets");
	}
	return true;
}

static bool take_plain(struct compiler *c, struct mime_part *part)
{
	struct template_source source = { .name = part->source_name ? part->source_name
								    : c->message->name,
					  .text = part->body,
					  .line = part->body_line };

	if ((part->encoding != MIME_NONE || part->is_opaque) && !check_line_lengths(c, part))
		return false;
	part->content = part->body;
	part->out_charset = part->charset;
	if (part->is_opaque) {
		part->is_encoded = true;
		part->out = OUT_RAW;
		part->cte = "7bit";
		return utf8_is_ascii(part->body) ||
		       refuse(c, part->body_line,
			      "message/* and multipart/signed parts must be 7bit");
	}
	if (!part->is_text)
		return true;
	if (is_utf8_charset(part->charset))
		return take_template(c, part, &source);
	return !has_braces(c, part->body) ||
	       refuse(c, part->type_line, "merge fields need a part in UTF-8");
}

bool compile_leaves(struct compiler *c, struct mime_part *part)
{
	if (part->is_multipart) {
		for (struct mime_part *child = part->children; child; child = child->next) {
			if (!compile_leaves(c, child))
				return false;
		}
		return true;
	}
	if (part->encoding == MIME_BASE64)
		return take_base64(c, part);
	if (part->encoding == MIME_QUOTED)
		return take_quoted(c, part);
	return take_plain(c, part);
}

/* The smaller of the two 7-bit forms; always the same one, so that copies are. */
static bool choose_smaller(struct compiler *c, struct mime_part *part)
{
	struct text_shape shape = text_shape_of(part->content);
	struct buf quoted;
	u32 column = 0;
	bool is_base64 = !part->is_text && !shape.ascii;
	bool no_memory;

	buf_init(&quoted, base64_length(part->content.len) * 78 / 76 + 128);
	if (!is_base64) {
		quoted_add(&quoted, &column, part->content);
		is_base64 = quoted.failed;
	}
	no_memory = quoted.no_memory;
	buf_done(&quoted);
	if (no_memory)
		return refuse(c, part->body_line, "out of memory");
	part->out = is_base64 ? OUT_BASE64 : OUT_QUOTED;
	part->cte = is_base64 ? "base64" : "quoted-printable";
	return true;
}

static bool choose_leaf(struct compiler *c, struct mime_part *part)
{
	struct text_shape shape = text_shape_of(part->content);
	u32 dots_max = c->body_has_fields ? LITERAL_DOTS_MAX : LITERAL_DOTS_SHARED_MAX;
	/* What a loop repeats would make more dots than there are pieces for: see compiled.h. */
	bool raw = shape.longest_line <= BODY_LINE_MAX && !shape.from_line && !shape.controls &&
		   c->dots + shape.dot_lines <= dots_max && !part->has_loops;
	bool japanese = slice_equal(part->out_charset, SLICE("ISO-2022-JP"));

	part->eightbit = false;
	if (part->is_encoded || part->is_binary) {
		if (part->out == OUT_RAW)
			c->dots += shape.dot_lines;
		return c->dots <= dots_max ||
		       refuse(c, part->body_line,
			      "too many lines begin with a dot in a part that "
			      "must not be encoded anew");
	}
	if (raw && (part->has_fields ? japanese || c->eightbit : shape.ascii || c->eightbit)) {
		part->out = OUT_RAW;
		part->eightbit = !japanese && (part->has_fields || !shape.ascii);
		part->cte = part->eightbit ? "8bit" : "7bit";
		c->dots += shape.dot_lines;
	} else if (part->has_fields) {
		part->out = OUT_QUOTED;
		part->cte = "quoted-printable";
	} else {
		return choose_smaller(c, part);
	}
	return true;
}

bool compile_choose(struct compiler *c, struct mime_part *part)
{
	if (!part->is_multipart)
		return choose_leaf(c, part);
	part->eightbit = false;
	for (struct mime_part *child = part->children; child; child = child->next) {
		if (!compile_choose(c, child))
			return false;
		part->eightbit |= child->eightbit;
	}
	part->cte = part->eightbit ? "8bit" : NULL;
	return true;
}
