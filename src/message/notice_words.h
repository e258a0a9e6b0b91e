/* What a notice says to a person. Private to notice*.c. */
#ifndef MESSAGE_NOTICE_WORDS_H
#define MESSAGE_NOTICE_WORDS_H

#include "message/notice.h"

enum notice_tongue { NOTICE_EN, NOTICE_JA, NOTICE_TONGUES };

/* All in UTF-8, without line ends. */
struct notice_phrases {
	const char *subject[5];  /* by enum notice_action; the message's own behind it */
	const char *opening[5];  /* likewise */
	const char *expired;     /* what happened, when it was tried for too long */
	const char *host_said;   /* "%s": the host's name */
	const char *reason;      /* above words that are our own */
	const char *until;       /* "%s": a date */
	const char *do_nothing;  /* about a message that is late */
	const char *no_more;     /* about one that was relayed or expanded */
	const char *your_message;
	const char *subject_name;
	const char *accepted_name;
	const char *attached_all;
	const char *attached_header;
	const char *ending; /* "%s": our name */
};
extern const struct notice_phrases notice_phrases[NOTICE_TONGUES];

/* Why it was refused, in plain words, and what the sender can do. */
struct notice_advice {
	const char *why;
	const char *todo;
};
const struct notice_advice *notice_advice_of(enum smtp_class class, enum notice_tongue tongue);

#endif
