#include "web/line_diff.h"

#include "base/text.h"

#define CELLS_MAX (2u << 20) /* of the table of common lines: 4 MiB */

struct lines {
	struct slice *of;
	size_t count;
};

static bool split(struct slice text, struct arena *arena, struct lines *lines)
{
	struct slice rest = text;
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '\n';
	lines->of = arena_take(arena, (count + 1) * sizeof(*lines->of));
	lines->count = 0;
	if (!lines->of)
		return false;
	while (rest.ptr && rest.len > 0)
		lines->of[lines->count++] = slice_split(&rest, '\n');
	return true;
}

static void add(struct line_diff *diff, enum line_diff_kind kind, struct slice line)
{
	diff->rows[diff->count++] = (struct line_diff_row){ kind, line };
	diff->differs |= kind != LINE_SAME;
}

/*
 * The longest common subsequence by the table of what is left to come: cell [i][j] is its length
 * for the lines from i and from j on.
 */
static bool add_changes(struct line_diff *diff, struct lines a, struct lines b, struct arena *arena)
{
	const size_t width = b.count + 1;
	bool is_small = a.count == 0 || b.count == 0 || width <= CELLS_MAX / (a.count + 1);
	u16 *cells = NULL;
	size_t i = 0;
	size_t j = 0;

	if (is_small) {
		cells = arena_take(arena, (a.count + 1) * width * sizeof(*cells));
		if (!cells)
			return false;
		for (i = a.count; i-- > 0;) {
			for (j = b.count; j-- > 0;) {
				u16 *cell = &cells[i * width + j];

				if (slice_equal(a.of[i], b.of[j]))
					*cell = (u16)(cell[width + 1] + 1);
				else
					*cell = cell[width] >= cell[1] ? cell[width] : cell[1];
			}
		}
		i = 0;
		j = 0;
	}
	while (i < a.count || j < b.count) {
		bool has_both = i < a.count && j < b.count;

		if (has_both && cells && slice_equal(a.of[i], b.of[j])) {
			add(diff, LINE_SAME, a.of[i]);
			i++, j++;
		} else if (j == b.count ||
			   (has_both && (!cells || cells[(i + 1) * width + j] >=
							   cells[i * width + j + 1]))) {
			add(diff, LINE_GONE, a.of[i++]);
		} else {
			add(diff, LINE_NEW, b.of[j++]);
		}
	}
	return true;
}

bool line_diff_make(struct slice before, struct slice after, struct arena *arena,
		    struct line_diff *diff)
{
	struct lines a;
	struct lines b;
	size_t front = 0;
	size_t back = 0;

	*diff = (struct line_diff){ 0 };
	if (!split(before, arena, &a) || !split(after, arena, &b))
		return false;
	diff->rows = arena_take(arena, (a.count + b.count + 1) * sizeof(*diff->rows));
	if (!diff->rows)
		return false;
	while (front < a.count && front < b.count && slice_equal(a.of[front], b.of[front]))
		add(diff, LINE_SAME, a.of[front++]);
	while (back < a.count - front && back < b.count - front &&
	       slice_equal(a.of[a.count - 1 - back], b.of[b.count - 1 - back]))
		back++;
	if (!add_changes(diff, (struct lines){ a.of + front, a.count - front - back },
			 (struct lines){ b.of + front, b.count - front - back }, arena))
		return false;
	for (; back > 0; back--)
		add(diff, LINE_SAME, a.of[a.count - back]);
	return true;
}
