/*
 * A mail as a call describes it, turned into what the sender takes: header fields with texts, or,
 * with attachments, a whole message. Texts are templates: {{name}} becomes the recipient's value.
 *
 *   { "from": "Shop <shop@example.jp>" | {address, name}, "reply_to", "subject", "text", "html",
 *     "headers": {name: value}, "attachments": [{filename, content_type, content, content_id}],
 *     "list_unsubscribe": {url, mailto}, "template": NAME | ID }
 *
 * A stored template is in place of text and html, and brings the subject unless there is one; its
 * blocks are put in their places here.
 *
 * `to` is read by mail_rows.h. The whole is tried out here by message_compile, so that what the
 * sender would refuse is told with the field that it is about.
 */
#ifndef WEB_MAIL_H
#define WEB_MAIL_H

#include "base/arena.h"
#include "message/message.h"
#include "store/audience_template.h"
#include "web/call.h"
#include "web/mail_rows.h"

#define MAIL_SUBJECT_MAX 4096 /* bytes */
#define MAIL_HEADERS_MAX 64
#define MAIL_ATTACHMENTS_MAX 100

struct mail {
	char domain[ADDRESS_DOMAIN_MAX + 1]; /* of From: whose mail it is */
	struct buf headers;
	struct buf whole; /* with attachments; else empty */
	const char *text; /* "": none; as html borrowed from the call's JSON */
	const char *html;
	const char *subject; /* of the template; NULL: none */
	char template[AUDIENCE_TEMPLATE_NAME_MAX + 1]; /* its name; "": none */
	struct arena arena; /* what is made of it */
	const char *unsubscribe_url; /* NULL: none */
	const char *unsubscribe_mailto;
};

/* The names of a mail's own members, for field_known. */
#define MAIL_FIELDS                                                                                \
	"from", "reply_to", "subject", "text", "html", "headers", "attachments", \
		"list_unsubscribe", "template"

void mail_init(struct mail *mail);
void mail_done(struct mail *mail);

/*
 * Reads it from call->json; `recipients` are read already. False: the call is answered. That the
 * call's key may send for mail->domain is looked at, too.
 */
bool mail_take(struct mail *mail, struct call *call,
	       const struct mail_rows *rows) MUST_CHECK;

/* The announced sizes of its parts, and the parts: whole, or header fields and texts. */
void mail_set_sizes(const struct mail *mail, struct control_campaign_create *create);
void mail_add_data(const struct mail *mail, struct exchange *exchange);

/* Sends what call->json describes, as POST /api/v1/messages; answers in `events`, or at once. */
void mail_send(struct call *call, const struct exchange_events *events);

/* mail_template.c: fills in subject, text and html of call->json's `template`; false as above. */
bool mail_take_template(struct mail *mail, struct call *call) MUST_CHECK;
/* What the compiler refuses of a mail with a template: the call is answered. */
void mail_refuse_template(const struct mail *mail, struct call *call, const struct error *error);

/* mail_part.c: the message with its attachments into mail->whole; false as above. */
bool mail_add_parts(struct mail *mail, struct call *call, const json_t *attachments) MUST_CHECK;

#endif
