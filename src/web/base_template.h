/*
 * Templates to begin with, part of the program: mails that look right in old mail programs, on
 * phones and in the dark, with what the law asks of their sender (the block `sender`).
 */
#ifndef WEB_BASE_TEMPLATE_H
#define WEB_BASE_TEMPLATE_H

#include "store/audience_template.h"
#include "web/words.h"

struct base_template {
	const char *name; /* "letter": in URLs */
	enum audience_template_kind kind;
	struct words title;
	struct words about;
	struct words subject;
	struct words preheader;
	struct words sample; /* of programs; "" */
};

#define BASE_TEMPLATES 4
extern const struct base_template base_templates[BASE_TEMPLATES];

/* NULL: there is none of that name. */
const struct base_template *base_template_find(struct slice name);
/* Its HTML in that language; a text is made of it. */
struct slice base_template_html(const struct base_template *base, enum language language);

#endif
