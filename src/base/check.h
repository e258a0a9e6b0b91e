/*
 * Two words for "this cannot go on". ASSERT: a promise of our own code was broken (never used on
 * what a peer, a disk or a person sent); prints file, line and text and aborts, so that a core
 * shows where. CRASH: the world is such that going on would do harm; prints the same and ends the
 * process at once with CRASH_EXIT, so that the supervisor restarts from what is on disk.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include "base/types.h"

#define CRASH_EXIT 75 /* EX_TEMPFAIL: started again, it may go on */

NORETURN void check_failed(const char *file, int line, const char *what);
NORETURN void check_crash(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define ASSERT(cond)                                                                               \
	do {                                                                                       \
		if (__builtin_expect(!(cond), 0))                                                  \
			check_failed(__FILE__, __LINE__, #cond);                                   \
	} while (0)

#define CRASH(...) check_crash(__FILE__, __LINE__, __VA_ARGS__)

#endif
