/*
 * Writes the exposition of a registry with every counter moved to standard output, for programs
 * that read such pages to judge: `expose_many text|openmetrics NAMES`, NAMES pairs being asked for,
 * among them the worst that a site can be called.
 */
#include "base/check.h"
#include "metrics/fixture.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct metrics *metrics = metrics_open(FIXTURE_WORKERS);
	struct buf out;

	if (argc != 3 || !metrics) {
		fprintf(stderr, "usage: expose_many text|openmetrics NAMES\n");
		return 2;
	}
	fixture_fill(metrics, strtoull(argv[2], NULL, 10));
	buf_init(&out, METRICS_EXPOSITION_MAX);
	metrics_expose(metrics, strcmp(argv[1], "openmetrics") == 0, &out);
	ASSERT(!out.failed);
	fwrite(out.ptr, 1, out.len, stdout);
	buf_done(&out);
	metrics_close(metrics);
	return 0;
}
