/*
 * One connection of submission. The engine's question waits while a thread works; the connection
 * may end meanwhile, and then the answer is nobody's.
 */
#include "receive/submission_parts.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/net_address.h"
#include "base/text.h"
#include "message/address.h"
#include "metrics/metrics.h"
#include "receive/submitted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENT_MAX 16
#define CREDENTIAL_SIZE 256 /* server.h: 255 bytes at most */

struct submitter {
	struct submitter_params params;
	char client[CLIENT_MAX];
	size_t client_len;
	char address[NET_ADDRESS_TEXT_SIZE];
	struct clerk_job job;
	bool busy;
	struct timer delay; /* of the answer to a wrong password */
	/* What is asked about. */
	char name[CREDENTIAL_SIZE];
	char password[CREDENTIAL_SIZE];
	char kept[CRYPTO_PASSWORD_TEXT];
	enum crypto_password verdict;
	/* Who signed in. */
	struct user user; /* `from` is its own memory; NULL: nobody */
	const struct config_customer *customer;
	/* What became of the message. */
	bool good;
	bool retry;
	struct error error;
};

static struct submission *common(const struct submitter *submitter)
{
	return submitter->params.submission;
}

static void refuse(struct submitter *submitter, u32 code, const char *text)
{
	smtp_server_refuse(submitter->params.server, code, slice_of(text), clock_mono_ns());
}

static void count(struct submitter *submitter, enum meter_sign_in result)
{
	metric_add(&common(submitter)->meter->sign_ins[result], 1);
}

static void on_delay(struct timer *timer);

struct submitter *submitter_open(const struct submitter_params *params)
{
	struct submitter *submitter = calloc(1, sizeof(*submitter));

	if (!submitter)
		return NULL;
	ASSERT(params->client.len <= CLIENT_MAX);
	submitter->params = *params;
	memcpy(submitter->client, params->client.ptr, params->client.len);
	submitter->client_len = params->client.len;
	slice_copy(submitter->address, sizeof(submitter->address), slice_of(params->address));
	timer_init(&submitter->delay, on_delay);
	return submitter;
}

void submitter_close(struct submitter *submitter)
{
	if (!submitter)
		return;
	ASSERT(!submitter->busy);
	timer_stop(common(submitter)->wheel, &submitter->delay);
	free(submitter->user.from);
	free(submitter);
}

bool submitter_is_busy(const struct submitter *submitter)
{
	return submitter && submitter->busy;
}

const char *submitter_user(const struct submitter *submitter)
{
	return submitter->user.name;
}

static struct slice client_of(const struct submitter *submitter)
{
	return (struct slice){ submitter->client, submitter->client_len };
}

/* ---- signing in ---- */

static struct guard_claim claim_of(const struct submitter *submitter)
{
	return (struct guard_claim){ .name = slice_of(submitter->name),
				     .password = slice_of(submitter->password),
				     .kept = slice_of(submitter->kept) };
}

static void forget_password(struct submitter *submitter)
{
	explicit_bzero(submitter->password, sizeof(submitter->password));
}

static void welcome(struct submitter *submitter, const struct user *user)
{
	char *from = strdup(user->from);

	if (!from) {
		refuse(submitter, 454, "4.7.0 no memory now");
		return;
	}
	free(submitter->user.from);
	submitter->user = *user;
	submitter->user.from = from;
	submitter->customer =
		config_customer_of(common(submitter)->config, slice_of(user->customer));
	count(submitter, METER_SIGNED_IN);
	log_info("receive", "signed in", "client=%s user=%s", submitter->address, user->name);
	smtp_server_accept(submitter->params.server, clock_mono_ns());
}

/* Later, so that guessing is slow; the line is what fail2ban and its like look for. */
static void turn_away(struct submitter *submitter)
{
	u64 now_ns = clock_mono_ns();
	u32 failures;
	u32 delay_ms = guard_fail(common(submitter)->guard, client_of(submitter),
				  slice_of(submitter->name), now_ns, &failures);

	count(submitter, METER_WRONG);
	log_warn("receive", "authentication failed", "client=%s user=%s failures=%u",
		 submitter->address, submitter->name, failures);
	timer_start(common(submitter)->wheel, &submitter->delay, now_ns + delay_ms * NS_PER_MS);
}

static void on_delay(struct timer *timer)
{
	struct submitter *submitter = container_of(timer, struct submitter, delay);

	refuse(submitter, 535, "5.7.8 wrong name or password");
	submitter->params.moved(submitter->params.owner);
}

static void check_password(struct clerk_job *job)
{
	struct submitter *submitter = container_of(job, struct submitter, job);

	submitter->verdict = crypto_password_check(slice_of(submitter->kept),
						   slice_of(submitter->password));
}

static void on_password_checked(struct clerk_job *job)
{
	struct submitter *submitter = container_of(job, struct submitter, job);
	const struct user *user =
		submission_find_user(common(submitter), slice_of(submitter->name));
	struct guard_claim claim = claim_of(submitter);

	submitter->busy = false;
	if (submitter->verdict == CRYPTO_PASSWORD_NO_MEMORY) {
		refuse(submitter, 454, "4.7.0 no memory now");
	} else if (submitter->verdict == CRYPTO_PASSWORD_RIGHT && user &&
		   strcmp(user->password, submitter->kept) == 0) {
		guard_remember(common(submitter)->guard, &claim, clock_mono_ns());
		welcome(submitter, user);
	} else {
		turn_away(submitter);
	}
	forget_password(submitter);
	submitter->params.moved(submitter->params.owner);
}

static void ask_clerk(struct submitter *submitter)
{
	submitter->job = (struct clerk_job){ .work = check_password, .done = on_password_checked };
	submitter->busy = clerk_give(common(submitter)->passwords, &submitter->job);
	if (submitter->busy)
		return;
	forget_password(submitter);
	count(submitter, METER_LATER);
	refuse(submitter, 454, "4.7.0 too many sign in now, come again in a minute");
}

void submitter_auth(struct submitter *submitter, const struct smtp_credentials *given)
{
	struct submission *submission = common(submitter);
	const struct user *user = submission_find_user(submission, given->name);
	struct guard_claim claim;
	enum guard_verdict verdict;
	u64 now_ns = clock_mono_ns();

	slice_copy(submitter->name, sizeof(submitter->name), given->name);
	slice_copy(submitter->password, sizeof(submitter->password), given->password);
	slice_copy(submitter->kept, sizeof(submitter->kept),
		   slice_of(user ? user->password : submission->nobody));
	claim = claim_of(submitter);
	if (given->authorize.len > 0 && !slice_equal(given->authorize, given->name)) {
		forget_password(submitter);
		refuse(submitter, 535, "5.7.8 nobody signs in for another one here");
		return;
	}
	if (user && guard_knows(submission->guard, &claim, now_ns)) {
		forget_password(submitter);
		welcome(submitter, user);
		return;
	}
	verdict = guard_may_ask(submission->guard, client_of(submitter), given->name, now_ns);
	if (verdict == GUARD_ASK) {
		ask_clerk(submitter);
		return;
	}
	forget_password(submitter);
	count(submitter, METER_LATER);
	log_warn("receive", "authentication refused", "client=%s user=%s", submitter->address,
		 submitter->name);
	if (verdict == GUARD_CLIENT_LATER)
		refuse(submitter, 421, "4.7.0 too many wrong passwords, come again in ten minutes");
	else
		refuse(submitter, 454, "4.7.0 too many wrong passwords for this user, come later");
}

/* ---- the envelope ---- */

static bool may_send_as(const struct submitter *submitter, const struct address *address)
{
	char room[ADDRESS_WIRE_MAX];
	struct buf key = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };

	address_add_key(address, &key);
	return !key.failed && user_may_send_as(&submitter->user, buf_slice(&key));
}

bool submitter_mail(struct submitter *submitter, const struct smtp_mail *mail,
		    struct buf *envelope)
{
	struct address address;
	struct error error;
	struct error why;

	if (!submitter->customer) {
		error_set(&why, "5.7.1 %s is no domain of this system", submitter->user.customer);
		refuse(submitter, 550, why.text);
		return false;
	}
	/* The null path is for notices of the client's own, such as that mail was read. */
	if (mail->from.path.len > 0) {
		if (!address_parse(&address, mail->from.path, &error)) {
			error_set(&why, "5.1.7 %.*s", SMTP_SERVER_TEXT_MAX, error.text);
			refuse(submitter, 553, why.text);
			return false;
		}
		if (!may_send_as(submitter, &address)) {
			error_set(&why, "5.7.1 %s may not send as %.*s", submitter->user.name,
				  SLICE_FMT(slice_first(mail->from.path, 100)));
			refuse(submitter, 550, why.text);
			return false;
		}
	}
	buf_add_format(envelope, "user %s\ncustomer %s\n", submitter->user.name,
		       submitter->customer->domain);
	if (mail->ret != SMTP_RETURN_UNSAID)
		buf_add_format(envelope, "ret %u\n", (u32)mail->ret);
	if (mail->envid.len > 0)
		buf_add_format(envelope, "envid %.*s\n", SLICE_FMT(mail->envid));
	return true;
}

bool submitter_rcpt(struct submitter *submitter, const struct smtp_rcpt *rcpt,
		    struct buf *envelope)
{
	const struct config_submission *config = &common(submitter)->config->submission;
	char room[ADDRESS_WIRE_MAX];
	struct buf wire = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };
	struct address address;
	struct error error;
	struct error why;

	/* RFC 5321 section 4.5.1 has <postmaster>: whom the sender's own domain means by it. */
	if (rcpt->to.domain.len == 0)
		buf_add_format(&wire, "postmaster@%s", submitter->customer->domain);
	if (!address_parse(&address, wire.len > 0 ? buf_slice(&wire) : rcpt->to.path, &error)) {
		error_set(&why, "5.1.3 %.*s", SMTP_SERVER_TEXT_MAX, error.text);
		refuse(submitter, 553, why.text);
		return false;
	}
	if (!guard_count(common(submitter)->guard, slice_of(submitter->user.name),
			 config->per_hour, clock_mono_ns())) {
		log_warn("receive", "user has sent enough", "user=%s client=%s",
			 submitter->user.name, submitter->address);
		error_set(&why, "4.7.1 more than %u recipients in an hour, come later",
			  config->per_hour);
		refuse(submitter, 450, why.text);
		return false;
	}
	buf_reset(&wire);
	address_add_wire(&address, &wire);
	buf_add_format(envelope, "to %.*s\n", SLICE_FMT(buf_slice(&wire)));
	if (rcpt->notify)
		buf_add_format(envelope, "notify %u\n", rcpt->notify);
	if (rcpt->orcpt.len > 0)
		buf_add_format(envelope, "orcpt %.*s\n", SLICE_FMT(rcpt->orcpt));
	return true;
}

/* ---- the content ---- */

static bool read_file(struct submitter *submitter, char *to)
{
	const struct spool_file *file = submitter->params.file;
	size_t at = 0;

	while (at < file->size) {
		ssize_t n = pread(file->fd, to + at, file->size - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set_errno(&submitter->error, errno, "the spool");
		at += (size_t)n;
	}
	return true;
}

static void check_message(struct clerk_job *job)
{
	struct submitter *submitter = container_of(job, struct submitter, job);
	size_t size = submitter->params.file->size;
	char *bytes = malloc(size);
	struct submitted *mail = malloc(sizeof(*mail));

	submitter->good = false;
	submitter->retry = true;
	if (!bytes || !mail)
		error_set(&submitter->error, "out of memory for a message");
	else if (read_file(submitter, bytes) &&
		 submitted_read(mail, (struct slice){ bytes, size }, &submitter->error))
		submitter->good = submitted_check(mail->content, &submitter->user,
						  &submitter->retry, &submitter->error);
	free(mail);
	free(bytes);
}

static void on_message_checked(struct clerk_job *job)
{
	struct submitter *submitter = container_of(job, struct submitter, job);
	struct spool_file *file = submitter->params.file;

	submitter->busy = false;
	if (submitter->good) {
		spool_file_commit(file);
	} else {
		log_info("receive", "message refused", "id=%s user=%s why=%s", file->id,
			 submitter->user.name, submitter->error.text);
		spool_file_drop(file);
		if (!submitter->retry)
			metric_add(&common(submitter)->meter->submitted_refused, 1);
		if (submitter->retry)
			refuse(submitter, 451, "4.3.0 the message cannot be looked at now");
		else
			refuse(submitter, 550, submitter->error.text);
	}
	submitter->params.moved(submitter->params.owner);
}

void submitter_end(struct submitter *submitter)
{
	submitter->job = (struct clerk_job){ .work = check_message, .done = on_message_checked };
	submitter->busy = clerk_give(common(submitter)->messages, &submitter->job);
	if (submitter->busy)
		return;
	spool_file_drop(submitter->params.file);
	refuse(submitter, 451, "4.3.2 too many messages at once, come again in a minute");
}
