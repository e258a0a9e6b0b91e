/*
 * Which certificate the web server shows: the operator's own, one that an authority gave (acme.h),
 * or, until there is such a one, one that vouches for itself, so that no start ever fails for want
 * of it. What is chosen lies in FRONT_PEM, which lighttpd reads.
 */
#ifndef WEB_FRONT_CERTIFICATE_H
#define WEB_FRONT_CERTIFICATE_H

#include "base/config.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/types.h"

/* Below the configuration's `folder`, all for its owner's eyes alone. */
#define FRONT_ACME_PEM "/acme.pem"	   /* the authority's, with its key */
#define FRONT_ACCOUNT_PEM "/acme-account.pem" /* who we are at the authority */
#define FRONT_PEM_MAX (256u << 10)	   /* bytes */

enum front_kind { FRONT_NONE, FRONT_SELF_SIGNED, FRONT_OWN, FRONT_AUTHORITY };

/* The machine's names, the first of which is the one that people are sent to. */
struct front_names {
	const char *const *items;
	size_t count; /* at least 1 */
};

struct front_certificate {
	enum front_kind kind;
	struct crypto_certificate facts;
	bool is_for_names;    /* for each of them */
	struct error trouble; /* why it is not the one that was asked for; "": it is */
};

const char *front_kind_name(enum front_kind kind); /* "self-signed", "own", "acme" */

/*
 * Sees to it that FRONT_PEM is the best there is, and says what it is. *changed: it is another one
 * than before. False: there is none at all, and error says why.
 */
bool front_certificate_choose(const struct config_www *www, const struct front_names *names,
			      u64 now_ms, struct front_certificate *out, bool *changed,
			      struct error *error) MUST_CHECK;

/*
 * Whether an authority should be asked for one now: there is none of it, or it is for other names,
 * or it ends within `acme-early`, a third of its whole time at most. Each machine adds its own
 * delay_ms, so that many do not come at once.
 */
bool front_certificate_is_due(const struct config_www *www, const struct front_names *names,
			      u64 now_ms, u64 delay_ms) MUST_CHECK;

#endif
