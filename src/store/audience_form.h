/*
 * Subscription forms: what a page at /f/NAME asks, which lists it leads to, what it says. Texts are
 * kept as they were written; campaign/sign_up.h has the rules for them.
 */
#ifndef STORE_AUDIENCE_FORM_H
#define STORE_AUDIENCE_FORM_H

#include "store/audience.h"

#define FORMS_MAX 200
#define FORM_TEXT_MAX 8000 /* bytes of one text; all together less than a contact's record */

enum form_text { /* stored by number: new ones come last */
	FORM_NAME, /* of the URL: [a-z][a-z0-9-]* */
	FORM_LISTS, /* ids, with commas between */
	FORM_FIELDS, /* attributes' ids, with commas between; "*" behind those that are required */
	FORM_FROM, /* of the mail that asks for confirmation: "Shop <news@shop.example>" */
	FORM_REDIRECT, /* http(s) URL shown after sending; empty: a page of ours */
	FORM_ORIGINS, /* "https://shop.example", one a line: sites that may hold the form */
	FORM_COLOUR, /* "#1a73e8" of the button; empty: as all pages */
	FORM_TITLE_JA,
	FORM_TITLE_EN,
	FORM_INTRO_JA,
	FORM_INTRO_EN,
	FORM_CONSENT_JA, /* what is agreed to, with a box to tick; empty: no box */
	FORM_CONSENT_EN,
	FORM_BUTTON_JA,
	FORM_BUTTON_EN,
	FORM_DONE_JA, /* after sending */
	FORM_DONE_EN,
	FORM_SUBJECT_JA, /* of the mail; empty: words of ours */
	FORM_SUBJECT_EN,
	FORM_MAIL_JA, /* its text, in front of the link */
	FORM_MAIL_EN,
	FORM_TEXTS,
};

struct audience_form {
	u32 id;
	bool is_open;	/* takes people in; else it says that it is closed */
	bool is_single; /* without a mail that asks for confirmation */
	u64 created_ms;
	u64 changed_ms;
	struct slice of[FORM_TEXTS]; /* views of the record, or what is to be kept */
};

enum store_result audience_form_get(struct audience_txn *txn, u32 id,
				    struct audience_form *form) MUST_CHECK;
/* The first one with a greater id. NOT_FOUND: there are no more. */
enum store_result audience_form_after(struct audience_txn *txn, u32 id,
				      struct audience_form *form) MUST_CHECK;
enum store_result audience_form_find(struct audience_txn *txn, struct slice name,
				     struct audience_form *form) MUST_CHECK;
/*
 * In place of the one with its id; id 0: a new one, which gets one. Its slices are no views. FULL:
 * there are FORMS_MAX already.
 */
enum store_result audience_form_put(struct audience_txn *txn,
				    struct audience_form *form) MUST_CHECK;
enum store_result audience_form_delete(struct audience_txn *txn, u32 id) MUST_CHECK;

#endif
