/* What calls and pages about templates have in common. */
#ifndef WEB_TEMPLATE_CALL_H
#define WEB_TEMPLATE_CALL_H

#include "web/template_order.h"
#include "web/template_preview.h"

/* A number of the path; 0: none. */
u32 template_number(const char *text);
/*
 * Begins to read, and finds the template of the path, in the version `number` (0: the newest).
 * False: the call is answered. Afterwards audience_abort(call->web->reader) is the caller's in both
 * cases.
 */
bool template_find(struct call *call, u32 number, struct audience_template *one,
		   struct audience_template_version *version) MUST_CHECK;
void template_look_at(const struct audience_template *one,
		      const struct audience_template_version *version, struct template_look *look);

/*
 * Sends it to the addresses of `to`, an array of texts whose reference is taken, with the values of
 * the look's contact or sample; within a transaction of the reader. Answers in `events`, or at once
 * when something is wrong.
 */
void template_test(struct call *call, u32 id, const struct template_look *look, json_t *to,
		   const struct exchange_events *events);

#endif
