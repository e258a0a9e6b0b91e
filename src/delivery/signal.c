#include "delivery/signal.h"

#include "base/smtp_class.h"

enum shaper_signal signal_of(const struct lease *lease)
{
	switch ((enum smtp_class)lease->reply_class) {
	case SMTP_CLASS_NONE:
		return lease->verdict == SMTP_VERDICT_ACCEPTED ? SHAPER_TAKEN : SHAPER_NEUTRAL;
	case SMTP_CLASS_BAD_MAILBOX:
	case SMTP_CLASS_MAILBOX_FULL:
		/* It listened, and judged the recipient alone. */
		return SHAPER_TAKEN;
	case SMTP_CLASS_RATE:
		return SHAPER_SLOW_DOWN;
	case SMTP_CLASS_REPUTATION:
	case SMTP_CLASS_AUTH_FAILURE:
	case SMTP_CLASS_DNS:
		/* Whatever else goes there by this route meets the same. */
		return SHAPER_BLOCKED;
	case SMTP_CLASS_UNKNOWN:
		/* RFC 5321 section 3.8: the host closes, and does not say why. */
		return lease->code == 421 ? SHAPER_SLOW_DOWN : SHAPER_NEUTRAL;
	default:
		return SHAPER_NEUTRAL;
	}
}

bool signal_is_bad_mailbox(const struct lease *lease)
{
	return lease->reply_class == SMTP_CLASS_BAD_MAILBOX &&
	       lease->verdict == SMTP_VERDICT_PERMANENT;
}

bool signal_is_soft(const struct lease *lease)
{
	return smtp_class_is_about_recipient(lease->reply_class) && !signal_is_bad_mailbox(lease);
}
