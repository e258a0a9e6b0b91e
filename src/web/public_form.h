/* Between public_form.c and what it is shown with, public_form_page.c. */
#ifndef WEB_PUBLIC_FORM_H
#define WEB_PUBLIC_FORM_H

#include "campaign/sign_up.h"
#include "store/audience_attribute.h"
#include "web/public_page.h"

#define FORM_EMAIL "email"
#define FORM_TRAP "website" /* people do not see it */
#define FORM_CONSENT "consent"
#define FORM_TOKEN "token"
#define FORM_PROOF "proof"
#define FORM_FIELD_NAME_SIZE 8 /* "a65535" */

enum form_notice {
	NOTICE_NONE,
	NOTICE_CHECK, /* something is wrong below */
	NOTICE_WAIT,
	NOTICE_AGAIN, /* shown too long ago, or sent twice */
	NOTICE_MANY,
	NOTICE_FROM_ELSEWHERE, /* filled in at another site: to be looked at and sent */
};

/* What is wrong with what was filled in: by place in the form's fields. */
struct form_mistakes {
	const char *fields[SIGN_UP_FIELDS_MAX]; /* sentences; NULL: it is fine */
	bool email;
	bool consent;
	bool any;
};

/* A field for an attribute, with what is in it; `mistake` NULL: it is fine. */
void public_add_field(struct page *page, const struct attribute *attribute, bool is_required,
		      struct slice value, const char *mistake);
/*
 * Puts the attribute's value as it was sent among the packed `values`; with `empties`, and then in
 * order of ids, also one that was emptied. NULL, or what is wrong with it.
 */
const char *public_read_value(struct buf *values, const struct attribute *attribute,
			      bool is_required, bool empties, const struct form *sent,
			      enum language language);
/* The form's name for an attribute. */
const char *public_field_name(char out[FORM_FIELD_NAME_SIZE], u16 attribute);
/* A text in the page's language, or in the other one. */
struct slice public_form_words(const struct audience_form *form, enum form_text japanese,
			       enum language language);

/*
 * Shows the form, filled in with what `sent` has, within a transaction of `txn`; ends that before
 * it answers.
 */
void public_form_show(struct call *call, struct audience_txn *txn,
		      const struct audience_form *form, const struct form *sent,
		      const struct form_mistakes *mistakes, enum form_notice notice);
void public_form_done(struct call *call, struct slice words, struct slice redirect);

#endif
