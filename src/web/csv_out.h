/*
 * CSV as spreadsheets read it (RFC 4180): cells quoted where they must be, lines ended by CRLF.
 * Text that a spreadsheet would take for a formula is guarded (campaign/value.h), so that nobody's
 * name runs on the machine of whoever opens the file.
 */
#ifndef WEB_CSV_OUT_H
#define WEB_CSV_OUT_H

#include "base/buf.h"

/* A cell behind those that `out` has of this row already (`is_first`: there are none). */
void csv_out_cell(struct buf *out, struct slice cell, bool is_first);
/* The same of a value that cannot be a formula: numbers keep their minus. */
void csv_out_plain(struct buf *out, struct slice cell, bool is_first);
void csv_out_end(struct buf *out);

#endif
