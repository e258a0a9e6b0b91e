/*
 * The time that a refusal names: "come back in 00:05:00", "greylisted for 300 seconds", "please try
 * again in about 4 minutes and 30 seconds". No standard has it (RFC 6647 section 4.2 only says that
 * a client comes again later), so it is read from English words. Pure; any bytes will do.
 */
#ifndef SMTP_REPLY_WAIT_H
#define SMTP_REPLY_WAIT_H

#include "base/types.h"

#define SMTP_REPLY_WAIT_MAX_MS (7ull * 24 * 3600 * 1000)

/*
 * Milliseconds from the reply on, up to SMTP_REPLY_WAIT_MAX_MS; 0: it names none. `text` as in
 * struct smtp_reply; beyond SMTP_REPLY_TEXT_MAX it is not read.
 */
u64 smtp_reply_wait_ms(struct slice text);

#endif
