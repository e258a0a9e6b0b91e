/*
 * Between reader.c (the thread, what is told) and reader_files.c (the folder). Nobody else includes
 * this.
 */
#ifndef RECEIVE_READER_PARTS_H
#define RECEIVE_READER_PARTS_H

#include "receive/reader.h"
#include "receive/spool.h"

#define READER_NAMES_MAX 1024 /* of one look at the folder */
#define READER_FILE_MAX (12u << 20) /* of a larger message the rest is not read */

struct reader_files {
	int folder; /* the spool */
	int whole;  /* its new/ */
	int bad;
	int mark;   /* names the file that is being read, and how often that was begun */
	char suspect[SPOOL_ID_MAX]; /* at which the last process ended; "": none */
	u32 tries;
	char names[READER_NAMES_MAX][SPOOL_ID_MAX]; /* oldest first */
	u32 count;
	u64 counted_ns; /* when all were counted last; 0: never */
};

bool reader_files_open(struct reader_files *files, const char *spool,
		       struct error *error) MUST_CHECK;
void reader_files_close(struct reader_files *files);
/* Fills in `names`, and now and then the meter's count of all files. */
void reader_files_list(struct reader_files *files, struct meter *meter);

enum reader_file { READER_FILE_READ, READER_FILE_LATER, READER_FILE_BAD };
/*
 * The file's bytes, the caller's to free; notes that it is being read. BAD: the process ended at it
 * too often. LATER: the disk's fault, or it is gone.
 */
enum reader_file reader_files_read(struct reader_files *files, const char *name,
				   struct slice *bytes) MUST_CHECK;
/* Nothing is being read any more. */
void reader_files_rest(struct reader_files *files);
void reader_files_remove(struct reader_files *files, const char *name);
/* To spool/bad, with a line in the log. */
void reader_files_reject(struct reader_files *files, const char *name, const char *why);

#endif
