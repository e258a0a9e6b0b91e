#include "console/nearest.h"

#include "base/text.h"

#include <string.h>

#define WORD_MAX 63

static u32 smallest(u32 a, u32 b, u32 c)
{
	return min_u32(a, min_u32(b, c));
}

/* Optimal string alignment; three rows of the table are enough. */
u32 nearest_distance(const char *a, const char *b)
{
	u32 rows[3][WORD_MAX + 1];
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);
	u32 *before = rows[0];
	u32 *last = rows[1];
	u32 *row = rows[2];

	if (a_len > WORD_MAX || b_len > WORD_MAX)
		return UINT32_MAX;
	memset(rows, 0, sizeof(rows));
	for (u32 k = 0; k <= b_len; k++)
		last[k] = k;
	for (u32 i = 1; i <= a_len; i++) {
		u32 *spare = before;

		row[0] = i;
		for (u32 k = 1; k <= b_len; k++) {
			u32 change = ascii_lower(a[i - 1]) != ascii_lower(b[k - 1]);

			row[k] = smallest(last[k] + 1, row[k - 1] + 1, last[k - 1] + change);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				row[k] = min_u32(row[k], before[k - 2] + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[b_len];
}

void nearest_init(struct nearest *nearest, const char *typed)
{
	*nearest = (struct nearest){ .typed = typed, .distance = UINT32_MAX };
}

void nearest_offer(struct nearest *nearest, const char *word)
{
	u32 distance = nearest_distance(nearest->typed, word);
	size_t len = strlen(nearest->typed);

	/* A beginning is what somebody types who knows the word and is in a hurry. */
	if (len >= 2 && strncmp(word, nearest->typed, len) == 0)
		distance = 0;
	if (distance < nearest->distance) {
		nearest->distance = distance;
		nearest->word = word;
	}
}

const char *nearest_word(const struct nearest *nearest)
{
	size_t allowed = (strlen(nearest->typed) + 2) / 3;

	return nearest->word && nearest->distance <= allowed ? nearest->word : NULL;
}
