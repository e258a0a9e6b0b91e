/*
 * The operator's terminal: its size, single keys, and the few sequences that every terminal since
 * the VT100 knows. Serial lines say nothing of their size: 24 rows of 80 columns then.
 */
#ifndef CONSOLE_TERMINAL_H
#define CONSOLE_TERMINAL_H

#include "base/types.h"

#include <termios.h>

struct terminal_size {
	u32 rows;
	u32 columns;
};
struct terminal_size terminal_size(int fd);

/* Standard output is a terminal that can move its cursor: TERM is neither empty nor dumb. */
bool terminal_can_draw(void);

#define TERMINAL_HOME "\033[H"
#define TERMINAL_CLEAR_LINE "\033[K"  /* from the cursor on */
#define TERMINAL_CLEAR_BELOW "\033[J" /* likewise */

/* Keys come one by one and unseen; Ctrl-C stays a signal. */
struct terminal_keys {
	struct termios saved;
	bool is_on;
};
void terminal_keys_on(struct terminal_keys *keys); /* of standard input; no terminal: no effect */
void terminal_keys_off(struct terminal_keys *keys);

#define TERMINAL_NO_KEY (-1) /* none within the time */
#define TERMINAL_GONE (-2)   /* end of the input, or a signal came */
/* One byte from standard input; timeout_ms < 0: for ever. Escape sequences are read whole: 27. */
int terminal_key(int timeout_ms);

/*
 * Asks on standard error and reads a line from standard input, without its line feed. False: end of
 * the input, or the line is too long.
 */
bool terminal_ask(const char *question, char *answer, size_t size) MUST_CHECK;
/*
 * A question whose answer is the word "yes". True without a question when nobody could answer:
 * standard input is no terminal, so that a script's command counts as meant.
 */
bool terminal_confirm(const char *question) MUST_CHECK;

#endif
