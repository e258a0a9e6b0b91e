#include "receive/refused.h"

#include "base/clock.h"
#include "base/text.h"
#include "control/letter.h"
#include "message/notice.h"

#include <stdio.h>
#include <string.h>

#define KEY_PREFIX "refused-"
#define BATCH_MAX 2048
#define NEVER 1 /* of NOTIFY: about notices there are none */

static const struct config_customer *customer_of(const struct config *config,
						 const struct submitted *mail)
{
	const struct config_customer *customer = config_customer_of(config, mail->customer);

	/* No more there: whoever runs this machine says so. */
	return customer ? customer : &config->customers[0];
}

static bool write_notice(const struct config *config, const struct submitted *mail, const char *why,
			 struct buf *out)
{
	static struct notice_recipient recipients[SUBMITTED_RECIPIENTS_MAX]; /* one thread's */
	const struct config_customer *customer = customer_of(config, mail);
	u64 now_ms = clock_wall_ms();
	const struct notice notice = {
		.host = config->receive.hostname,
		.domain = customer->domain,
		.sender = mail->from,
		.envid = mail->envid,
		.original = mail->content,
		.language = (enum notice_language)customer->notice_language,
		.arrival_ms = now_ms,
		.date_ms = now_ms,
		.recipients = recipients,
		.count = mail->recipient_count,
	};

	for (u32 i = 0; i < mail->recipient_count; i++)
		recipients[i] = (struct notice_recipient){ .action = NOTICE_FAILED,
							   .class = SMTP_CLASS_POLICY,
							   .status = { 5, 3, 0 },
							   .address = mail->recipients[i].address,
							   .original = mail->recipients[i].orcpt,
							   .text = slice_of(why) };
	return notice_write(&notice, out);
}

static bool send_all(struct control_client *client, const struct control_letter *letter,
		     struct slice whole, struct slice to, enum control_answer *answer,
		     struct error *error)
{
	struct control_recipient recipient = { .address = to, .notify = NEVER };
	json_t *json = control_letter_json(letter);
	struct buf batch;

	*answer = CONTROL_LOST;
	if (!json)
		return error_set(error, "out of memory for a request");
	buf_init(&batch, BATCH_MAX);
	control_recipient_add(&batch, &recipient);
	*answer = control_client_request(client, json, error);
	if (*answer == CONTROL_SENT)
		*answer = control_client_data_all(client, CONTROL_DATA_WHOLE, whole, error);
	if (*answer == CONTROL_SENT)
		*answer = control_client_data(client, CONTROL_DATA_RECIPIENTS, buf_slice(&batch),
					      error);
	if (*answer == CONTROL_SENT)
		*answer = control_client_end(client, error);
	buf_done(&batch);
	return *answer == CONTROL_SENT;
}

enum refused_result refused_tell(const struct config *config, struct control_client *client,
				 const struct submitted *mail, const char *name, const char *why,
				 struct error *error)
{
	char key[CONTROL_KEY_MAX + 1];
	struct control_letter letter = {
		.content = { .customer = customer_of(config, mail)->domain,
			     .source = CONTROL_SOURCE_WHOLE,
			     .source_name = "notice",
			     .charset = "utf-8",
			     .encoding = "auto" },
		.key = key,
		.kind = "notice",
		.is_literal = true,
	};
	enum control_answer answer = CONTROL_LOST;
	struct buf whole;
	json_t *json = NULL;

	if (mail->from.len == 0 || mail->recipient_count == 0) {
		error_set(error, "it had no sender");
		return REFUSED_NOBODY;
	}
	snprintf(key, sizeof(key), KEY_PREFIX "%s", name);
	buf_init(&whole, NOTICE_ORIGINAL_MAX + (size_t)NOTICE_OWN_MAX * 64);
	if (!write_notice(config, mail, why, &whole)) {
		buf_done(&whole);
		error_set(error, "out of memory for a notice");
		return REFUSED_LATER;
	}
	letter.content.sizes[CONTROL_DATA_WHOLE] = whole.len;
	if (send_all(client, &letter, buf_slice(&whole), mail->from, &answer, error)) {
		do
			answer = control_client_next(client, &json, error);
		while (answer == CONTROL_ITEM && (json_decref(json), true));
	}
	buf_done(&whole);
	if (answer == CONTROL_REPLY) {
		json_decref(json);
		return REFUSED_TOLD;
	}
	return answer == CONTROL_REFUSED && control_client_is_final(client) ? REFUSED_NOBODY
									     : REFUSED_LATER;
}
