/*
 * The head of one HTTP/1.1 request (RFC 9112), read as it comes in, in any pieces. Pure: it does no
 * I/O and allocates nothing. It reads what the page of metrics needs (method, path, Accept) and is
 * strict about the rest: what two readers could take for two different requests is refused, not
 * repaired.
 */
#ifndef METRICS_HTTP_HEAD_H
#define METRICS_HTTP_HEAD_H

#include "base/types.h"

#define HTTP_HEAD_MAX 4096

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_OTHER };

enum http_head_result {
	HTTP_HEAD_MORE,    /* the empty line has not come yet */
	HTTP_HEAD_DONE,
	HTTP_HEAD_REFUSED, /* `status` says why */
};

struct http_head {
	/* When DONE: */
	enum http_method method;
	struct slice path; /* without query, into `target` */
	bool openmetrics;  /* Accept prefers application/openmetrics-text 1.0.0 to text/plain */
	/* When REFUSED: 400, 431 (longer than HTTP_HEAD_MAX) or 505 (not HTTP/1). */
	u32 status;
	/* The reader's own: */
	u32 total;
	u32 line_len;
	u32 openmetrics_q; /* best so far, in thousandths */
	u32 text_q;
	u32 any_q;
	bool in_fields;
	bool saw_cr;
	bool saw_host;
	bool saw_length;
	bool has_body;
	char target[HTTP_HEAD_MAX];
	char line[HTTP_HEAD_MAX];
};

void http_head_init(struct http_head *head);

/*
 * Takes bytes in order. *used: how many of them belong to the head, all unless DONE or REFUSED.
 * After one of these no more may be fed. Bodies (Transfer-Encoding, or a Content-Length other than
 * 0) are refused for GET and HEAD; with other methods Content-Length is only checked.
 */
enum http_head_result http_head_feed(struct http_head *head, struct slice bytes, size_t *used);

#endif
