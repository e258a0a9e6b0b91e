/*
 * Signing up by a form: what the form's texts may be, and what becomes of a contact when somebody
 * sends it and confirms it. Who sends a form may be anybody, so as long as nothing is confirmed it
 * changes nothing of a contact that is known: neither values nor state; and what it is answered is
 * the same whatever is known of the address.
 *
 * An address gets at most SIGN_UP_MAILS mails that ask for confirmation in SIGN_UP_MAILS_MS.
 */
#ifndef CAMPAIGN_SIGN_UP_H
#define CAMPAIGN_SIGN_UP_H

#include "store/audience.h"
#include "store/audience_form.h"
#include "store/contact_record.h"

#define SIGN_UP_MAILS 3
#define SIGN_UP_MAILS_MS (24ull * 3600 * 1000)
#define SIGN_UP_LISTS_MAX 50
#define SIGN_UP_FIELDS_MAX 50
#define SIGN_UP_CONFIRM_S (7ull * 86400) /* so long the link in the mail counts */

/* ---- the form's texts ---- */

/* As programs and pages name it: "title_ja". */
const char *sign_up_text_name(u32 text);

enum sign_up_problem {
	SIGN_UP_GOOD,
	SIGN_UP_MISSING,
	SIGN_UP_TOO_LONG,
	SIGN_UP_BAD_NAME,
	SIGN_UP_BAD_IDS,
	SIGN_UP_BAD_ADDRESS,
	SIGN_UP_BAD_URL,
	SIGN_UP_BAD_ORIGIN,
	SIGN_UP_BAD_COLOUR,
	SIGN_UP_CONTROL,
	SIGN_UP_PROBLEMS,
};
/* A sentence about it, without an end; in Japanese, or in English. */
const char *sign_up_problem_words(enum sign_up_problem problem, bool japanese);
/* *text is the one that is wrong. */
enum sign_up_problem sign_up_check(const struct audience_form *form,
				   enum form_text *text) MUST_CHECK;

/* Takes the next id off FORM_LISTS or FORM_FIELDS. False: there is none. */
bool sign_up_next_id(struct slice *ids, u16 *id, bool *is_required);
/* Whether a site may hold the form: `origin` as browsers send it. */
bool sign_up_admits_origin(const struct audience_form *form, struct slice origin);

/* The setting that names the attributes people may change themselves, as FORM_FIELDS does. */
#define PREFERENCES_FIELDS "preferences-fields"

/* ---- a person ---- */

struct sign_up {
	u32 form;
	u64 now_ms;
	struct slice address; /* wire form */
	struct slice key;     /* of the address */
	struct slice values;  /* packed */
	struct slice peer;    /* where from */
	struct slice agent;
	struct slice consent; /* the text that was agreed to */
	struct slice language; /* "ja", "en": of the mail */
};

/*
 * Keeps what was sent. *changed: the sender was given something to do. NOT_FOUND: the form is not
 * there any more. Slices are no views of the store.
 */
enum store_result sign_up_keep(struct audience_txn *txn, const struct sign_up *sign_up,
			       bool *changed) MUST_CHECK;

struct sign_up_confirmation {
	u32 form;
	u32 contact;
	u64 now_ms;
	struct slice peer;
	struct slice agent;
};
/* *changed: it was waited for. NOT_FOUND: form or contact are not there any more. */
enum store_result sign_up_confirm(struct audience_txn *txn,
				  const struct sign_up_confirmation *confirmation,
				  bool *changed) MUST_CHECK;

#endif
