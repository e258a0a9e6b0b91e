#include "init/upgrade_bundle.h"

#include "base/text.h"

#include <string.h>

#define MAGIC SLICE("HKYBNDL1")
#define VERSION_NUMBERS 4
#define VERSION_NUMBER_MAX 999999

const char *upgrade_part_name(enum upgrade_part part)
{
	return part == UPGRADE_KERNEL ? "kernel" : "rootfs";
}

bool upgrade_head_read(struct upgrade_head *head, const u8 bytes[UPGRADE_HEAD_SIZE],
		       struct error *error)
{
	const u8 *number = bytes + MAGIC.len;

	/* The last byte of the magic is the format's number. */
	if (memcmp(bytes, MAGIC.ptr, MAGIC.len - 1) != 0)
		return error_set(error, "this is no upgrade bundle");
	if (bytes[MAGIC.len - 1] != MAGIC.ptr[MAGIC.len - 1])
		return error_set(error, "the bundle has a format that this version does not know");
	head->release_len = (u32)number[0] << 24 | (u32)number[1] << 16 | (u32)number[2] << 8 |
			    number[3];
	if (head->release_len == 0 || head->release_len > UPGRADE_RELEASE_MAX)
		return error_set(error, "the bundle's release text cannot have %u bytes",
				 head->release_len);
	memcpy(head->signature, number + 4, sizeof(head->signature));
	return true;
}

static bool read_version_number(struct slice *rest, u32 *out)
{
	struct slice digits = slice_split(rest, '.');

	return digits.len <= 6 && slice_to_u32(digits, out) && *out <= VERSION_NUMBER_MAX;
}

bool upgrade_version_is_sound(struct slice version)
{
	u32 numbers = 0;
	u32 number;

	if (version.len == 0 || version.len >= UPGRADE_VERSION_MAX)
		return false;
	while (version.ptr) {
		if (++numbers > VERSION_NUMBERS || !read_version_number(&version, &number))
			return false;
	}
	return true;
}

int upgrade_version_compare(struct slice a, struct slice b)
{
	for (u32 i = 0; i < VERSION_NUMBERS; i++) {
		u32 left = 0;
		u32 right = 0;

		if (a.ptr && !read_version_number(&a, &left))
			left = 0;
		if (b.ptr && !read_version_number(&b, &right))
			right = 0;
		if (left != right)
			return left < right ? -1 : 1;
	}
	return 0;
}

static bool read_part(struct upgrade_release *release, enum upgrade_part part, struct slice line)
{
	struct slice word = slice_split(&line, ' ');
	struct slice size;

	if (!slice_equal(word, slice_of(upgrade_part_name(part))) || !line.ptr)
		return false;
	size = slice_split(&line, ' ');
	return slice_to_u64(size, &release->parts[part].size) && release->parts[part].size > 0 &&
	       release->parts[part].size <= UPGRADE_PART_MAX && line.ptr &&
	       hex_decode(release->parts[part].sha256, SHA256_SIZE, line);
}

static bool read_line(struct upgrade_release *release, u32 number, struct slice line)
{
	const struct slice version = SLICE("version ");

	switch (number) {
	case 1:
		return slice_equal(line, SLICE("hikyaku release 1"));
	case 2:
		return slice_has_prefix(line, version) &&
		       upgrade_version_is_sound(slice_from(line, version.len)) &&
		       slice_copy(release->version, sizeof(release->version),
				  slice_from(line, version.len));
	default:
		return read_part(release, number == 3 ? UPGRADE_KERNEL : UPGRADE_ROOTFS, line);
	}
}

bool upgrade_release_read(struct upgrade_release *release, struct slice text, struct error *error)
{
	const u32 lines = 4;

	*release = (struct upgrade_release){ 0 };
	for (u32 number = 1; number <= lines; number++) {
		struct slice line = slice_split(&text, '\n');

		/* Without a line feed at its end nothing follows, not even an empty line. */
		if (!text.ptr || !read_line(release, number, line))
			return error_set(error, "the release text's line %u is not as it must be",
					 number);
	}
	if (text.len > 0)
		return error_set(error, "the release text goes on behind its line %u", lines);
	return true;
}
