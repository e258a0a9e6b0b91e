/* Between page_forms.c and the page on which a form is edited, page_forms_edit.c. */
#ifndef WEB_PAGE_FORMS_H
#define WEB_PAGE_FORMS_H

#include "web/form_edit.h"
#include "web/page.h"

/*
 * Shows a form to be edited (id 0: a new one), with what is wrong with it. Begins and ends a
 * reading transaction of its own; the form's texts are no views.
 */
void page_forms_edit_show(struct call *call, const struct audience_form *form,
			  enum sign_up_problem problem, enum form_text wrong, bool is_taken);
/* What was sent from there. */
void page_forms_edit_read(const struct form *sent, struct form_edit *edit);

#endif
