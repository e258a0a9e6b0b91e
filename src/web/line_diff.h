/* Two texts line by line: which lines stayed, went, and came. No I/O. */
#ifndef WEB_LINE_DIFF_H
#define WEB_LINE_DIFF_H

#include "base/arena.h"

enum line_diff_kind { LINE_SAME, LINE_GONE, LINE_NEW };

struct line_diff_row {
	enum line_diff_kind kind;
	struct slice line; /* without its end; a view */
};

struct line_diff {
	struct line_diff_row *rows; /* in the arena */
	size_t count;
	bool differs;
};

/*
 * As few changes as there are, if the part that differs is not too large for that (then all of it
 * went and came). Lines of one change: first those that went. False: no memory.
 */
bool line_diff_make(struct slice before, struct slice after, struct arena *arena,
		    struct line_diff *diff) MUST_CHECK;

#endif
