#include "message/html_text.h"

#include "base/text.h"
#include "base/utf8.h"
#include "message/html_entity.h"
#include "message/html_walk.h"
#include "message/text_writer.h"

#define LISTS_MAX 8
#define UNDERLINE_MAX 60

struct list {
	bool is_numbered;
	u32 count;
	u32 loops; /* around it */
};

struct maker {
	struct html_walk walk;
	struct text_writer out;
	struct list lists[LISTS_MAX];
	u32 list_count;
	u32 lists_beyond; /* deeper than there is room for */
	u32 loops;
	u32 pre;
	struct slice hidden; /* the element that hides what is read; its like inside are counted */
	u32 hidden_depth;
	struct buf url; /* of the link that is open; empty: none, or one that leads nowhere */
	size_t link_from;
	bool in_link;
	size_t heading_from;
};

enum effect {
	EFFECT_LINE = 1,  /* begins and ends a line */
	EFFECT_GAP,       /* has empty lines around it */
	EFFECT_BREAK,     /* br */
	EFFECT_RULE,      /* hr */
	EFFECT_CELL,
	EFFECT_LIST,
	EFFECT_NUMBERED,
	EFFECT_ITEM,
	EFFECT_HEADING,
	EFFECT_LINK,
	EFFECT_IMAGE,
	EFFECT_PRE,
	EFFECT_HIDE, /* what is in it is not shown */
};

static const struct element {
	const char *name;
	enum effect effect;
} elements[] = {
	{ "div", EFFECT_LINE },	    { "tr", EFFECT_LINE },	 { "section", EFFECT_LINE },
	{ "article", EFFECT_LINE }, { "header", EFFECT_LINE },	 { "footer", EFFECT_LINE },
	{ "main", EFFECT_LINE },    { "center", EFFECT_LINE },	 { "dt", EFFECT_LINE },
	{ "dd", EFFECT_LINE },	    { "address", EFFECT_LINE },	 { "caption", EFFECT_LINE },
	{ "option", EFFECT_LINE },  { "figure", EFFECT_LINE },	 { "figcaption", EFFECT_LINE },
	{ "p", EFFECT_GAP },	    { "table", EFFECT_LINE },	 { "blockquote", EFFECT_GAP },
	{ "dl", EFFECT_GAP },	    { "form", EFFECT_GAP },	 { "fieldset", EFFECT_GAP },
	{ "br", EFFECT_BREAK },	    { "hr", EFFECT_RULE },	 { "td", EFFECT_CELL },
	{ "th", EFFECT_CELL },	    { "ul", EFFECT_LIST },	 { "menu", EFFECT_LIST },
	{ "ol", EFFECT_NUMBERED },  { "li", EFFECT_ITEM },	 { "h1", EFFECT_HEADING },
	{ "h2", EFFECT_HEADING },   { "h3", EFFECT_HEADING },	 { "h4", EFFECT_GAP },
	{ "h5", EFFECT_GAP },	    { "h6", EFFECT_GAP },	 { "a", EFFECT_LINK },
	{ "area", EFFECT_IMAGE },   { "img", EFFECT_IMAGE },	 { "pre", EFFECT_PRE },
	{ "head", EFFECT_HIDE },    { "template", EFFECT_HIDE }, { "select", EFFECT_HIDE },
};

static enum effect effect_of(struct slice name)
{
	for (size_t i = 0; i < array_count(elements); i++) {
		if (slice_equal_nocase(name, slice_of(elements[i].name)))
			return elements[i].effect;
	}
	return 0;
}

/* Elements without an end, of which nothing can be hidden inside. */
static bool is_void(struct slice name)
{
	static const struct slice names[] = { SLICE("br"),    SLICE("hr"),   SLICE("img"),
					      SLICE("input"), SLICE("meta"), SLICE("link"),
					      SLICE("col"),   SLICE("area"), SLICE("base"),
					      SLICE("wbr"),   SLICE("source") };

	for (size_t i = 0; i < array_count(names); i++) {
		if (slice_equal_nocase(name, names[i]))
			return true;
	}
	return false;
}

bool html_text_is_hidden(const struct html_token *token)
{
	static const struct slice signs[] = { SLICE("display:none"), SLICE("visibility:hidden"),
					      SLICE("max-height:0"), SLICE("font-size:0"),
					      SLICE("opacity:0") };
	struct slice style = html_attribute_find(token, SLICE("style"));
	char room[1024];
	size_t len = 0;

	if (html_attribute_find(token, SLICE("hidden")).ptr)
		return true;
	for (size_t i = 0; i < style.len && len < sizeof(room) - 1; i++) {
		if (style.ptr[i] > ' ')
			room[len++] = ascii_lower(style.ptr[i]);
	}
	for (size_t i = 0; i < array_count(signs); i++) {
		i64 at = slice_find((struct slice){ room, len }, signs[i]);
		size_t end = (size_t)at + signs[i].len;

		/* "opacity:0.9" hides nothing. */
		if (at >= 0 && (end >= len || room[end] != '.'))
			return true;
	}
	return false;
}

/* ---- inline ---- */

/* Text with its references decoded, white space as HTML has it. */
static void add_text(struct maker *m, struct slice text)
{
	while (text.len > 0) {
		u32 code = 0;
		size_t len = text_writer_braces(&m->out, text);

		if (len == 0 && (len = html_entity_take(text, &code)) > 0)
			text_writer_add(&m->out, code, m->pre > 0);
		else if (len == 0 && (len = utf8_decode(text, &code)) > 0)
			text_writer_add(&m->out, code, m->pre > 0);
		text = slice_from(text, len > 0 ? len : 1);
	}
}

/* A URL's fields as the HTML has them: behind ? or # percent-encoded. */
static void add_url(struct maker *m, struct slice url)
{
	bool query = false;

	while (url.len > 0) {
		size_t tag = url.ptr[0] == '{' ? template_tag_length(url) : 0;

		if (tag > 4) {
			text_writer_tag(&m->out, slice_first(url, tag), query);
		} else if (tag == 4) {
			(void)text_writer_braces(&m->out, url);
		} else {
			query |= url.ptr[0] == '?' || url.ptr[0] == '#';
			if ((u8)url.ptr[0] > ' ')
				text_writer_byte(&m->out, url.ptr[0]);
		}
		url = slice_from(url, tag > 0 ? tag : 1);
	}
}

static void open_link(struct maker *m, const struct html_token *token)
{
	struct slice href = html_attribute_find(token, SLICE("href"));

	buf_reset(&m->url);
	html_url_decode(&m->url, href);
	if (m->url.len > 0 && m->url.ptr[0] == '#')
		buf_reset(&m->url);
	m->in_link = true;
	m->link_from = m->out.out->len;
}

/* Whether the link's text says where it leads already. */
static bool says_it(struct slice text, struct slice url)
{
	static const struct slice schemes[] = { SLICE("https://"), SLICE("http://"),
						SLICE("mailto:"), SLICE("tel:") };

	text = slice_trim(text);
	if (text.len > 0 && url.len > 0 && url.ptr[url.len - 1] == '/' &&
	    text.ptr[text.len - 1] != '/')
		url.len--;
	if (slice_equal(text, url))
		return true;
	for (size_t i = 0; i < array_count(schemes); i++) {
		if (slice_has_prefix_nocase(url, schemes[i]))
			return slice_equal(text, slice_from(url, schemes[i].len));
	}
	return false;
}

static void close_link(struct maker *m)
{
	struct buf *out = m->out.out;
	struct slice text;

	if (!m->in_link)
		return;
	m->in_link = false;
	if (m->url.len == 0 || m->url.failed || out->failed)
		return;
	text = slice_from(buf_slice(out), m->link_from);
	while (text.len > 0 && (text.ptr[0] == '\n' || text.ptr[0] == ' '))
		text = slice_from(text, 1);
	if (says_it(text, buf_slice(&m->url)))
		return;
	if (text.len > 0)
		text_writer_space(&m->out);
	text_writer_byte(&m->out, '<');
	add_url(m, buf_slice(&m->url));
	text_writer_byte(&m->out, '>');
}

static void add_image(struct maker *m, const struct html_token *token)
{
	struct slice alt = html_attribute_find(token, SLICE("alt"));
	struct slice rest = slice_trim(alt);

	if (rest.len == 0)
		return;
	text_writer_byte(&m->out, '[');
	while (rest.len > 0) {
		size_t tag = rest.ptr[0] == '{' ? template_tag_length(rest) : 0;
		i64 next;

		if (tag > 4) {
			text_writer_tag(&m->out, slice_first(rest, tag), false);
			rest = slice_from(rest, tag);
			continue;
		}
		next = slice_find(slice_from(rest, 1), SLICE("{{"));
		tag = tag > 0 ? tag : next < 0 ? rest.len : (size_t)next + 1;
		add_text(m, slice_first(rest, tag));
		rest = slice_from(rest, tag);
	}
	text_writer_byte(&m->out, ']');
}

/* ---- blocks ---- */

static void open_list(struct maker *m, bool is_numbered)
{
	text_writer_line(&m->out, m->list_count == 0 ? 2 : 1);
	if (m->list_count == LISTS_MAX) {
		m->lists_beyond++;
		return;
	}
	m->lists[m->list_count++] =
		(struct list){ .is_numbered = is_numbered, .loops = m->loops };
}

static void close_list(struct maker *m)
{
	if (m->lists_beyond > 0)
		m->lists_beyond--;
	else if (m->list_count > 0)
		m->list_count--;
	text_writer_line(&m->out, m->list_count == 0 ? 2 : 1);
}

static void open_item(struct maker *m)
{
	struct list none = { 0 };
	struct list *list = m->list_count > 0 ? &m->lists[m->list_count - 1] : &none;
	char number[24];
	struct buf text = { .ptr = number, .size = sizeof(number), .max = sizeof(number) };

	text_writer_line(&m->out, 1);
	for (u32 i = 1; i < m->list_count; i++) {
		text_writer_byte(&m->out, ' ');
		text_writer_byte(&m->out, ' ');
	}
	list->count++;
	if (list->is_numbered && m->loops > list->loops) {
		text_writer_tag(&m->out, SLICE("{{_index}}"), false);
		buf_add_char(&text, '.');
	} else if (list->is_numbered) {
		buf_add_u64(&text, list->count);
		buf_add_char(&text, '.');
	} else {
		buf_add_char(&text, '-');
	}
	for (size_t i = 0; i < text.len; i++)
		text_writer_byte(&m->out, number[i]);
	text_writer_glue(&m->out);
}

static void close_heading(struct maker *m, struct slice name)
{
	struct slice text = slice_from(buf_slice(m->out.out), m->heading_from);
	char sign = name.ptr[1] == '1' ? '=' : '-';
	u32 width = min_u32(text_width(text), UNDERLINE_MAX);

	if (width > 0 && name.ptr[1] != '3') {
		text_writer_line(&m->out, 1);
		for (u32 i = 0; i < width; i++)
			text_writer_byte(&m->out, sign);
	}
	text_writer_line(&m->out, 2);
}

static void open_element(struct maker *m, const struct html_token *token, enum effect effect)
{
	switch (effect) {
	case EFFECT_LINE:
	case EFFECT_GAP:
	case EFFECT_PRE:
		text_writer_line(&m->out, effect == EFFECT_LINE ? 1 : 2);
		m->pre += effect == EFFECT_PRE;
		break;
	case EFFECT_BREAK:
		text_writer_break(&m->out);
		break;
	case EFFECT_RULE:
		text_writer_line(&m->out, 2);
		for (u32 i = 0; i < 20; i++)
			text_writer_byte(&m->out, '-');
		text_writer_line(&m->out, 2);
		break;
	case EFFECT_LIST:
	case EFFECT_NUMBERED:
		open_list(m, effect == EFFECT_NUMBERED);
		break;
	case EFFECT_ITEM:
		open_item(m);
		break;
	case EFFECT_HEADING:
		text_writer_line(&m->out, 2);
		m->heading_from = m->out.out->len;
		break;
	case EFFECT_LINK:
		close_link(m);
		open_link(m, token);
		break;
	case EFFECT_IMAGE:
		add_image(m, token);
		break;
	default:
		break;
	}
}

static void close_element(struct maker *m, const struct html_token *token, enum effect effect)
{
	switch (effect) {
	case EFFECT_LINE:
	case EFFECT_ITEM:
		text_writer_line(&m->out, 1);
		break;
	case EFFECT_PRE:
		m->pre -= m->pre > 0;
		text_writer_line(&m->out, 2);
		break;
	case EFFECT_GAP:
		text_writer_line(&m->out, 2);
		break;
	case EFFECT_CELL:
		text_writer_space(&m->out);
		break;
	case EFFECT_LIST:
	case EFFECT_NUMBERED:
		close_list(m);
		break;
	case EFFECT_HEADING:
		close_heading(m, token->name);
		break;
	case EFFECT_LINK:
		close_link(m);
		break;
	default:
		break;
	}
}

/* ---- all ---- */

/* Turns stand in the text even where nothing is shown, so that each has its end. */
static void take_template(struct maker *m, struct slice tag)
{
	bool is_turn = tag.ptr[2] == '#' || tag.ptr[2] == '/';

	m->loops += slice_has_prefix(tag, SLICE("{{#each"));
	if (slice_has_prefix(tag, SLICE("{{/each")) && m->loops > 0)
		m->loops--;
	if (is_turn)
		text_writer_turn(&m->out, tag);
	else if (!m->hidden.ptr)
		text_writer_tag(&m->out, tag, false);
}

static void take_element(struct maker *m, const struct html_token *token)
{
	bool opens = token->kind == HTML_TOKEN_OPEN;
	enum effect effect = effect_of(token->name);

	if (m->hidden.ptr) {
		if (!slice_equal_nocase(token->name, m->hidden))
			return;
		/* A paragraph ends where another one begins. */
		m->hidden_depth += opens && !slice_equal_nocase(token->name, SLICE("p")) ? 1u
										 : (u32)-1;
		if (m->hidden_depth > 0)
			return;
		m->hidden = SLICE_NONE;
		if (!opens)
			return;
	}
	if (opens && !is_void(token->name) &&
	    (effect == EFFECT_HIDE || html_text_is_hidden(token))) {
		m->hidden = token->name;
		m->hidden_depth = 1;
	} else if (opens) {
		open_element(m, token, effect);
	} else {
		close_element(m, token, effect);
	}
}

bool html_text_make(struct slice html, struct buf *out)
{
	struct maker m = { 0 };
	struct html_token token;
	bool failed;

	html_walk_init(&m.walk, html);
	text_writer_init(&m.out, out);
	buf_init(&m.url, 1u << 20);
	while (html_walk_next(&m.walk, &token)) {
		switch (token.kind) {
		case HTML_TOKEN_TEXT:
			if (!m.hidden.ptr)
				add_text(&m, token.whole);
			break;
		case HTML_TOKEN_TEMPLATE:
			take_template(&m, token.whole);
			break;
		case HTML_TOKEN_OPEN:
		case HTML_TOKEN_CLOSE:
			take_element(&m, &token);
			break;
		default:
			break;
		}
	}
	close_link(&m);
	failed = m.url.no_memory || out->failed;
	buf_done(&m.url);
	return !failed;
}
