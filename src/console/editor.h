/*
 * The line that is being typed: prompt, history, completion by Tab, help by `?`. On libedit. A
 * standard input that is no terminal is read line by line, without any of that.
 */
#ifndef CONSOLE_EDITOR_H
#define CONSOLE_EDITOR_H

#include "console/complete.h"

struct editor;

enum editor_result {
	EDITOR_LINE,
	EDITOR_INTERRUPTED, /* Ctrl-C: the line is dropped */
	EDITOR_END,	    /* Ctrl-D on an empty line, or the end of the input */
};

/* NULL: no memory. */
struct editor *editor_open(void);
void editor_close(struct editor *editor);

/*
 * Reads a line behind the prompt, without its line feed; *line is the editor's until the next call.
 * Signals that it handles itself (SIGINT, SIGWINCH) are those of the calling thread.
 */
enum editor_result editor_read(struct editor *editor, const char *prompt,
			       const char **line) MUST_CHECK;

/*
 * Asks: a line with this prompt; Tab completes names of that kind, `?` is a letter, and there is no
 * history.
 */
enum editor_result editor_ask(struct editor *editor, const char *prompt, enum name_kind kind,
			      const char **line) MUST_CHECK;

/* Remembers a line, in memory alone. */
void editor_remember(struct editor *editor, const char *line);
/* Prints what is remembered, oldest first. */
void editor_print_history(struct editor *editor);

#endif
