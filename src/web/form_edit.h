/*
 * Subscription forms as those who make them see them: what programs (api_form.c) and pages
 * (page_forms.c) have in common. A form being changed is on its way to the store as an order.
 */
#ifndef WEB_FORM_EDIT_H
#define WEB_FORM_EDIT_H

#include "campaign/sign_up.h"
#include "web/call.h"

struct form_edit {
	struct call_order order;
	struct audience_form form; /* its texts are in `bytes` */
	bool deletes;
	bool is_taken; /* afterwards: another form has the name */
	bool is_gone;  /* there is none with that id */
	struct buf bytes;
	struct call_author author;
	void (*answer)(struct call *call, struct form_edit *edit); /* when it was kept */
};

/* NULL: the call is answered, there is no memory. */
struct form_edit *form_edit_new(struct call *call);
void form_edit_free(struct form_edit *edit);
/* Takes a copy of a text. */
void form_edit_text(struct form_edit *edit, enum form_text text, struct slice value);
/* What is wrong with it as a whole, names of lists and domains included. */
enum sign_up_problem form_edit_check(struct call *call, struct form_edit *edit,
				     enum form_text *text) MUST_CHECK;
/* Gives the order; it frees the edit. */
void form_edit_give(struct call *call, struct form_edit *edit);

#endif
