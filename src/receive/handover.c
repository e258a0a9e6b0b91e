#include "receive/handover.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "control/client.h"
#include "control/letter.h"
#include "metrics/metrics.h"
#include "receive/refused.h"
#include "receive/submitted.h"
#include "smtp/envelope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT_ONCE 8 /* letters that share one commit of the sender's */
#define NAMES_MAX 1024
#define NAME_SIZE 40
#define KEY_PREFIX "smtp-"
#define BATCH_MAX (512 * 1024) /* of recipients; a frame takes twice as much */
#define PATIENCE_MS 10000 /* for one answer; an end of the process waits for it */
#define PAUSE_FIRST_MS 500
#define PAUSE_MAX_MS 30000

enum handed {
	HANDED_OVER,
	HANDED_BAD,   /* never will be */
	HANDED_LATER,
	HANDED_UNREAD, /* the disk's fault: the others go on */
};

struct parcel {
	char name[NAME_SIZE];
	struct control_client *client;
	enum handed handed;
	bool asked; /* a REPLY is to come */
	struct error error;
};

struct handover {
	pthread_t thread;
	const struct config *config;
	struct meter *meter;
	int whole; /* spool/new */
	int bad;   /* spool/bad */
	char (*names)[NAME_SIZE];
	struct parcel parcels[AT_ONCE];
	struct submitted *mail;
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t moved;
	bool woken;
	bool stopping;
};

/* ---- one letter ---- */

static void later(struct parcel *parcel)
{
	parcel->handed = HANDED_LATER;
	control_client_close(parcel->client);
	parcel->client = NULL;
}

/* What a sending call came to; true: go on. */
static bool went_out(struct parcel *parcel, enum control_answer answer)
{
	if (answer == CONTROL_SENT)
		return true;
	if (answer == CONTROL_REFUSED && control_client_is_final(parcel->client))
		parcel->handed = HANDED_BAD;
	/* Behind a refusal in the middle the stream is not at a request's beginning. */
	if (parcel->handed == HANDED_BAD) {
		control_client_close(parcel->client);
		parcel->client = NULL;
	} else {
		later(parcel);
	}
	return false;
}

static bool send_bytes(struct parcel *parcel, struct slice bytes)
{
	return went_out(parcel, control_client_data_all(parcel->client, CONTROL_DATA_WHOLE, bytes,
							&parcel->error));
}

static bool send_batch(struct parcel *parcel, struct buf *batch)
{
	bool sent;

	if (batch->failed) {
		error_set(&parcel->error, "out of memory for recipients");
		later(parcel);
		return false;
	}
	sent = batch->len == 0 ||
	       went_out(parcel, control_client_data(parcel->client, CONTROL_DATA_RECIPIENTS,
						    buf_slice(batch), &parcel->error));
	buf_reset(batch);
	return sent;
}

static bool send_recipients(struct parcel *parcel, const struct submitted *mail)
{
	struct buf batch;
	bool sent = true;

	buf_init(&batch, BATCH_MAX + CONTROL_ROW_MAX);
	for (u32 i = 0; i < mail->recipient_count && sent; i++) {
		const struct submitted_recipient *to = &mail->recipients[i];
		struct control_recipient recipient = { .address = to->address,
						       .orcpt = to->orcpt,
						       .notify = to->notify };

		control_recipient_add(&batch, &recipient);
		if (batch.len >= BATCH_MAX)
			sent = send_batch(parcel, &batch);
	}
	sent = sent && send_batch(parcel, &batch);
	buf_done(&batch);
	return sent;
}

static bool copy_text(char *to, size_t size, struct slice text, struct parcel *parcel)
{
	if (slice_copy(to, size, text))
		return true;
	parcel->handed = HANDED_BAD;
	return error_set(&parcel->error, "the envelope is too long");
}

static bool send_request(struct parcel *parcel, const struct submitted *mail, u64 size)
{
	char key[NAME_SIZE + sizeof(KEY_PREFIX)];
	char customer[USER_CUSTOMER_MAX + 1];
	char sender[CONTROL_SENDER_MAX + 1];
	char envid[CONTROL_ENVID_MAX + 1];
	struct control_letter letter = {
		.content = { .customer = customer,
			     .source = CONTROL_SOURCE_WHOLE,
			     .source_name = "message",
			     .charset = "utf-8",
			     .encoding = "8bit" },
		.key = key,
		.kind = "submitted",
		.sender = mail->from.len > 0 ? sender : NULL,
		.envid = mail->envid.len > 0 ? envid : NULL,
		.ret = mail->ret == SMTP_RETURN_FULL	  ? "full"
		       : mail->ret == SMTP_RETURN_HEADERS ? "hdrs"
							  : NULL,
		.is_literal = true,
	};
	json_t *json;

	letter.content.sizes[CONTROL_DATA_WHOLE] = size;
	if (!copy_text(customer, sizeof(customer), mail->customer, parcel) ||
	    !copy_text(sender, sizeof(sender), mail->from, parcel) ||
	    !copy_text(envid, sizeof(envid), mail->envid, parcel))
		return false;
	snprintf(key, sizeof(key), KEY_PREFIX "%s", parcel->name);
	json = control_letter_json(&letter);
	if (!json) {
		error_set(&parcel->error, "out of memory for a request");
		later(parcel);
		return false;
	}
	return went_out(parcel, control_client_request(parcel->client, json, &parcel->error));
}

/* All but the answer. */
static void send_mail(struct parcel *parcel, const struct submitted *mail)
{
	struct buf missing;

	buf_init(&missing, 4096);
	submitted_add_missing(mail, slice_of(parcel->name), &missing);
	if (missing.failed) {
		error_set(&parcel->error, "out of memory for a header field");
		later(parcel);
	} else if (send_request(parcel, mail,
				mail->received.len + missing.len + mail->content.len) &&
		   send_bytes(parcel, mail->received) &&
		   send_bytes(parcel, buf_slice(&missing)) && send_bytes(parcel, mail->content) &&
		   send_recipients(parcel, mail) &&
		   went_out(parcel, control_client_end(parcel->client, &parcel->error))) {
		parcel->asked = true;
	}
	buf_done(&missing);
}

/* The whole file; its memory is the caller's. False: `handed` says what that means. */
static bool read_file(struct handover *handover, struct parcel *parcel, struct slice *file)
{
	int fd = openat(handover->whole, parcel->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t size = 0;
	char *bytes = NULL;
	struct stat st;
	size_t at = 0;
	ssize_t n = 1;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		size = (size_t)st.st_size;
		bytes = malloc(size + 1);
	}
	while (bytes && at < size && n != 0) {
		n = read(fd, bytes + at, size - at);
		if (n < 0 && errno != EINTR)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	*file = (struct slice){ bytes, at };
	if (bytes && at == size)
		return true;
	free(bytes);
	parcel->handed = HANDED_UNREAD;
	return error_set_errno(&parcel->error, errno, "the file cannot be read");
}

static bool connect_sender(struct handover *handover, struct parcel *parcel)
{
	enum control_problem problem;

	if (parcel->client)
		return true;
	parcel->client = control_client_open(handover->config->control, &problem, &parcel->error);
	if (parcel->client)
		control_client_set_patience(parcel->client, PATIENCE_MS);
	else
		parcel->handed = HANDED_LATER;
	return parcel->client != NULL;
}

static void send_parcel(struct handover *handover, struct parcel *parcel)
{
	struct slice file;

	parcel->asked = false;
	parcel->handed = HANDED_OVER;
	if (!connect_sender(handover, parcel) || !read_file(handover, parcel, &file))
		return;
	if (submitted_read(handover->mail, file, &parcel->error))
		send_mail(parcel, handover->mail);
	else
		parcel->handed = HANDED_BAD;
	free((char *)file.ptr);
}

/*
 * Whoever handed in what is refused hears of it before the file moves. False: not yet, so that it
 * stays, and is brought again.
 */
static bool tell_sender(struct handover *handover, struct parcel *parcel)
{
	const struct error why = parcel->error;
	enum refused_result result = REFUSED_LATER;
	struct slice file;

	if (!connect_sender(handover, parcel) || !read_file(handover, parcel, &file))
		return false;
	if (!submitted_read(handover->mail, file, &parcel->error))
		result = REFUSED_NOBODY;
	else
		result = refused_tell(handover->config, parcel->client, handover->mail,
				      parcel->name, why.text, &parcel->error);
	free((char *)file.ptr);
	if (result != REFUSED_TOLD) {
		control_client_close(parcel->client);
		parcel->client = NULL;
	}
	if (result == REFUSED_LATER) {
		parcel->handed = HANDED_LATER;
		return false;
	}
	if (result == REFUSED_NOBODY)
		log_warn("receive", "nobody is told of a refused message", "id=%s why=%s",
			 parcel->name, parcel->error.text);
	parcel->error = why;
	return true;
}

/* The answer; then the file goes, or moves, or stays. */
static void end_parcel(struct handover *handover, struct parcel *parcel)
{
	enum control_answer answer = CONTROL_ITEM;
	json_t *json = NULL;

	while (parcel->asked && answer == CONTROL_ITEM) {
		answer = control_client_next(parcel->client, &json, &parcel->error);
		if (answer == CONTROL_ITEM)
			json_decref(json);
	}
	if (parcel->asked && answer == CONTROL_REPLY) {
		log_info("receive", "handed over", "id=%s letter=%s", parcel->name,
			 json_string_value(json_object_get(json, "id")));
		json_decref(json);
		metric_add(&handover->meter->handed_over, 1);
	} else if (parcel->asked) {
		(void)!went_out(parcel, answer);
	}
	if (parcel->handed == HANDED_OVER && unlinkat(handover->whole, parcel->name, 0) < 0 &&
	    errno != ENOENT)
		log_error("receive", "spool", "what=remove id=%s errno=%d", parcel->name, errno);
	if (parcel->handed != HANDED_BAD || !tell_sender(handover, parcel))
		return;
	metric_add(&handover->meter->handover_bad, 1);
	log_error("receive", "the sender refuses a message", "id=%s why=%s", parcel->name,
		  parcel->error.text);
	if (renameat(handover->whole, parcel->name, handover->bad, parcel->name) < 0)
		log_error("receive", "spool", "what=rename id=%s errno=%d", parcel->name, errno);
}

/* ---- all of them ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Names in the folder, oldest first; some, when there are very many. */
static u32 list_names(struct handover *handover)
{
	int fd = openat(handover->whole, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	u32 count = 0;

	if (!dir) {
		log_error("receive", "spool", "what=list errno=%d", errno);
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (count < NAMES_MAX && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.' &&
		    slice_copy(handover->names[count], NAME_SIZE, slice_of(entry->d_name)))
			count++;
	}
	closedir(dir);
	qsort(handover->names, count, NAME_SIZE, compare_names);
	return count;
}

/* False: the sender is away, or has no room. */
static bool hand_over(struct handover *handover, u32 first, u32 count)
{
	bool went = true;

	for (u32 i = 0; i < count; i++) {
		slice_copy(handover->parcels[i].name, NAME_SIZE,
			   slice_of(handover->names[first + i]));
		send_parcel(handover, &handover->parcels[i]);
	}
	for (u32 i = 0; i < count; i++) {
		struct parcel *parcel = &handover->parcels[i];

		end_parcel(handover, parcel);
		if (parcel->handed == HANDED_UNREAD)
			log_error("receive", "spool", "what=read id=%s why=%s", parcel->name,
				  parcel->error.text);
		if (parcel->handed == HANDED_LATER && went)
			log_warn("receive", "mail waits for the sender", "id=%s why=%s",
				 parcel->name, parcel->error.text);
		went = went && parcel->handed != HANDED_LATER;
	}
	return went;
}

static bool is_stopping(struct handover *handover)
{
	bool stopping;

	pthread_mutex_lock(&handover->mutex);
	stopping = handover->stopping;
	pthread_mutex_unlock(&handover->mutex);
	return stopping;
}

/* A sender that starts anew would find them gone. */
static void close_clients(struct handover *handover)
{
	for (u32 i = 0; i < AT_ONCE; i++) {
		control_client_close(handover->parcels[i].client);
		handover->parcels[i].client = NULL;
	}
}

/* All that there is. False: some of it has to wait. */
static bool empty_spool(struct handover *handover)
{
	u32 count;

	do {
		count = list_names(handover);
		for (u32 at = 0; at < count && !is_stopping(handover); at += AT_ONCE) {
			if (!hand_over(handover, at, min_u32(AT_ONCE, count - at)))
				return false;
		}
	} while (count == NAMES_MAX && !is_stopping(handover));
	return true;
}

/* Until there is another file; with a pause, no longer than that, and not before its end. */
static bool wait_for_mail(struct handover *handover, u64 pause_ms)
{
	u64 until_ns = clock_mono_ns() + pause_ms * NS_PER_MS;
	bool stopping;

	pthread_mutex_lock(&handover->mutex);
	while (!handover->stopping && (pause_ms > 0 || !handover->woken)) {
		if (pause_ms == 0)
			pthread_cond_wait(&handover->moved, &handover->mutex);
		else if (!thread_wait_until(&handover->moved, &handover->mutex, until_ns))
			break;
	}
	handover->woken = false;
	stopping = handover->stopping;
	pthread_mutex_unlock(&handover->mutex);
	return !stopping;
}

static void *run(void *argument)
{
	struct handover *handover = argument;
	u64 pause_ms = 0;

	do {
		if (empty_spool(handover))
			pause_ms = 0;
		else
			pause_ms = pause_ms ? min_u64(2 * pause_ms, PAUSE_MAX_MS) : PAUSE_FIRST_MS;
		metric_set(&handover->meter->handover_waits, pause_ms > 0);
		close_clients(handover);
	} while (wait_for_mail(handover, pause_ms));
	return NULL;
}

/* ---- from outside ---- */

static int open_folder(const char *spool, const char *name, bool make, struct error *error)
{
	char path[1024];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", spool, name) >= sizeof(path)) {
		error_set(error, "%s: the path is too long", spool);
		return -1;
	}
	if (make && mkdir(path, 0700) < 0 && errno != EEXIST) {
		error_set_errno(error, errno, "%s", path);
		return -1;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		error_set_errno(error, errno, "%s", path);
	return fd;
}

static bool start_thread(struct handover *handover, struct error *error)
{
	bool started;

	pthread_mutex_init(&handover->mutex, NULL);
	thread_condition_init(&handover->moved);
	started = thread_start(&handover->thread, run, handover) == 0;
	if (started)
		return true;
	pthread_cond_destroy(&handover->moved);
	pthread_mutex_destroy(&handover->mutex);
	return error_set(error, "no thread for what users hand in");
}

static void free_all(struct handover *handover)
{
	close_clients(handover);
	if (handover->whole >= 0)
		close(handover->whole);
	if (handover->bad >= 0)
		close(handover->bad);
	free(handover->names);
	free(handover->mail);
	free(handover);
}

struct handover *handover_open(const struct config *config, struct meter *meter,
			       struct error *error)
{
	const char *spool = config->submission.spool;
	struct handover *handover = calloc(1, sizeof(*handover));

	if (!handover) {
		error_set(error, "out of memory for what users hand in");
		return NULL;
	}
	handover->config = config;
	handover->meter = meter;
	handover->bad = -1;
	handover->names = calloc(NAMES_MAX, NAME_SIZE);
	handover->mail = malloc(sizeof(*handover->mail));
	handover->whole = open_folder(spool, "new", false, error);
	if (handover->whole >= 0)
		handover->bad = open_folder(spool, "bad", true, error);
	if (!handover->names || !handover->mail)
		error_set(error, "out of memory for what users hand in");
	else if (handover->bad >= 0 && start_thread(handover, error))
		return handover;
	free_all(handover);
	return NULL;
}

void handover_close(struct handover *handover)
{
	if (!handover)
		return;
	pthread_mutex_lock(&handover->mutex);
	handover->stopping = true;
	pthread_cond_signal(&handover->moved);
	pthread_mutex_unlock(&handover->mutex);
	pthread_join(handover->thread, NULL);
	pthread_cond_destroy(&handover->moved);
	pthread_mutex_destroy(&handover->mutex);
	free_all(handover);
}

void handover_wake(struct handover *handover)
{
	pthread_mutex_lock(&handover->mutex);
	handover->woken = true;
	pthread_cond_signal(&handover->moved);
	pthread_mutex_unlock(&handover->mutex);
}
