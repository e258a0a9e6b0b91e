/*
 * What a verdict tells of how much the receiver takes from us. Pure.
 */
#ifndef DELIVERY_SIGNAL_H
#define DELIVERY_SIGNAL_H

#include "delivery/shaper.h"
#include "smtp/client.h"

/* `enhanced` may be zero (RFC 3463): the receiver gave none. */
enum shaper_signal signal_of(enum smtp_verdict verdict, u16 code, const u16 enhanced[3]);

#endif
