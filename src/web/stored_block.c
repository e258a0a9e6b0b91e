#include "web/stored_block.h"

#include "base/text.h"
#include "message/html_text.h"
#include "message/template_tag.h"
#include "web/setting.h"

#define SENDER_MAX (64u << 10)

/* ---- who sends ---- */

/* A text of the settings, as text or in HTML; braces of it are no tags. */
static void add_escaped(struct buf *out, struct slice text, bool html)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '{' && i + 1 < text.len && text.ptr[i + 1] == '{')
			buf_add_text(out, "{{{{"), i++;
		else if (c == '\r')
			continue;
		else if (!html)
			buf_add_char(out, c);
		else if (c == '\n')
			buf_add_text(out, "<br>\n");
		else if (c == '&')
			buf_add_text(out, "&amp;");
		else if (c == '<')
			buf_add_text(out, "&lt;");
		else if (c == '>')
			buf_add_text(out, "&gt;");
		else if (c == '"')
			buf_add_text(out, "&quot;");
		else
			buf_add_char(out, c);
	}
}

static void add_line(struct buf *out, struct slice text, bool html)
{
	if (text.len == 0)
		return;
	if (out->len > 0)
		buf_add_text(out, html ? "<br>\n" : "\n");
	add_escaped(out, text, html);
}

/* A URL or an address can be followed; a telephone number or words cannot. */
static void add_contact(struct buf *out, struct slice contact, bool html)
{
	bool is_url = slice_has_prefix(contact, SLICE("https://")) ||
		      slice_has_prefix(contact, SLICE("http://"));
	bool is_address = slice_find_char(contact, '@') > 0 && slice_find_char(contact, ' ') < 0;

	if (!html || (!is_url && !is_address)) {
		add_line(out, contact, html);
		return;
	}
	buf_add_text(out, out->len > 0 ? "<br>\n<a href=\"" : "<a href=\"");
	if (is_address && !is_url)
		buf_add_text(out, "mailto:");
	add_escaped(out, contact, true);
	buf_add_text(out, "\" style=\"color:inherit\">");
	add_escaped(out, contact, true);
	buf_add_text(out, "</a>");
}

static bool make_sender(struct stored_blocks *b, bool html, struct slice *text)
{
	struct buf out;

	buf_init(&out, SENDER_MAX);
	add_line(&out, slice_trim(setting_get(b->txn, SETTING_SENDER_NAME)), html);
	add_line(&out, slice_trim(setting_get(b->txn, SETTING_SENDER_ADDRESS)), html);
	add_contact(&out, slice_trim(setting_get(b->txn, SETTING_SENDER_CONTACT)), html);
	add_line(&out, slice_trim(setting_get(b->txn, SETTING_SENDER_PHONE)), html);
	*text = arena_copy_buf(b->arena, &out);
	buf_done(&out);
	return text->ptr != NULL;
}

/* ---- finding one ---- */

static bool choose(struct stored_blocks *b, struct slice made_of, struct slice own, bool html,
		   struct slice *text)
{
	struct buf out;
	bool ok;

	*text = own;
	if (slice_trim(own).len > 0)
		return true;
	if (html) {
		*text = made_of;
		return true;
	}
	buf_init(&out, MESSAGE_TEMPLATE_MAX);
	ok = html_text_make(made_of, &out);
	*text = ok ? arena_copy_buf(b->arena, &out) : SLICE_NONE;
	buf_done(&out);
	return text->ptr != NULL;
}

static bool find(void *owner, struct slice name, bool html, struct slice *text)
{
	struct stored_blocks *b = owner;
	struct audience_template_version version;
	struct audience_template one;

	if (b->instead.ptr && slice_equal_nocase(name, b->instead))
		return html ? choose(b, b->instead_text, b->instead_html, true, text)
			    : choose(b, b->instead_html, b->instead_text, false, text);
	if (audience_template_find(b->txn, name, &one) == STORE_OK &&
	    one.kind == AUDIENCE_TEMPLATE_BLOCK &&
	    audience_template_version(b->txn, one.id, one.version, &version) == STORE_OK) {
		struct slice own_html = version.of[AUDIENCE_TEMPLATE_HTML];
		struct slice own_text = version.of[AUDIENCE_TEMPLATE_TEXT];

		return html ? choose(b, own_text, own_html, true, text)
			    : choose(b, own_html, own_text, false, text);
	}
	return slice_equal(name, SLICE(STORED_BLOCK_SENDER)) && make_sender(b, html, text);
}

void stored_blocks_init(struct stored_blocks *blocks, struct audience_txn *txn,
			struct arena *arena)
{
	*blocks = (struct stored_blocks){ .blocks = { blocks, find },
					  .txn = txn,
					  .arena = arena,
					  .instead = SLICE_NONE };
}

/* ---- in texts ---- */

/* The name of the next block in `rest`, which moves behind it. SLICE_NONE: there is none. */
static struct slice next_block(struct slice *rest)
{
	while (rest->len > 0) {
		i64 at = slice_find(*rest, SLICE("{{"));
		size_t len;

		if (at < 0)
			break;
		*rest = slice_from(*rest, (size_t)at);
		len = template_tag_length(*rest);
		if (len > 4 && rest->ptr[2] == '>') {
			struct slice inner = { rest->ptr + 3, len - 5 };

			*rest = slice_from(*rest, len);
			return slice_trim(inner);
		}
		*rest = slice_from(*rest, len > 0 ? len : 2);
	}
	return SLICE_NONE;
}

bool stored_blocks_are_in(struct slice text)
{
	return next_block(&text).ptr != NULL;
}

bool stored_block_is_in(struct slice text, struct slice name)
{
	struct slice found;

	while ((found = next_block(&text)).ptr) {
		if (slice_equal_nocase(found, name))
			return true;
	}
	return false;
}

bool stored_blocks_expand(struct stored_blocks *blocks, const char *name, struct slice text,
			  bool html, struct slice *out, struct error *error)
{
	struct buf expanded;
	bool ok;

	*out = text;
	if (!stored_blocks_are_in(text))
		return true;
	buf_init(&expanded, MESSAGE_TEMPLATE_MAX);
	ok = message_blocks_expand(name, text, html, &blocks->blocks, &expanded, error);
	if (ok) {
		*out = arena_copy_buf(blocks->arena, &expanded);
		ok = out->ptr || error_set(error, "no memory for a text with its blocks");
	}
	buf_done(&expanded);
	return ok;
}
