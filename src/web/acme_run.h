/*
 * Getting a certificate as a process of its own beside the web server's keeper: it talks with the
 * authority (libcurl), puts up proofs where lighttpd serves them, and leaves FRONT_ACME_PEM behind
 * when all went well. The keeper looks once a second whether it is over.
 */
#ifndef WEB_ACME_RUN_H
#define WEB_ACME_RUN_H

#include "base/config.h"
#include "base/error.h"
#include "web/front_certificate.h"

#include <sys/types.h>

struct acme_run {
	pid_t pid; /* 0: none is under way */
	int told;  /* what it says of a failure; -1: none */
	u64 until_ns;
	u64 not_before_ns; /* the next one; clock_mono_ns */
	u64 delay_ms;	   /* of this machine's renewals */
	u64 failures;	   /* since the last that went well */
	u64 next_ms;	   /* wall clock, for people; 0: when it is due */
	struct error trouble; /* of the last one; "": it went well */
};

void acme_run_init(struct acme_run *run);
/*
 * Begins one, unless it is too early after one that failed: 5 minutes at first, then twice as long
 * each time, up to half a day; what the authority asks for besides.
 */
void acme_run_begin(struct acme_run *run, const struct config_www *www,
		    const struct front_names *names, u64 now_ns);
/* True once, when it came to its end; one that takes too long is ended. */
bool acme_run_is_over(struct acme_run *run, u64 now_ns, u64 wall_ms) MUST_CHECK;
/* Breaks one off that is under way. */
void acme_run_end(struct acme_run *run);

#endif
