#include "delivery/signal.h"

/* RFC 3463 section 3.8: security or policy; 3.5: the protocol, where "too much" is said, too. */
#define SUBJECT_PROTOCOL 5
#define SUBJECT_POLICY 7
#define DETAIL_TOO_MANY_RECIPIENTS 3

enum shaper_signal signal_of(enum smtp_verdict verdict, u16 code, const u16 enhanced[3])
{
	switch (verdict) {
	case SMTP_VERDICT_ACCEPTED:
		return SHAPER_TAKEN;
	case SMTP_VERDICT_PERMANENT:
		return enhanced[1] == SUBJECT_POLICY ? SHAPER_BLOCKED : SHAPER_TAKEN;
	case SMTP_VERDICT_TEMPORARY:
		if (code == 421 || (enhanced[1] == SUBJECT_PROTOCOL &&
				    enhanced[2] == DETAIL_TOO_MANY_RECIPIENTS))
			return SHAPER_SLOW_DOWN;
		return SHAPER_NEUTRAL;
	default:
		return SHAPER_NEUTRAL;
	}
}
