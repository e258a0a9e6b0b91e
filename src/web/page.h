/*
 * Writing pages. A page goes piece by piece to call->answer_body, and nothing gets in that was not
 * made for its place: markup is a literal of the source (PAGE_HTML), everything else goes through a
 * function that escapes. So text of other people cannot become markup, an attribute, or a script.
 * Pages have no script or style of their own within (the Content-Security-Policy refuses it).
 *
 *   struct page page;
 *
 *   page_begin(&page, call, &(struct page_head){ .place = PLACE_LISTS, .title = &words[TITLE] });
 *   ... page_card_begin, page_table_begin, page_form_begin, page_text ...
 *   page_end(&page, 200);
 *
 * Running out of memory is found out in page_end, which then answers 500 instead.
 */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "web/form.h"
#include "web/route.h"
#include "web/words.h"

/* Entries of the navigation; an entry is shown when its route is there and the user may see it. */
enum page_place {
	PLACE_NONE,
	PLACE_DASHBOARD,
	PLACE_CAMPAIGNS,
	PLACE_SEQUENCES,
	PLACE_TEMPLATES,
	PLACE_IMAGES,
	PLACE_CONTACTS,
	PLACE_LISTS,
	PLACE_SEGMENTS,
	PLACE_IMPORTS,
	PLACE_FORMS,
	PLACE_REPORTS,
	PLACE_DELIVERABILITY,
	PLACE_DNS,
	PLACE_SETTINGS,
	PLACE_USERS,
	PLACE_AUDIT,
	PLACE_ACCOUNT,
};

#define PAGE_CRUMBS_MAX 3

struct page_crumb {
	const char *path; /* NULL: no more */
	const struct words *words;
};

struct page_head {
	enum page_place place;
	const struct words *title;
	struct slice named; /* text of others that is the heading instead: a contact's address */
	struct page_crumb crumbs[PAGE_CRUMBS_MAX]; /* what stands above this page */
	bool is_public; /* for people who do not sign in: no navigation */
	bool has_chart;
	u32 refresh_s; /* its content is fetched again so often, where there is script; 0: never */
};

struct page {
	struct call *call;
	struct buf *out;
	enum language language;
	u32 ids; /* given to elements */
	u32 columns; /* of the table that is open */
	u32 column;
	const struct page_column *table;
	bool is_public;
};

void page_begin(struct page *page, struct call *call, const struct page_head *head);
void page_end(struct page *page, u32 status);

/* ---- markup and text ---- */

/* Markup: a literal, nothing else compiles. */
#define PAGE_HTML(page, literal) page_markup(page, SLICE(literal))
void page_markup(struct page *page, struct slice literal); /* by PAGE_HTML alone */

/* Bytes that are not UTF-8, and controls, become U+FFFD. */
void page_text(struct page *page, struct slice text);
void page_cstr(struct page *page, const char *text);
/* A sentence of the rooms below, in the reader's language (trouble.h). */
void page_trouble(struct page *page, struct slice english);
/* "{1}" of `words` is that sentence. */
void page_words_trouble(struct page *page, const struct words *words, struct slice english);
void page_words(struct page *page, const struct words *words);
/* "{1}" to "{9}" of the sentence are values; escaped. */
#define PAGE_SENTENCE(page, words, ...)                                                            \
	page_sentence(page, words, (const struct slice[]){ __VA_ARGS__ },                          \
		      sizeof((const struct slice[]){ __VA_ARGS__ }) / sizeof(struct slice))
void page_sentence(struct page *page, const struct words *words, const struct slice *values,
		   size_t count);
void page_number(struct page *page, u64 number); /* 1,234,567 */
void page_percent(struct page *page, u64 part, u64 whole); /* 12.3 %; a dash without a whole */
/* Moments in the time zone of the settings; 0 is a dash. */
void page_time(struct page *page, u64 at_ms);
void page_date(struct page *page, u64 at_ms);
/* "3.2 MB" */
void page_bytes(struct page *page, u64 bytes);

/* Decimal digits, for values and parts of URLs; the memory is the caller's. */
struct page_digits {
	char text[21];
};
struct slice page_digits(struct page_digits *digits, u64 number);
#define DIGITS(number) page_digits(&(struct page_digits){ "" }, number)

/* ---- attributes: behind PAGE_HTML(page, "<a"), with a space in front ---- */

void page_attribute(struct page *page, const char *name, struct slice value);
/*
 * A URL of ours: each "{}" of the literal is replaced by the next value, percent-encoded.
 *   PAGE_URL(page, "href", "/admin/contacts/{}?after={}", id, after)
 */
#define PAGE_URL(page, name, format, ...)                                                          \
	page_url(page, name, "" format,                                                            \
		 (const struct slice[]){ SLICE_NONE, ##__VA_ARGS__ } + 1)
void page_url(struct page *page, const char *name, const char *format, const struct slice *values);
/* A URL of others: http, https or mailto; anything else leads nowhere. */
void page_foreign_url(struct page *page, const char *name, struct slice url);

/* ---- parts: page_part.c ---- */

/* A link of ours with words or with text. */
#define PAGE_LINK(page, words, format, ...)                                                        \
	do {                                                                                       \
		PAGE_HTML(page, "<a");                                                             \
		PAGE_URL(page, "href", format, ##__VA_ARGS__);                                     \
		PAGE_HTML(page, ">");                                                              \
		page_words(page, words);                                                           \
		PAGE_HTML(page, "</a>");                                                           \
	} while (0)
#define PAGE_LINK_TEXT(page, text, format, ...)                                                    \
	do {                                                                                       \
		PAGE_HTML(page, "<a");                                                             \
		PAGE_URL(page, "href", format, ##__VA_ARGS__);                                     \
		PAGE_HTML(page, ">");                                                              \
		page_text(page, text);                                                             \
		PAGE_HTML(page, "</a>");                                                           \
	} while (0)
/* A link that looks like a button: what begins something. */
#define PAGE_ACTION(page, words, format, ...)                                                      \
	do {                                                                                       \
		PAGE_HTML(page, "<a class=\"button\"");                                            \
		PAGE_URL(page, "href", format, ##__VA_ARGS__);                                     \
		PAGE_HTML(page, ">");                                                              \
		page_words(page, words);                                                           \
		PAGE_HTML(page, "</a>");                                                           \
	} while (0)

/* A card, with a heading unless it is NULL. */
void page_card_begin(struct page *page, const struct words *title);
void page_card_end(struct page *page);
/* Of a part of the page that is no card. */
void page_heading(struct page *page, const struct words *title);
void page_paragraph(struct page *page, const struct words *words);
/* What a list says that has nothing yet. */
void page_nothing(struct page *page, const struct words *words);

enum page_tone { TONE_NEUTRAL, TONE_GOOD, TONE_WARNING, TONE_BAD };
/* A sentence that is to be seen; `role=alert` when it is bad. */
void page_message(struct page *page, enum page_tone tone, const struct words *words);
void page_message_text(struct page *page, enum page_tone tone, struct slice text);
void page_message_trouble(struct page *page, enum page_tone tone, struct slice english);
/* Between them what it says: text and links. */
void page_message_begin(struct page *page, enum page_tone tone);
void page_message_end(struct page *page);
/* A state in a word: "sent", "paused". */
void page_badge(struct page *page, enum page_tone tone, const struct words *words);

/* Facts: a description list; between label and the next one anything is written. */
void page_facts_begin(struct page *page);
void page_fact(struct page *page, const struct words *label);
void page_facts_end(struct page *page);
/* Figures in a row of tiles. */
void page_tiles_begin(struct page *page);
void page_tile(struct page *page, const struct words *label, u64 number);
/* With what it is of the whole, below; `format` NULL: no link. */
void page_tile_share(struct page *page, const struct words *label, u64 number, u64 whole);
void page_tiles_end(struct page *page);
/* Text to be copied, with a button for it where there is script. */
void page_copy(struct page *page, struct slice text);

/* ---- tables ---- */

struct page_column {
	struct words words;
	bool is_number; /* to the right */
};
/* `columns` ends with one without words. The caption is read to who cannot see; NULL: none. */
void page_table_begin(struct page *page, const struct words *caption,
		      const struct page_column *columns);
void page_row_begin(struct page *page);
void page_cell(struct page *page); /* begins the next one; the last is ended by itself */
void page_cell_text(struct page *page, struct slice text);
void page_cell_number(struct page *page, u64 number);
void page_cell_time(struct page *page, u64 at_ms);
void page_row_end(struct page *page);
void page_table_end(struct page *page);
/*
 * A chart over time: a table whose first column is moments (page_cell_time), the others numbers. It
 * is drawn where there is script (the page has `has_chart`), and folded up below the drawing.
 */
void page_chart_begin(struct page *page, const struct words *caption,
		      const struct page_column *columns);
void page_chart_end(struct page *page);
/*
 * Links to the pages before and behind; the format as of PAGE_URL, with one value. SLICE_NONE:
 * there is none.
 */
void page_pager(struct page *page, const char *format, struct slice before, struct slice after);
/* Of a list that is read forwards alone: the page behind; the format as of PAGE_URL. */
#define PAGE_NEXT(page, format, ...)                                                               \
	page_next(page, "" format, (const struct slice[]){ SLICE_NONE, ##__VA_ARGS__ } + 1)
void page_next(struct page *page, const char *format, const struct slice *values);

/* ---- forms: page_form.c ---- */

struct page_field {
	const char *name;
	const struct words *label;
	const struct words *hint;  /* NULL: none */
	const struct words *error; /* NULL: none; shown at the field, which is marked */
	struct slice error_text;   /* the same as text (page_trouble); empty: none */
	struct slice value;
	const char *type;	  /* NULL: "text" */
	const char *autocomplete; /* NULL: not said */
	u32 length_max;		  /* characters; 0: not said */
	u32 rows;		  /* of a text area; 0: a line */
	const char *accept; /* of type "file": media types, with commas between; NULL: any */
	bool takes_several; /* the same: more than one file */
	bool is_required;
	bool is_disabled;
	bool has_focus;
};

/* POST to a URL of ours (as PAGE_URL); has what protects it from other sites. */
#define PAGE_FORM(page, format, ...)                                                               \
	do {                                                                                       \
		PAGE_HTML(page, "<form method=\"post\"");                                          \
		PAGE_URL(page, "action", format, ##__VA_ARGS__);                                   \
		page_form_opened(page);                                                            \
	} while (0)
/* The same for files: field of type "file"; the route has ROUTE_TAKES_UPLOAD. */
#define PAGE_UPLOAD(page, format, ...)                                                             \
	do {                                                                                       \
		PAGE_HTML(page, "<form method=\"post\" enctype=\"multipart/form-data\"");          \
		PAGE_URL(page, "action", format, ##__VA_ARGS__);                                   \
		page_form_opened(page);                                                            \
	} while (0)
/* GET: for searching and choosing what is shown. */
#define PAGE_SEARCH(page, format, ...)                                                             \
	do {                                                                                       \
		PAGE_HTML(page, "<form class=\"search\" role=\"search\"");                         \
		PAGE_URL(page, "action", format, ##__VA_ARGS__);                                   \
		PAGE_HTML(page, ">");                                                              \
	} while (0)
void page_form_opened(struct page *page); /* by the macros */
void page_form_end(struct page *page);

void page_field(struct page *page, const struct page_field *field);
/*
 * A date and a time of day by a clock that another field names: "2026-12-01 09:00", or empty; the
 * browser's own field. What is neither stays as it was typed, to be mended. form_moment reads it.
 */
void page_moment(struct page *page, const struct page_field *field);
void page_hidden(struct page *page, const char *name, struct slice value);
/* A tick box: sends "1" or nothing. */
void page_check(struct page *page, const char *name, const struct words *label, bool is_ticked);
void page_check_text(struct page *page, const char *name, struct slice value, struct slice label,
		     bool is_ticked);
/* A choice: begin, options, end; `field` gives name, label, hint, error. */
void page_select_begin(struct page *page, const struct page_field *field);
void page_option(struct page *page, struct slice value, const struct words *words, bool is_chosen);
void page_option_text(struct page *page, struct slice value, struct slice text, bool is_chosen);
void page_select_end(struct page *page);
void page_option_group_begin(struct page *page, struct slice label);
void page_option_group_end(struct page *page);
/* A choice of time zones by name, grouped by region: page_zone.c. `field->value` is chosen. */
void page_zone(struct page *page, const struct page_field *field);
/* A group of fields under a heading, for what belongs together. */
void page_group_begin(struct page *page, const struct words *legend);
void page_group_end(struct page *page);

/* Ends what is filled in; TONE_BAD for what cannot be undone. */
void page_submit(struct page *page, enum page_tone tone, const struct words *words);
/* One of several: sends name and value. */
void page_submit_as(struct page *page, enum page_tone tone, const struct words *words,
		    const char *name, struct slice value);
/* A form that is nothing but a button. */
#define PAGE_BUTTON(page, tone, words, format, ...)                                                \
	do {                                                                                       \
		PAGE_HTML(page, "<form method=\"post\" class=\"inline\"");                         \
		PAGE_URL(page, "action", format, ##__VA_ARGS__);                                   \
		page_form_opened(page);                                                            \
		page_submit(page, tone, words);                                                    \
		page_form_end(page);                                                               \
	} while (0)

extern const struct words page_role_words[ACCOUNT_OWNER + 1]; /* of roles: page_account.c */

/* ---- answers: page_answer.c ---- */

/*
 * After a POST: 303 to a URL of ours (as PAGE_URL), whose page shows the message once. `words`
 * NULL: no message.
 */
#define CALL_REDIRECT(call, tone, words, format, ...)                                              \
	call_redirect(call, tone, words, "" format,                                                \
		      (const struct slice[]){ SLICE_NONE, ##__VA_ARGS__ } + 1)
void call_redirect(struct call *call, enum page_tone tone, const struct words *words,
		   const char *format, const struct slice *values);
/*
 * To where a browser said that it was (a field `next`), if that is one of our pages for who is
 * signed in; else to the first one. Nobody is led to another site.
 */
void call_redirect_next(struct call *call, struct slice next);
/* A page with nothing but what went wrong: 403, 404, 503; the words may be NULL. */
void call_problem_page(struct call *call, u32 status, const struct words *words);
/* As that, with a sentence of error.h for who is signed in; a stranger learns no more than the
 * status. */
void call_problem_told(struct call *call, u32 status, struct slice why);

/* A field of the query of the URL, decoded; empty when it is not there (or the query is bad). */
struct slice call_query(struct call *call, const char *name);

/* URLs outside of pages (Location): as PAGE_URL, without escaping for HTML. */
void url_format(struct buf *out, const char *format, const struct slice *values);

#endif
