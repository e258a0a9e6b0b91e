/*
 * The words of a reply, without what differs from one reply to the next that means the same. Pure;
 * any bytes will do.
 */
#ifndef SMTP_REPLY_WORDS_H
#define SMTP_REPLY_WORDS_H

#include "base/types.h"
#include "smtp/reply.h"

/*
 * Lower case (of ASCII), one SP for any number of them and for the joint of two lines, none at the
 * start, no enhanced codes at the starts of lines. Reads and writes at most SMTP_REPLY_TEXT_MAX
 * bytes; returns the length, which is not more than the text's.
 */
size_t smtp_reply_words(char out[SMTP_REPLY_TEXT_MAX], struct slice text);

#define SMTP_REPLY_SHAPE_MAX 120

/*
 * The words with <address>, <url>, <host> and <number> for what has '@', "://", a dot within, or
 * digits, and <id> for what is too long for a word: replies of one shape mean the same. Cut at
 * SMTP_REPLY_SHAPE_MAX bytes; returns the length.
 */
size_t smtp_reply_shape(char out[SMTP_REPLY_SHAPE_MAX], struct slice text);

#endif
