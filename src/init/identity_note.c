#include "init/identity_note.h"

#include "base/text.h"

/* What may stand in a label of a metric as it is. */
static bool is_name(struct slice domain)
{
	for (size_t i = 0; i < domain.len; i++) {
		char c = domain.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '.' && c != '-' && c != '_')
			return false;
	}
	return domain.len > 0 && domain.len < sizeof(((struct identity_note *)0)->domain);
}

/* The domain's own, a new one, or the oldest. */
static struct identity_note *choose(struct identity_notes *notes, struct slice domain)
{
	struct identity_note *oldest = &notes->list[0];

	for (u32 i = 0; i < notes->count; i++) {
		struct identity_note *note = &notes->list[i];

		if (slice_equal_nocase(slice_of(note->domain), domain))
			return note;
		if (note->checked_s < oldest->checked_s)
			oldest = note;
	}
	return notes->count < IDENTITY_NOTES_MAX ? &notes->list[notes->count++] : oldest;
}

bool identity_notes_set(struct identity_notes *notes, struct slice domain, bool is_aligned,
			u64 failed, u64 now_s)
{
	struct identity_note *note;

	if (!is_name(domain))
		return false;
	note = choose(notes, domain);
	*note = (struct identity_note){ .is_aligned = is_aligned,
					.failed = failed,
					.checked_s = now_s };
	slice_copy(note->domain, sizeof(note->domain), domain);
	ascii_lower_in_place(note->domain, domain.len);
	return true;
}

static u64 value_of(const struct identity_note *note, u32 family)
{
	return family == 0 ? note->is_aligned : family == 1 ? note->failed : note->checked_s;
}

void identity_notes_expose(const struct identity_notes *notes, struct buf *page)
{
	static const char *const families[][2] = {
		{ "hikyaku_identity_aligned",
		  "Whether SPF or DKIM vouches for a domain's mail, as last checked." },
		{ "hikyaku_identity_failures", "Checks of a domain's identity that failed last." },
		{ "hikyaku_identity_checked_timestamp_seconds", "When it was last checked." },
	};

	for (u32 family = 0; family < array_count(families) && notes->count > 0; family++) {
		buf_add_format(page, "# HELP %s %s\n# TYPE %s gauge\n", families[family][0],
			       families[family][1], families[family][0]);
		for (u32 i = 0; i < notes->count; i++)
			buf_add_format(page, "%s{domain=\"%s\"} %llu\n", families[family][0],
				       notes->list[i].domain,
				       (unsigned long long)value_of(&notes->list[i], family));
	}
}
