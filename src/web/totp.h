/*
 * Codes beside the password (RFC 6238), and what helps when the phone is lost: recovery codes, of
 * which digests are kept and each counts once.
 */
#ifndef WEB_TOTP_H
#define WEB_TOTP_H

#include "base/buf.h"
#include "store/audience_account.h"

#define TOTP_SECRET 20 /* bytes; RFC 4226 section 4 R6 */
#define TOTP_TEXT_MAX 32 /* characters of what a user types */
#define TOTP_RECOVERY_SIZE 18 /* "abcde-fghij-klmno" and a NUL */

/*
 * Whether the text is a code of now (a step early or late for slow clocks), or a recovery code; it
 * is used up then, in the account. Spaces and hyphens do not count.
 */
bool totp_take(struct account *account, struct slice text, u64 now_ms) MUST_CHECK;
/* A new secret, and what apps want of it: base32 (RFC 4648 section 6) in groups, a URI. */
void totp_make(u8 secret[TOTP_SECRET]);
void totp_text(const u8 secret[TOTP_SECRET], struct buf *out);
void totp_uri(const u8 secret[TOTP_SECRET], struct slice host, struct slice email, struct buf *out);
/* New recovery codes, for once; their digests go into the account. */
void totp_make_recovery(struct account *account,
			char codes[ACCOUNT_RECOVERY_CODES][TOTP_RECOVERY_SIZE]);

#endif
