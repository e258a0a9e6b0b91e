/*
 * Whether a person or a program asked for the picture or the link of a mail. Programs ask, too:
 * mail services that fetch pictures before anybody reads, gateways that follow links to see whether
 * they are harmful, link previews of messengers. What they did is counted apart.
 *
 *   sign                                              open       click
 *   HEAD                                              nothing    nothing
 *   Sec-Purpose, Purpose or X-Moz say prefetch        nothing    nothing
 *   no user agent                                     machine    machine
 *   user agent of a crawler, gateway, library         machine    machine
 *   "Mozilla/5.0" alone, or from 17.0.0.0/8           machine    person    Apple's mail privacy
 *   GoogleImageProxy, YahooMailProxy                  person     machine   fetched as mail is read
 *   within VISIT_OPEN_S after delivery                machine    -         gateways
 *   within VISIT_CLICK_S after delivery               -          machine   gateways
 *   VISIT_BURST_LINKS different links in VISIT_BURST_S -         machine, the ones before as well
 *
 * Those that need the time of delivery or earlier clicks are judged when the event is kept
 * (campaign/reaction.h); the others here, from the request alone.
 */
#ifndef CAMPAIGN_VISIT_H
#define CAMPAIGN_VISIT_H

#include "base/types.h"

#define VISIT_OPEN_S 1
#define VISIT_CLICK_S 3
#define VISIT_BURST_LINKS 4
#define VISIT_BURST_S 10

enum visitor {
	VISITOR_NOBODY, /* not to be counted */
	VISITOR_MACHINE,
	VISITOR_PERSON,
};

/* What is known of a request; SLICE_NONE: it does not say. */
struct visit {
	struct slice method;
	struct slice agent;   /* User-Agent */
	struct slice purpose; /* Sec-Purpose, Purpose or X-Moz */
	struct slice address; /* of the peer, as text */
};

enum visitor visit_judge_open(const struct visit *visit) MUST_CHECK;
enum visitor visit_judge_click(const struct visit *visit) MUST_CHECK;

#endif
