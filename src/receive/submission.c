#include "receive/submission_parts.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHECKS_WAITING 32   /* passwords: about three seconds of work */
#define MESSAGES_WAITING 256

/* ---- users ---- */

static bool stamp_of(const char *path, struct user_stamp *stamp)
{
	struct stat st;

	*stamp = (struct user_stamp){ 0 };
	if (stat(path, &st) < 0)
		return false;
	*stamp = (struct user_stamp){ .inode = st.st_ino,
				      .size = (u64)st.st_size,
				      .at_s = (u64)st.st_mtim.tv_sec,
				      .at_ns = (u64)st.st_mtim.tv_nsec };
	return true;
}

/* As the file says now. One that cannot be read leaves those who are known. */
static void look_at_users(struct submission *submission)
{
	const char *path = submission->config->submission.users;
	struct user_file users;
	struct user_stamp stamp;
	struct error error;

	if (!stamp_of(path, &stamp) ||
	    memcmp(&stamp, &submission->users_stamp, sizeof(stamp)) == 0)
		return;
	submission->users_stamp = stamp;
	if (!user_file_read(&users, path, &error)) {
		log_error("receive", "users", "why=%s", error.text);
		return;
	}
	user_file_free(&submission->users);
	submission->users = users;
	log_info("receive", "users", "count=%u", users.count);
}

const struct user *submission_find_user(struct submission *submission, struct slice name)
{
	look_at_users(submission);
	return user_file_find(&submission->users, name);
}

/* ---- opening and closing ---- */

static bool open_spool(struct submission *submission, const struct submission_params *params,
		       struct error *error)
{
	const struct config *config = params->config;
	struct spool_params spool = { .folder = config->submission.spool,
				      .bytes_max = config->receive.spool_max,
				      .bytes_free = config->receive.spool_free };

	submission->spool = spool_open(params->ring, &spool, error);
	return submission->spool != NULL;
}

/* What is kept of a password that nobody has: who is not there takes as long as who is. */
static bool make_nobody(struct submission *submission, struct error *error)
{
	struct buf kept = { .ptr = submission->nobody,
			    .size = sizeof(submission->nobody),
			    .max = sizeof(submission->nobody) };

	if (!crypto_password_keep(SLICE("nobody"), &kept) || kept.len >= kept.size)
		return error_set(error, "out of memory for passwords");
	submission->nobody[kept.len] = '\0';
	return true;
}

static bool open_parts(struct submission *submission, const struct submission_params *params,
		       struct error *error)
{
	const struct config *config = params->config;

	if (!user_file_read(&submission->users, config->submission.users, error) ||
	    !open_spool(submission, params, error) || !make_nobody(submission, error))
		return false;
	(void)stamp_of(config->submission.users, &submission->users_stamp);
	submission->guard = guard_open(error);
	if (submission->guard)
		submission->passwords = clerk_open(params->ring, CHECKS_WAITING, error);
	if (submission->passwords)
		submission->messages = clerk_open(params->ring, MESSAGES_WAITING, error);
	if (submission->messages)
		submission->handover = handover_open(config, params->meter, error);
	return submission->handover != NULL;
}

struct submission *submission_open(const struct submission_params *params, struct error *error)
{
	struct submission *submission = calloc(1, sizeof(*submission));

	if (!submission) {
		error_set(error, "out of memory for submission");
		return NULL;
	}
	submission->config = params->config;
	submission->wheel = params->wheel;
	submission->meter = params->meter;
	if (open_parts(submission, params, error))
		return submission;
	submission_close(submission);
	return NULL;
}

void submission_close(struct submission *submission)
{
	if (!submission)
		return;
	handover_close(submission->handover);
	clerk_close(submission->messages);
	clerk_close(submission->passwords);
	guard_close(submission->guard);
	spool_close(submission->spool);
	user_file_free(&submission->users);
	free(submission);
}

void submission_work(struct submission *submission)
{
	if (!submission)
		return;
	clerk_finish(submission->passwords);
	clerk_finish(submission->messages);
}

struct spool *submission_spool(struct submission *submission)
{
	return submission->spool;
}

void submission_has_mail(struct submission *submission)
{
	handover_wake(submission->handover);
}
