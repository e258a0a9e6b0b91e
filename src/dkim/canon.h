/*
 * DKIM canonical forms (RFC 6376 section 3.4) as streams: the result is the same for every way of
 * cutting the input. The body state is plain data; copying it keeps the midstate after a prefix
 * that many messages share.
 */
#ifndef DKIM_CANON_H
#define DKIM_CANON_H

#include "base/buf.h"
#include "base/crypto.h"
#include "base/types.h"

enum dkim_canon { DKIM_SIMPLE, DKIM_RELAXED };

struct dkim_body {
	struct sha256 hash;
	u64 hashed_bytes;  /* canonical bytes hashed so far: feeds the metrics */
	u64 pending_lines; /* empty lines held back: they count only if something follows */
	u8 canon;
	bool pending_space; /* relaxed: white space held back until the line goes on */
	bool in_line;       /* something of the current line is already hashed */
	bool after_cr;      /* last byte was CR */
};

void dkim_body_init(struct dkim_body *body, enum dkim_canon canon);
/*
 * Bytes as they are sent, before dot-stuffing, with CRLF line ends; a CR or LF alone is an ordinary
 * byte. Any length, any cut. Runs at about the speed of the hash on text that is its own form.
 */
void dkim_body_feed(struct dkim_body *body, const void *bytes, size_t len);
/* A body without a final line end counts as if it had one (and must be sent so). */
void dkim_body_finish(struct dkim_body *body, u8 out[SHA256_SIZE]);

/* Appends "name:value" + CRLF in the chosen form; value is raw, with its folds, no final CRLF. */
void dkim_header_canonical(struct buf *out, enum dkim_canon canon, struct slice name,
			   struct slice value);
/* The same bytes, straight into a running hash; allocates nothing. */
void dkim_header_hash(struct sha256 *hash, enum dkim_canon canon, struct slice name,
		      struct slice value);

#endif
