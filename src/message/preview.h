/*
 * What a recipient will see of a message, for the screen of its author and for an archive: composed
 * by the same program as what is sent, then read as a mail program reads it. Values in the HTML are
 * escaped as they are in the message; whoever shows it to a browser still keeps scripts off it, for
 * the template's author may have written some.
 */
#ifndef MESSAGE_PREVIEW_H
#define MESSAGE_PREVIEW_H

#include "base/arena.h"
#include "message/message.h"

/* UTF-8 with LF line ends, in the arena; without a part of its kind the slice is empty. */
struct message_preview {
	struct slice subject;
	struct slice from;    /* as written in the field, encoded words decoded */
	struct slice to;
	struct slice text;
	struct slice html;
	struct slice message; /* the whole, unsigned, as it goes over the wire */
	u32 attachments;      /* parts besides the two texts */
};

/*
 * Composes for a receiver without 8BITMIME. The arena needs about ten times the message's size.
 * Results are those of message_compose; MESSAGE_TOO_BIG also when the arena is full.
 */
enum message_result message_preview(const struct message *message,
				    const struct message_recipient *recipient, struct arena *arena,
				    struct message_preview *preview, struct error *error);

#endif
