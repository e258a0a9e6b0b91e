/* What the pages about templates share. */
#ifndef WEB_PAGE_TEMPLATE_H
#define WEB_PAGE_TEMPLATE_H

#include "web/page.h"
#include "web/template_call.h"

/* By kind; [0] is all of them. */
extern const struct words page_template_kinds[AUDIENCE_TEMPLATE_KINDS];
extern const struct words page_language_words[LANGUAGES];
extern const struct words page_templates_title;

/* For answers of orders: goes on to `format` with what the order found, unless it was done. */
bool page_template_is_done(struct call *call, const struct template_order *order) MUST_CHECK;

/* ---- the editor: page_template_edit.c ---- */

/* What the form shows. */
struct template_editor {
	struct page page;
	u32 id; /* 0: a new one */
	u32 version;
	enum audience_template_kind kind;
	u8 language;
	struct slice name;
	struct slice of[AUDIENCE_TEMPLATE_TEXTS];
	u32 wrong; /* field; TEMPLATE_FIELDS_ALL: none */
	struct slice problem;
	const struct words *message; /* NULL: none */
};

/* Nothing yet, in the language of the page; slices live as long as who puts them there says. */
struct template_editor template_editor_empty(const struct call *call);
/* Within a transaction of the reader. */
void template_editor_show(struct call *call, struct template_editor *editor, u32 status);
/* Answers with the message alone, or with what is wrong with it; within a transaction, too. */
void template_editor_look(struct call *call, const struct template_look *look);

#endif
