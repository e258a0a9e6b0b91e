#include "campaign/issue_parts.h"

#include "base/text.h"
#include "campaign/link_token.h"
#include "message/html_text.h"
#include "message/message.h"
#include "message/preheader.h"

#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX (64u << 10)
#define NAME_MAX_BYTES 1024
#define URL_MAX_BYTES 1024
#define NAMES_MAX (64u << 10) /* of all columns */

static const struct page {
	const char *tag; /* what authors write */
	const char *path;
	const char *column;
	enum issue_column_kind kind;
} pages[] = {
	{ "unsubscribe_url", "/u/", LINK_FIELD_UNSUBSCRIBE, ISSUE_UNSUBSCRIBE },
	{ "preferences_url", "/p/", LINK_FIELD_PREFERENCES, ISSUE_PREFERENCES },
	{ "view_url", "/v/", LINK_FIELD_VIEW, ISSUE_VIEW },
};

void issue_done(struct issue *issue)
{
	buf_done(&issue->headers);
	buf_done(&issue->text);
	buf_done(&issue->html);
	buf_done(&issue->whole);
	buf_done(&issue->unsubscribe_url);
	if (issue->wrap)
		wrap_links_done(issue->wrap);
	free(issue->wrap);
	issue->wrap = NULL;
	arena_done(&issue->arena);
}

static bool no_memory(struct error *error)
{
	return error_set(error, "no memory for a campaign's texts, or they are too large");
}

/* ---- header fields ---- */

static void add_mailbox(struct buf *out, struct slice name, const struct address *address)
{
	if (name.len > 0) {
		buf_add_char(out, '"');
		for (size_t i = 0; i < name.len; i++) {
			if (name.ptr[i] == '"' || name.ptr[i] == '\\')
				buf_add_char(out, '\\');
			buf_add_char(out, name.ptr[i]);
		}
		buf_add_text(out, "\" <");
	}
	address_add_wire(address, out);
	if (name.len > 0)
		buf_add_char(out, '>');
	buf_add_char(out, '\n');
}

static bool add_sender(struct issue *issue, const char *field, struct slice value,
		       struct address *address, struct error *error)
{
	struct buf name;
	bool ok;

	buf_init(&name, NAME_MAX_BYTES);
	ok = address_parse_mailbox(address, &name, value, error);
	if (ok) {
		buf_add_text(&issue->headers, field);
		add_mailbox(&issue->headers, buf_slice(&name), address);
	}
	buf_done(&name);
	return ok;
}

bool issue_from(struct slice from, struct address *address, struct error *error)
{
	return address_parse_mailbox(address, NULL, from, error);
}

static bool add_headers(struct issue *issue, const struct draft *draft,
			const struct issue_facts *facts, enum draft_field *field,
			struct error *error)
{
	struct address from;
	struct address reply_to;

	*field = DRAFT_FROM;
	if (!add_sender(issue, "From: ", draft->of[DRAFT_FROM], &from, error))
		return false;
	memcpy(issue->domain, from.domain, sizeof(issue->domain));
	*field = DRAFT_REPLY_TO;
	if (draft->of[DRAFT_REPLY_TO].len > 0 &&
	    !add_sender(issue, "Reply-To: ", draft->of[DRAFT_REPLY_TO], &reply_to, error))
		return false;
	if (draft->of[DRAFT_SUBJECT_B].len > 0)
		buf_add_format(&issue->headers,
			       "Subject: {{#if " ISSUE_FIELD_VARIANT
			       " = \"b\"}}%.*s{{#else}}%.*s{{/if}}\n",
			       SLICE_FMT(draft->of[DRAFT_SUBJECT_B]),
			       SLICE_FMT(draft->of[DRAFT_SUBJECT]));
	else
		buf_add_format(&issue->headers, "Subject: %.*s\n",
			       SLICE_FMT(draft->of[DRAFT_SUBJECT]));
	/* RFC 2919; a list's name has letters, digits, '_' and '-' only. */
	if (facts->list_name.len > 0)
		buf_add_format(&issue->headers, "List-Id: <%.*s.%s>\n", SLICE_FMT(facts->list_name),
			       issue->domain);
	return !issue->headers.failed || no_memory(error);
}

/* ---- texts ---- */

/* "{{ name }}" at the beginning of `rest`: its length; 0: something else. */
static size_t tag_length(struct slice rest, const char *name)
{
	struct slice inside = slice_from(rest, 2);
	i64 end = slice_find(inside, SLICE("}}"));

	if (!slice_has_prefix(rest, SLICE("{{")) || end < 0 ||
	    !slice_equal(slice_trim(slice_first(inside, (size_t)end)), slice_of(name)))
		return 0;
	return (size_t)end + 4;
}

/* Puts the addresses of our pages in place of their tags. */
static void add_pages(struct buf *out, struct slice text, struct slice base)
{
	while (text.len > 0) {
		i64 at = slice_find(text, SLICE("{{"));
		size_t len = 0;

		buf_add_slice(out, slice_first(text, at < 0 ? text.len : (size_t)at));
		text = slice_from(text, at < 0 ? text.len : (size_t)at);
		for (size_t i = 0; i < array_count(pages) && len == 0 && text.len > 0; i++) {
			len = tag_length(text, pages[i].tag);
			if (len > 0)
				buf_add_format(out, "%.*s%s{{%s}}", SLICE_FMT(base), pages[i].path,
					       pages[i].column);
		}
		if (len == 0 && text.len > 0) {
			buf_add_slice(out, slice_first(text, 2));
			len = 2;
		}
		text = slice_from(text, len);
	}
}

static bool wrap_part(struct issue *issue, bool is_html, struct slice part, struct buf *out,
		      struct error *error)
{
	if (!issue->wrap) {
		buf_add_slice(out, part);
		return !out->failed || no_memory(error);
	}
	return is_html ? wrap_links_html(issue->wrap, part, out, error)
		       : wrap_links_text(issue->wrap, part, out, error);
}

struct slice issue_body(const struct draft *draft, enum draft_field field)
{
	struct slice body = draft->of[field];

	for (size_t i = 0; i < body.len; i++) {
		if ((u8)body.ptr[i] > ' ')
			return body;
	}
	return SLICE_NONE;
}

static bool add_part(struct issue *issue, const struct draft *draft, bool is_html,
		     const struct issue_facts *facts, struct error *error)
{
	struct slice part = issue_body(draft, is_html ? DRAFT_HTML : DRAFT_TEXT);
	struct slice html = issue_body(draft, DRAFT_HTML);
	struct buf whole;
	struct buf paged;
	bool ok;

	if (part.len == 0 && (is_html || html.len == 0))
		return true;
	buf_init(&whole, MESSAGE_TEMPLATE_MAX);
	buf_init(&paged, MESSAGE_TEMPLATE_MAX);
	if (part.len == 0) /* nobody wrote a text: one is made of the HTML */
		whole.failed |= !html_text_make(html, &whole);
	else if (!is_html || draft->of[DRAFT_PREHEADER].len == 0)
		buf_add_slice(&whole, part);
	else if (!preheader_add(part, draft->of[DRAFT_PREHEADER], &whole))
		whole.failed = true;
	add_pages(&paged, buf_slice(&whole), facts->base);
	ok = whole.failed || paged.failed ? no_memory(error)
					  : wrap_part(issue, is_html, buf_slice(&paged),
						      is_html ? &issue->html : &issue->text, error);
	buf_done(&whole);
	buf_done(&paged);
	return ok;
}

static bool begin_links(struct issue *issue, const struct issue_facts *facts, bool tracks,
			struct error *error)
{
	if (!tracks || facts->base.len == 0)
		return true;
	issue->wrap = calloc(1, sizeof(*issue->wrap));
	if (!issue->wrap)
		return no_memory(error);
	if (!wrap_links_init(issue->wrap, facts->base, error))
		return false;
	for (size_t i = 0; i < facts->link_count; i++) {
		if (!wrap_links_know(issue->wrap, facts->links[i], error))
			return false;
	}
	issue->wrap->opens = true;
	issue->wrap->clicks = true;
	return true;
}

/* ---- columns ---- */

static bool is_named(const struct issue *issue, struct slice name)
{
	return slice_find(buf_slice(&issue->headers), name) >= 0 ||
	       slice_find(buf_slice(&issue->text), name) >= 0 ||
	       slice_find(buf_slice(&issue->html), name) >= 0;
}

static bool add_column(struct issue *issue, struct slice name, enum issue_column_kind kind,
		       u16 attribute)
{
	struct issue_column *column = &issue->columns[issue->column_count];
	char *copy;

	if (issue->column_count == ISSUE_COLUMNS_MAX)
		return false;
	copy = arena_take(&issue->arena, name.len + 1);
	if (!copy)
		return false;
	memcpy(copy, name.ptr, name.len);
	*column = (struct issue_column){ copy, kind, attribute };
	issue->column_count++;
	return true;
}

/* Those that a text may use: its name stands there. */
static bool add_columns(struct issue *issue, const struct issue_facts *facts, struct error *error)
{
	bool ok = true;

	if (is_named(issue, SLICE(LINK_FIELD_TRACK)))
		ok = add_column(issue, SLICE(LINK_FIELD_TRACK), ISSUE_TRACK, 0);
	if (ok && is_named(issue, SLICE(ISSUE_FIELD_VARIANT)))
		ok = add_column(issue, SLICE(ISSUE_FIELD_VARIANT), ISSUE_VARIANT, 0);
	for (size_t i = 0; i < array_count(pages) && ok; i++) {
		struct slice name = slice_of(pages[i].column);

		if (is_named(issue, name) ||
		    slice_find(buf_slice(&issue->unsubscribe_url), name) >= 0)
			ok = add_column(issue, name, pages[i].kind, 0);
	}
	for (size_t i = 0; i < facts->attribute_count && ok; i++) {
		if (is_named(issue, facts->attributes[i].name))
			ok = add_column(issue, facts->attributes[i].name, ISSUE_ATTRIBUTE,
					facts->attributes[i].id);
	}
	return ok || error_set(error, "no memory, or more than %d values in a text",
			       ISSUE_COLUMNS_MAX);
}

/* ---- trying it out ---- */

static enum draft_field field_of(const struct error *error)
{
	if (slice_find(slice_of(error->text), SLICE("(html)")) >= 0)
		return DRAFT_HTML;
	if (slice_find(slice_of(error->text), SLICE("(text)")) >= 0)
		return DRAFT_TEXT;
	return slice_find(slice_of(error->text), SLICE("From")) >= 0 ? DRAFT_FROM : DRAFT_SUBJECT;
}

struct message *issue_compile(const struct issue *issue, struct error *error)
{
	struct slice columns[ISSUE_COLUMNS_MAX];
	const struct message_source parts = { .name = "mail",
					      .headers = buf_slice(&issue->headers),
					      .text = buf_slice(&issue->text),
					      .html = buf_slice(&issue->html) };
	const struct message_source whole = { .name = "mail",
					      .whole = buf_slice(&issue->whole) };
	const struct message_options options = {
		.columns = columns,
		.column_count = issue->column_count,
		.unsubscribe_url = buf_slice(&issue->unsubscribe_url),
	};

	for (size_t i = 0; i < issue->column_count; i++)
		columns[i] = slice_of(issue->columns[i].name);
	return message_compile(issue->whole.len > 0 ? &whole : &parts, &options, error);
}

static bool try_out(const struct issue *issue, enum draft_field *field, struct error *error)
{
	struct message *message = issue_compile(issue, error);

	if (!message) {
		*field = field_of(error);
		return false;
	}
	message_free(message);
	return true;
}

/* What is wrong with a text that was made of the HTML stands in the HTML, at a line of that. */
static bool try_parts(const struct issue *issue, const struct draft *draft, enum draft_field *field,
		      struct error *error)
{
	struct issue html = *issue;
	struct error why;

	if (try_out(issue, field, error))
		return true;
	if (*field != DRAFT_TEXT || issue_body(draft, DRAFT_TEXT).len > 0)
		return false;
	html.text = (struct buf){ 0 };
	if (!try_out(&html, field, &why))
		*error = why;
	else
		*field = DRAFT_HTML;
	return false;
}

/* Texts and their columns. They are tried as parts first: what is wrong with one names it. */
static bool add_parts(struct issue *issue, const struct draft *draft,
		      const struct issue_facts *facts, enum draft_field *field,
		      struct error *error)
{
	struct issue_images images = { .boundary = "" };
	struct draft shown = *draft;
	bool ok = issue_images_make(&images, issue, draft, facts, error);

	shown.of[DRAFT_HTML] = buf_slice(&images.html);
	ok = ok && add_part(issue, &shown, true, facts, error) &&
	     add_part(issue, &shown, false, facts, error) && add_columns(issue, facts, error) &&
	     try_parts(issue, draft, field, error) && issue_add_whole(issue, &images, error) &&
	     (issue->whole.len == 0 || try_out(issue, field, error));
	issue_images_done(&images);
	return ok;
}

bool issue_make(struct issue *issue, const struct draft *draft, const struct issue_facts *facts,
		enum draft_field *field, struct error *error)
{
	struct draft_plan plan;
	enum draft_problem problem = draft_check(draft, &plan, field);

	*issue = (struct issue){ 0 };
	buf_init(&issue->headers, HEADERS_MAX);
	buf_init(&issue->text, MESSAGE_TEMPLATE_MAX);
	buf_init(&issue->html, MESSAGE_TEMPLATE_MAX);
	buf_init(&issue->whole, MESSAGE_TEMPLATE_MAX);
	buf_init(&issue->unsubscribe_url, URL_MAX_BYTES);
	arena_init(&issue->arena, 4096, NAMES_MAX);
	if (problem != DRAFT_GOOD)
		return error_set(error, "%s", draft_problem_words(problem, false));
	if (facts->base.len > 0)
		buf_add_format(&issue->unsubscribe_url, "%.*s/u/{{" LINK_FIELD_UNSUBSCRIBE "}}",
			       SLICE_FMT(facts->base));
	if (!add_headers(issue, draft, facts, field, error))
		return false;
	*field = DRAFT_HTML;
	return begin_links(issue, facts, plan.tracks && !facts->is_uncounted, error) &&
	       add_parts(issue, draft, facts, field, error);
}
