/*
 * Between client.c (life, events, time), client_send.c (send cursor) and client_reply.c (receive
 * cursor, table of steps). Nobody else includes this.
 */
#ifndef SMTP_CLIENT_OWN_H
#define SMTP_CLIENT_OWN_H

#include "smtp/client.h"

/* In the order in which a dialogue passes them; comparisons rely on CLEAR < MAIL < ... < END. */
enum smtp_step {
	SMTP_STEP_NONE,
	SMTP_STEP_GREETING,
	SMTP_STEP_EHLO,
	SMTP_STEP_HELO,
	SMTP_STEP_STARTTLS,
	SMTP_STEP_TLS,
	SMTP_STEP_OPEN, /* transactions go; each has its own cursors: */
	SMTP_STEP_CLEAR, /* receive cursor: reply to the RSET in front of MAIL */
	SMTP_STEP_MAIL,
	SMTP_STEP_RCPT,
	SMTP_STEP_DATA,
	SMTP_STEP_BDAT,
	SMTP_STEP_BODY, /* send cursor: content goes out */
	SMTP_STEP_DOT,  /* receive cursor: reply to the content behind DATA */
	SMTP_STEP_RSET,
	SMTP_STEP_END,
	SMTP_STEP_QUIT,
	SMTP_STEP_OVER,
	SMTP_STEP_COUNT,
};

struct smtp_step_row {
	const char *verb; /* what goes on the wire, up to the argument; "" when nothing goes */
	u8 timeout;       /* enum smtp_timeout */
	u8 stage;
	u32 needs; /* capability without which the step is not taken */
	/* Writes the command into client->out and moves the send cursor; 0: no room. */
	size_t (*write)(struct smtp_client *client, struct smtp_transaction *transaction,
			struct slice verb);
	void (*on_reply)(struct smtp_client *client, struct smtp_transaction *transaction,
			 const struct smtp_reply *reply);
};
extern const struct smtp_step_row smtp_steps[SMTP_STEP_COUNT];

/* How many BDATs wait for the replies to RCPT after one was refused. */
#define SMTP_CAUTION 20

/* client.c */
/* The one setter of the receive cursor: of a transaction, or of the session when it is NULL. */
void smtp_client_enter(struct smtp_client *client, struct smtp_transaction *transaction,
		       enum smtp_step step);
void smtp_client_over(struct smtp_client *client, enum smtp_failure failure,
		      enum smtp_stage stage, bool by_reply);
void smtp_client_arm(struct smtp_client *client); /* restarts the current step's timeout */
/* Oldest transaction that is not finished; NULL: none. */
struct smtp_transaction *smtp_client_front(const struct smtp_client *client);
bool smtp_client_has(const struct smtp_client *client, u32 capability);
void smtp_client_rule(struct smtp_client *client, struct smtp_transaction *transaction,
		      u32 first, u32 end, enum smtp_verdict verdict);
enum smtp_stage smtp_transaction_stage(const struct smtp_transaction *transaction);
/* First recipient from `at` on that is said to the host (those LOCAL by address are not). */
u32 smtp_recipient_from(const struct smtp_transaction *transaction, u32 at);

/* client_send.c */
size_t smtp_write_hello(struct smtp_client *client, struct smtp_transaction *none,
			struct slice verb);
size_t smtp_write_plain(struct smtp_client *client, struct smtp_transaction *none,
			struct slice verb);
size_t smtp_write_mail(struct smtp_client *client, struct smtp_transaction *transaction,
		       struct slice verb);
size_t smtp_write_rcpt(struct smtp_client *client, struct smtp_transaction *transaction,
		       struct slice verb);
size_t smtp_write_data(struct smtp_client *client, struct smtp_transaction *transaction,
		       struct slice verb);
size_t smtp_write_bdat(struct smtp_client *client, struct smtp_transaction *transaction,
		       struct slice verb);
size_t smtp_write_rset(struct smtp_client *client, struct smtp_transaction *transaction,
		       struct slice verb);

/* client_reply.c */
/* Step whose reply comes next, and its transaction; NONE when nothing given out waits for one. */
enum smtp_step smtp_receive_cursor(const struct smtp_client *client,
				   struct smtp_transaction **transaction);
/* A complete reply is in client->parser. */
void smtp_client_answer(struct smtp_client *client);
void smtp_client_learn(void *context, u32 number, struct slice text);

#endif
