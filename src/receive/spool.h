/*
 * The spool of received mail: a folder in which every message is one file. While it comes it is in
 * tmp/; once it is whole and synced it moves to new/, and only when that name is on the disk, too,
 * is it durable. What a crash left in tmp/ nobody was told about: it goes at the next start.
 *
 * A file is the envelope, an empty line, and the message as it came, behind a Received field:
 *
 *   client 192.0.2.1
 *   hello mx.example.net
 *   from a@example.net
 *   to bounce-x@example.jp
 *
 * Whoever processes mail takes files out of new/ and removes them. Writing is ordinary write(2),
 * syncing is the ring's, and one sync of new/ is for all names that waited for it; one thread.
 */
#ifndef RECEIVE_SPOOL_H
#define RECEIVE_SPOOL_H

#include "base/error.h"
#include "base/list.h"
#include "base/types.h"
#include "io/ring.h"

#define SPOOL_ID_MAX 32

struct spool;

struct spool_params {
	const char *folder; /* made when its parent is there; outlives the spool */
	u64 bytes_max;      /* of all files in it */
	u64 bytes_free;     /* that stay free on its disk */
};

struct spool *spool_open(struct ring *ring, const struct spool_params *params,
			 struct error *error) MUST_CHECK;
void spool_close(struct spool *spool); /* no commit may be under way; NULL is fine */

/* Whether a message of so many bytes may begin. */
bool spool_has_room(struct spool *spool, u64 bytes);

/* A message that comes; the owner's memory. */
struct spool_file {
	char id[SPOOL_ID_MAX]; /* its file's name: unique, letters and digits */
	/* The end of a commit, from ring_turn; durable, or gone without a trace. */
	void (*done)(struct spool_file *file, bool durable);
	/* The spool's own: */
	struct spool *spool;
	struct list node; /* waits for its name to be on the disk */
	struct ring_op op;
	u64 size;
	int fd;         /* -1: none */
	bool failed;    /* no room, or the disk's fault */
	bool moved;     /* it has its name in new/ */
	bool committing;
};

void spool_file_init(struct spool_file *file, struct spool *spool,
		     void (*done)(struct spool_file *file, bool durable));
/* False: no room. Then, and when a write fails, spool_file_drop. */
bool spool_file_begin(struct spool_file *file) MUST_CHECK;
/* False: now or before. Small pieces wait in memory for others: spool_file_flush. */
bool spool_file_write(struct spool_file *file, struct slice bytes);
/* All that was written is in the file itself. False: it failed, now or before. */
bool spool_file_flush(struct spool_file *file) MUST_CHECK;
/* `done` follows; until then the memory stays. It was flushed, and nothing has failed. */
void spool_file_commit(struct spool_file *file);
void spool_file_drop(struct spool_file *file); /* nothing of it stays; none begun: nothing */

#endif
