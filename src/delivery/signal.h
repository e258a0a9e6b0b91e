/*
 * What an answer tells beyond the row that it is about. Pure.
 */
#ifndef DELIVERY_SIGNAL_H
#define DELIVERY_SIGNAL_H

#include "delivery/lease.h"
#include "delivery/shaper.h"

/* Of how much the receiver takes from us; the lease has its verdict and class. */
enum shaper_signal signal_of(const struct lease *lease);
/* The receiver says that there is no such mailbox, for good. */
bool signal_is_bad_mailbox(const struct lease *lease);
/* About the recipient, and it may be over one day: a full mailbox above all. */
bool signal_is_soft(const struct lease *lease);

#endif
