/*
 * Tells the sender who unsubscribed (store/audience_sender_order.h): in order, batch by batch, over
 * the control socket, on the ring of one request thread. What the sender has said yes to is
 * deleted; when it is away, the same is told again later. Telling twice changes nothing.
 */
#ifndef WEB_TELLER_H
#define WEB_TELLER_H

#include "web/call.h"

struct teller;

/* Looks at once: a run before may have left something. NULL: no memory. */
struct teller *teller_open(struct web *web);
void teller_close(struct teller *teller); /* it is not busy; NULL is fine */
/* Begins nothing more, and gives up what waits for the sender. */
void teller_stop(struct teller *teller);
bool teller_is_busy(const struct teller *teller); /* an order to the scribe is under way */

/* For any thread, after an order that added something is durable. */
void teller_wake(void);

#endif
