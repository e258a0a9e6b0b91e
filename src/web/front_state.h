/*
 * What the web server's keeper tells others of itself: a file for the console, and metrics on the
 * sender's page (`textfiles`).
 */
#ifndef WEB_FRONT_STATE_H
#define WEB_FRONT_STATE_H

#include "web/front_certificate.h"

/* Below the configuration's `run`; JSON, one object. */
#define FRONT_STATE "/state.json"

struct front_state {
	struct front_certificate certificate;
	bool has_acme;
	u64 acme_failures; /* since it last succeeded */
	u64 acme_next_ms;  /* wall clock: when it is tried again; 0: not before it is due */
	const char *acme_trouble; /* "": none */
};

/* Both are written whole or not at all; what cannot be written is told in the log. */
void front_state_write(const struct config *config, const struct front_names *names,
		       const struct front_state *state);

#endif
