/*
 * What lighttpd is told: the text of its configuration, made from ours. Pure. Which paths go to
 * `hikyaku web` and which are files is in one table of front_config.c.
 */
#ifndef WEB_FRONT_CONFIG_H
#define WEB_FRONT_CONFIG_H

#include "base/buf.h"
#include "base/config.h"

/* Below the configuration's `run`: what makes this machine answer an authority's challenges. */
#define FRONT_CHALLENGES "/challenge"
/* Below its `folder`. */
#define FRONT_PEM "/server.pem"
#define FRONT_ACCESS_LOG "/access.log"

/* How long requests that are under way have when the server is started anew or ends, seconds. */
#define FRONT_GRACE_S 30

struct front_setting {
	const struct config *config;
	const char *host;  /* the first name: where plain requests go when TLS has another port */
	const char *pages; /* folder that is there: the customer's, else ours */
	bool has_tls;	   /* FRONT_PEM is there and is to be shown */
	bool has_limits;   /* this lighttpd has our module of limits */
	bool has_h2_module; /* HTTP/2 is a module of its own: lighttpd 1.4.72 and later */
};

/* Appends it. False: no room. */
bool front_config_make(const struct front_setting *setting, struct buf *out) MUST_CHECK;

#endif
