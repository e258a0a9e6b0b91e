/*
 * One conversation with a certificate authority, from nothing to a certificate; blocks, for minutes
 * if need be. In a process of its own.
 */
#ifndef WEB_ACME_TALK_H
#define WEB_ACME_TALK_H

#include "base/config.h"
#include "base/error.h"
#include "web/front_certificate.h"

/*
 * True: FRONT_ACME_PEM is there, durable. The account's key is made at the first time. False: a
 * sentence, and how long the authority wants to be left alone (0: it did not say).
 */
bool acme_talk(const struct config_www *www, const struct front_names *names, u64 *rest_s,
	       struct error *error) MUST_CHECK;

#endif
