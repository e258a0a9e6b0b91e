/*
 * Rows per second of an import in memory: the CSV reader alone, and with address parsing, packing
 * of values and the check for duplicates. Rows of 100 bytes, one address in a hundred comes twice.
 *
 * usage: csv [rows]
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/csv.h"
#include "base/text.h"
#include "campaign/intake.h"

#include <stdio.h>
#include <stdlib.h>

#define PIECE 65536

static void make_file(struct buf *file, u32 rows)
{
	buf_add_text(file, "email,family,given,city,points,note\n");
	for (u32 i = 0; i < rows; i++) {
		size_t start = file->len;

		buf_add_format(file, "user%u@domain%u.example,\u5c71\u7530,Taro,\"Kobe, %u\",%u,",
			       i % 100 == 99 ? i - 1 : i, i % 1000 / 2, i % 90, i);
		while (file->len - start < 98)
			buf_add_char(file, 'x');
		buf_add_text(file, "\r\n");
	}
}

static void print(const char *what, u64 start_ns, u64 rows, size_t bytes)
{
	double seconds = (double)(clock_mono_ns() - start_ns) / NS_PER_S;

	printf("%-28s %10.0f rows/s  %7.1f MB/s  %.2f s\n", what, (double)rows / seconds,
	       (double)bytes / 1e6 / seconds, seconds);
}

static void run_csv(struct slice file)
{
	struct csv *csv = csv_open(',');
	struct csv_row row;
	enum csv_event event;
	u64 start = clock_mono_ns();
	u64 rows = 0;

	for (size_t at = 0; at < file.len; at += PIECE) {
		csv_feed(csv, slice_first(slice_from(file, at), PIECE));
		while ((event = csv_next(csv, &row, NULL)) == CSV_ROW)
			rows++;
		if (event != CSV_MORE)
			exit(1);
	}
	print("csv", start, rows, file.len);
	csv_close(csv);
}

static void run_intake(struct slice file)
{
	struct intake *intake = intake_open(',');
	struct intake_counts counts;
	struct intake_row row;
	enum intake_event event;
	u64 start = clock_mono_ns();

	for (size_t at = 0; at < file.len; at += PIECE) {
		intake_feed(intake, slice_first(slice_from(file, at), PIECE));
		while ((event = intake_next(intake, &row, NULL)) != INTAKE_MORE) {
			if (event != INTAKE_ROW && event != INTAKE_DUPLICATE)
				exit(1);
		}
	}
	intake_counts(intake, &counts);
	print("csv, address, duplicates", start, counts.rows, file.len);
	printf("accepted %llu, duplicates %llu\n", (unsigned long long)counts.accepted,
	       (unsigned long long)counts.duplicates);
	intake_close(intake);
}

int main(int argc, char **argv)
{
	u32 rows = 1000000;
	struct buf file;

	if (argc > 1 && !slice_to_u32(slice_of(argv[1]), &rows))
		return 2;
	buf_init(&file, (size_t)rows * 128 + 4096);
	make_file(&file, rows);
	run_csv(buf_slice(&file));
	run_intake(buf_slice(&file));
	buf_done(&file);
	return 0;
}
