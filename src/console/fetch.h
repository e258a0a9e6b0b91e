/*
 * Fetching a file by HTTPS or HTTP, for `upgrade URL`: by libcurl, in a process of its own that
 * writes into a pipe. What is fetched is not trusted for where it came from: a bundle is signed.
 */
#ifndef CONSOLE_FETCH_H
#define CONSOLE_FETCH_H

#include "base/error.h"
#include "base/types.h"

#include <sys/types.h>

struct fetch {
	pid_t pid;
	int fd; /* what is fetched comes out here, up to its end; the caller may not close it */
	int trouble; /* a sentence comes out here when it fails */
};

/* Whether it is one that fetch_begin takes: "https://..." or "http://...". */
bool fetch_is_url(const char *text);

bool fetch_begin(struct fetch *fetch, const char *url, struct error *error) MUST_CHECK;

/*
 * Waits for its end; breaks it off when not everything was read. False, with a sentence: not all of
 * the file came out.
 */
bool fetch_end(struct fetch *fetch, struct error *error) MUST_CHECK;

#endif
