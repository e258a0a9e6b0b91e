/*
 * The log: one line per event on standard error (or another descriptor), made for grep and for
 * machines:
 *
 *   2026-11-25T03:12:00.123Z info delivery event="session opened" site=example.jp sessions=3
 *
 * A line is time (UTC), level, room, the event's fixed words, then key=value pairs. Values that
 * hold anything but plain characters are quoted, and bytes that a terminal or a log reader could
 * take for something else (control bytes, quotes, all of 0x7f-0xff) are escaped as \n, \t, \",
 * \\ or \xNN. So nothing that a peer or a file sent can start a line, forge a pair or move a
 * cursor.
 *
 * Any thread may log at any time: a line leaves in one write(2) and lines do not mix. Nothing here
 * allocates or waits for a lock. A line that the descriptor does not take at once is dropped and
 * counted. Every call site may write LOG_SITE_BURST lines in LOG_SITE_WINDOW_MS; what is above is
 * counted, and the site's next line says suppressed=N.
 *
 * Personal data: addresses of recipients belong on debug lines only; that is the caller's matter.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/types.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

#define LOG_LINE_MAX 2048 /* bytes with the line feed; below PIPE_BUF, so never torn in a pipe */
#define LOG_VALUE_MAX 512 /* bytes of one value before escaping; longer ones end in "..." */
/* Lines of one call site in a window; pairs that do not fit a line are left out: cut=1. */
#define LOG_SITE_BURST 50
#define LOG_SITE_WINDOW_MS 10000

/* "error", "warn", "info" or "debug"; false on anything else. */
bool log_level_parse(struct slice name, enum log_level *level) MUST_CHECK;
const char *log_level_name(enum log_level level);

/* Lines above this level are not written. At start: info. */
void log_set_level(enum log_level level);
/* Borrowed; the caller keeps it open. At start: 2. */
void log_set_fd(int fd);
bool log_wants(enum log_level level);

/* Lines that the descriptor did not take, since the start. */
u64 log_dropped(void);
/*
 * Writes one line for each call site that has suppressed lines and is silent since its window
 * ended. Meant for a slow timer and for the end of the process.
 */
void log_report_suppressed(void);

/*
 * log_info("delivery", "session opened", "site=%s sessions=%u", site, count);
 *
 * `room` and `event` are literals; so is the format, which is a row of key=value pairs separated by
 * single spaces and may be left out. A space in the format ends a value, a space in an argument
 * does not. Conversions: %s %.*s %c %d %i %u %x %f %g with hh, h, l, ll, z, flags, width and
 * precision.
 */
#define log_error(room, event, ...) LOG_AT(LOG_LEVEL_ERROR, room, event, " " __VA_ARGS__)
#define log_warn(room, event, ...) LOG_AT(LOG_LEVEL_WARN, room, event, " " __VA_ARGS__)
#define log_info(room, event, ...) LOG_AT(LOG_LEVEL_INFO, room, event, " " __VA_ARGS__)
#define log_debug(room, event, ...) LOG_AT(LOG_LEVEL_DEBUG, room, event, " " __VA_ARGS__)

/* One per call, made by the macros. */
struct log_site {
	const char *room;
	const char *event;
	enum log_level level;
	_Atomic u64 window_start_ns;
	_Atomic u32 written;
	_Atomic u32 suppressed;
	_Atomic bool is_listed;
	struct log_site *next;
};

void log_write(struct log_site *site, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define LOG_AT(level_, room_, event_, ...)                                                         \
	do {                                                                                       \
		static struct log_site log_site_here = {                                           \
			.room = "" room_, .event = "" event_, .level = (level_)                    \
		};                                                                                 \
		if (log_wants(level_))                                                             \
			log_write(&log_site_here, __VA_ARGS__);                                    \
	} while (0)

#endif
