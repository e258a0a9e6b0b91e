/*
 * The head of one SCGI request (the protocol of Neil Schemenauer, which web servers speak to what
 * stands behind them): a netstring of names and values, each ended by NUL; CONTENT_LENGTH is the
 * first of them, and so many bytes of body follow. Read as it comes in, in any pieces; it does no
 * I/O. What two readers could take for two different requests is refused: a length that is no plain
 * number, a name that comes twice, bytes behind the last value.
 */
#ifndef WEB_SCGI_H
#define WEB_SCGI_H

#include "base/buf.h"
#include "base/types.h"

#define SCGI_HEAD_MAX (64u << 10) /* bytes of the netstring's content */
#define SCGI_PAIRS_MAX 256

enum scgi_result {
	SCGI_MORE,
	SCGI_READY,
	SCGI_BAD,       /* not SCGI, or more than the maxima */
	SCGI_NO_MEMORY, /* not now */
};

struct scgi_pair {
	struct slice name;
	struct slice value;
};

/* Memory: what has come, at most SCGI_HEAD_MAX. */
struct scgi_head {
	u64 content_length; /* when READY */
	/* The reader's own: */
	struct buf bytes;
	u32 announced; /* length of the netstring */
	u32 digits;    /* of it that have come */
	bool in_content;
	u32 pair_count;
	struct scgi_pair pairs[SCGI_PAIRS_MAX];
};

void scgi_head_init(struct scgi_head *head);
void scgi_head_done(struct scgi_head *head);

/*
 * Takes bytes in order. *used: how many of them belong to the head, all unless READY; what follows
 * is the body. After anything but MORE nothing more may be fed.
 */
enum scgi_result scgi_head_feed(struct scgi_head *head, struct slice bytes,
				size_t *used) MUST_CHECK;

/*
 * When READY: the value of a name ("REQUEST_METHOD"), a view of the head's memory; SLICE_NONE when
 * it was not sent.
 */
struct slice scgi_head_find(const struct scgi_head *head, struct slice name);

#endif
