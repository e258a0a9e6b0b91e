/*
 * From a command to the newsletter service: its interface for programs, by SCGI over the socket
 * that the web server uses. Whoever may write the file of keys may do that; the key is a new one
 * each time, of the scope contacts, and is taken out of the file at the end.
 *
 * Ctrl-C does not end the process but the call that waits, and web_link_is_interrupted says so.
 */
#ifndef CONSOLE_WEB_LINK_H
#define CONSOLE_WEB_LINK_H

#include "base/api_key.h"
#include "base/buf.h"
#include "console/console.h"

#include <jansson.h>

struct web_link {
	struct console *console;
	char socket[256];
	char name[API_KEY_NAME_MAX + 1]; /* of the key */
	char secret[API_KEY_SIZE];
};

/* CONSOLE_OK, or what to exit with (the reason has been said; nothing is to be closed). */
int web_link_open(struct console *console, struct web_link *link) MUST_CHECK;
void web_link_close(struct web_link *link);
bool web_link_is_interrupted(void);

/* What goes up with a request. */
struct web_upload {
	int fd; /* read from its beginning; -1: `text` */
	u64 size;
	struct slice text;
	const char *type; /* "application/json" */
	/* While it goes up; NULL: nobody wants to know. */
	void (*on_sent)(u64 sent, u64 size);
};

/*
 * One request; the path has what follows /api/v1/, encoded. CONSOLE_OK with the answer's JSON
 * (*json, owned; NULL when there is none); else what to exit with, and the reason has been said.
 */
int web_link_call(struct web_link *link, const char *method, const char *path,
		  const struct web_upload *upload, json_t **json) MUST_CHECK;
/* GET, with the answer to a descriptor as it comes. */
int web_link_download(struct web_link *link, const char *path, int to) MUST_CHECK;

/* Appends a value of a query, encoded (RFC 3986 section 2.1). */
void web_link_add_encoded(struct buf *out, struct slice text);

#endif
