#include "message/template_block.h"

#include "base/text.h"
#include "message/template_tag.h"

#define NAMES_SHOWN 300 /* bytes */
#define PATH_MAX_BYTES 4096

static void add_origin(struct template_blocks *b, const char *name, u32 line)
{
	struct template_origin origin = { .at = b->out->len, .name = name, .line = line };

	buf_add(b->origins, &origin, sizeof(origin));
}

static bool refuse(struct template_blocks *b, const struct template_source *source, size_t at,
		   const char *why, struct slice block)
{
	const char *name;
	u32 line = template_line(source, at, &name);

	return error_set(b->error, "%s:%u: %s \"%.*s\"", name, line, why,
			 (int)min_size(block.len, NAMES_SHOWN), block.ptr);
}

/* Those that are open, from the outermost one: "page > footer > page". */
static void add_path(const struct template_blocks *b, struct slice block, struct buf *out)
{
	for (u32 i = 0; i < b->depth; i++)
		buf_add_format(out, "%s > ", b->names[i]);
	buf_add_slice(out, block);
}

static bool refuse_path(struct template_blocks *b, const struct template_source *source, size_t at,
			const char *why, struct slice block)
{
	struct buf path;

	buf_init(&path, PATH_MAX_BYTES);
	add_path(b, block, &path);
	refuse(b, source, at, why, buf_slice(&path));
	buf_done(&path);
	return false;
}

static bool is_open(const struct template_blocks *b, struct slice name)
{
	for (u32 i = 0; i < b->depth; i++) {
		if (slice_equal(name, slice_of(b->names[i])))
			return true;
	}
	return false;
}

/* LF line ends, and none at the end. */
static bool clean(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n')
			continue;
		buf_add_char(out, c == '\r' ? '\n' : c);
	}
	if (out->len > 0 && out->ptr[out->len - 1] == '\n')
		out->len--;
	return !out->failed;
}

static bool add_block(struct template_blocks *b, const struct template_source *source, size_t at,
		      struct slice name)
{
	struct template_source block = { .line = 1 };
	struct slice text = SLICE_NONE;
	struct slice copy;
	struct buf cleaned;
	bool done;

	if (is_open(b, name))
		return refuse_path(b, source, at, "a block stands inside itself:", name);
	if (b->depth == TEMPLATE_BLOCK_DEPTH_MAX)
		return refuse_path(b, source, at, "blocks stand inside each other too deeply at",
				   name);
	if (b->count == TEMPLATE_BLOCKS_MAX)
		return refuse(b, source, at, "there are too many blocks at", name);
	if (!b->blocks->find(b->blocks->owner, name, b->html, &text))
		return refuse(b, source, at, "there is no block", name);
	copy = arena_copy(b->arena, (struct slice){ name.ptr, name.len });
	block.name = copy.ptr;
	b->count++;
	b->names[b->depth++] = copy.ptr;
	buf_init(&cleaned, MESSAGE_TEMPLATE_MAX);
	done = (copy.ptr && clean(text, &cleaned)) ||
	       refuse(b, source, at, "there is no room for block", name);
	block.text = buf_slice(&cleaned);
	if (done)
		add_origin(b, block.name, 1);
	done = done && template_blocks_expand(b, &block);
	buf_done(&cleaned);
	b->depth--;
	return done;
}

bool template_blocks_expand(struct template_blocks *b, const struct template_source *source)
{
	struct slice text = source->text;
	size_t counted = 0;
	u32 newlines = 0;
	size_t at = 0;

	while (at < text.len) {
		struct slice rest = slice_from(text, at);
		i64 open = slice_find(rest, SLICE("{{"));
		size_t tag;

		if (open < 0)
			open = (i64)rest.len;
		buf_add(b->out, rest.ptr, (size_t)open);
		at += (size_t)open;
		rest = slice_from(text, at);
		if (rest.len == 0)
			break;
		tag = template_tag_length(rest);
		if (tag <= 4 || rest.ptr[2] != '>') {
			tag = tag > 0 ? tag : 2;
			buf_add(b->out, rest.ptr, tag);
		} else {
			struct slice inner = { rest.ptr + 3, tag - 5 };

			if (!add_block(b, source, at, slice_trim(inner)))
				return false;
			for (; counted < at; counted++)
				newlines += text.ptr[counted] == '\n';
			add_origin(b, source->name, template_line_below(source, newlines));
		}
		at += tag;
	}
	return !b->out->failed ||
	       error_set(b->error, "%s: %s", source->name,
			 b->out->no_memory ? "out of memory"
					   : "the text with its blocks is too big");
}

bool message_blocks_expand(const char *name, struct slice text, bool html,
			   const struct message_blocks *blocks, struct buf *out,
			   struct error *error)
{
	struct template_source source = { .name = name, .text = text, .line = 1 };
	struct arena arena;
	struct buf origins;
	struct template_blocks b = { .blocks = blocks,
				     .arena = &arena,
				     .html = html,
				     .out = out,
				     .origins = &origins,
				     .error = error };
	bool done;

	arena_init(&arena, 4096, 16u << 20);
	buf_init(&origins, TEMPLATE_ORIGINS_MAX * sizeof(struct template_origin));
	done = template_blocks_expand(&b, &source);
	if (done && origins.failed)
		done = error_set(error, "%s: out of memory", name);
	buf_done(&origins);
	arena_done(&arena);
	return done;
}
