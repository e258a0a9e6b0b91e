/*
 * Lines of a page of metrics, in Prometheus' text format 0.0.4 or OpenMetrics 1.0: what differs
 * between them is known here alone.
 */
#ifndef METRICS_LINES_H
#define METRICS_LINES_H

#include "base/buf.h"
#include "base/types.h"
#include "metrics/metrics.h"

/* What stands behind "# TYPE". INFO is a gauge of 1 in the older format. */
enum metric_type { COUNTER, GAUGE, HISTOGRAM, INFO };

/* `name` without the suffix of samples; `help` needs no escapes. */
void lines_family(struct buf *out, bool openmetrics, const char *name, enum metric_type type,
		  const char *help);
/* "_total", "_info" or nothing: what samples of the type have behind the name. */
const char *lines_suffix(enum metric_type type);
/* `{name="value"` or `,name="value"`, by `before`. */
void lines_label(struct buf *out, char before, const char *name, const char *value);
void lines_sample(struct buf *out, const char *name, enum metric_type type, u64 value);
/* A sample with one label. */
void lines_labelled(struct buf *out, const char *name, enum metric_type type, const char *label,
		    const char *text, u64 value);
/* `value` counts units of 10^-digits; zeroes at the end are left away. */
void lines_fraction(struct buf *out, u64 value, u32 digits);

/*
 * The samples of a histogram, with a label unless its name is NULL. The count is that of the
 * buckets, not the counter beside them: a writer may be between the two when they are read, and the
 * last bucket must equal the count.
 */
void lines_histogram(struct buf *out, const char *name, const char *label, const char *text,
		     const struct metrics_histogram *h);

#endif
